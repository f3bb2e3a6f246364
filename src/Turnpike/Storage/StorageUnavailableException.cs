namespace Turnpike.Storage;

/// <summary>Nothing is written any more (the disk failed, the server is away, or the store is stopping): answer 503 and never acknowledge.</summary>
internal class StorageUnavailableException(string message, Exception? inner = null) : StorageException(message, 0, inner);
