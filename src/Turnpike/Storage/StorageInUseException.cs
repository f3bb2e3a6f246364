namespace Turnpike.Storage;

/// <summary>Another process writes this database: a gateway is running on it, and its Admin API can be asked instead.</summary>
internal sealed class StorageInUseException(string message, Exception? inner = null) : StorageException(message, 0, inner);
