namespace Turnpike.Storage;

/// <summary>Nothing is written any more (the disk failed, the server is away, or the store is stopping): answer 503 and never acknowledge.</summary>
internal class StorageUnavailableException(string message, Exception? inner = null) : StorageException(message, 0, inner);

/// <summary>It was sent and the server has not answered for seconds: it may be written or not, now or in a while. Answer 503, and look again later.</summary>
internal sealed class StorageUnknownException(string message, Exception? inner = null) : StorageUnavailableException(message, inner);
