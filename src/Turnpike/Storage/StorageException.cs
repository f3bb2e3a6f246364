namespace Turnpike.Storage;

/// <summary>The database said no: the message is a sentence for the operator or for the log.</summary>
internal class StorageException(string message, int code = 0, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>SQLite's primary result code, 0 when the reason is not SQLite's.</summary>
    public int Code { get; } = code;

    /// <summary>The disk or the file is broken: what was being written may or may not be there, and nothing more must be promised.</summary>
    public bool IsFatal => Code is SqliteNative.IoError or SqliteNative.Full or SqliteNative.Corrupt or SqliteNative.ReadOnly or SqliteNative.CannotOpen or SqliteNative.NotADatabase;
}
