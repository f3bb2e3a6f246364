namespace Turnpike.Storage;

/// <summary>
/// Works once per batch instead of once per command: the ledger loads and writes its accounts, the audit trail its links. Called on
/// the writer's thread only, inside the transaction; <see cref="Begin"/> in the order of joining, <see cref="End"/> in reverse, so that
/// who joined later may still hand work to who joined earlier.
/// </summary>
internal interface IWriteParticipant
{
    /// <summary>Loads what the batch will need. Anything left of an earlier, undone batch is forgotten.</summary>
    void Begin(Sql sql, ReadOnlySpan<WriteCommand> batch, DateTimeOffset now);

    /// <summary>Writes what the commands changed.</summary>
    void End(Sql sql);

    /// <summary>The batch is durable.</summary>
    void Committed();

    /// <summary>The batch is undone; its commands may come again.</summary>
    void RolledBack();

    /// <summary>The disk failed: nothing will be written any more, and whoever waits must be told.</summary>
    void Stopped();
}
