using Turnpike.Storage.Sqlite;

namespace Turnpike.Storage;

/// <summary>What is to be done about a failed transaction.</summary>
internal enum StorageFault
{
    /// <summary>The database refused a statement: the command that sent it fails, the others may go on.</summary>
    Refused,

    /// <summary>Another node was there first; nothing was written, and the same again may succeed.</summary>
    Conflict,

    /// <summary>The server cannot be reached or does not write; nothing was written.</summary>
    Away,

    /// <summary>The commit was sent and nobody answered: it must be asked about before anything else.</summary>
    Unknown,
}

/// <summary>The database said no: the message is a sentence for the operator or for the log.</summary>
internal class StorageException(string message, int code = 0, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>SQLite's primary result code, 0 when the reason is not SQLite's.</summary>
    public int Code { get; } = code;

    public StorageFault Fault { get; init; }

    /// <summary>The disk or the file is broken: what was being written may or may not be there, and nothing more must be promised.</summary>
    public bool IsFatal => Code is SqliteNative.IoError or SqliteNative.Full or SqliteNative.Corrupt or SqliteNative.ReadOnly or SqliteNative.CannotOpen or SqliteNative.NotADatabase;
}
