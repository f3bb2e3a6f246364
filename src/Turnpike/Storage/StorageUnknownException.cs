namespace Turnpike.Storage;

/// <summary>It was sent and the server has not answered for seconds: it may be written or not, now or in a while. Answer 503, and look again later.</summary>
internal sealed class StorageUnknownException(string message, Exception? inner = null) : StorageUnavailableException(message, inner);
