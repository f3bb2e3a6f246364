namespace Turnpike.Storage;

/// <summary>Nothing is written any more (the disk failed, or the store is stopping): answer 503 and never acknowledge.</summary>
internal sealed class StorageUnavailableException(string message, Exception? inner = null) : StorageException(message, 0, inner);
