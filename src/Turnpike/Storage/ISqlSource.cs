namespace Turnpike.Storage;

/// <summary>Where a database's connections come from: a SQLite file, or a PostgreSQL server.</summary>
internal interface ISqlSource : IDisposable
{
    /// <summary>The writer's connection; null when the database was opened to look only.</summary>
    Sql? Writer { get; }

    /// <summary>Tells this writer from all others of the same database.</summary>
    string Name { get; }

    /// <summary>How many threads wait for what is read, so that no caller's does; zero where reading does not wait for a network.</summary>
    int ReaderThreads { get; }

    /// <summary>A connection to read on, one thread at a time.</summary>
    /// <param name="fresh">Not one that was used before.</param>
    Sql Take(bool fresh = false);

    /// <summary>Calls back with what any process says on a channel, and with nothing when something may have been missed, until it is disposed; null where there is no other process.</summary>
    IDisposable? Listen(string channel, Action<string> heard);

    /// <summary>Says something of at most 7,999 bytes on a channel, now and outside any transaction. Nothing where there is no other process. One at a time.</summary>
    ValueTask SayAsync(string channel, string text, CancellationToken ct);

    /// <summary>Gives a connection back whose transaction ended well; any other is disposed.</summary>
    void Return(Sql reader);
}
