using System.Collections.Concurrent;
using Turnpike.Storage;

namespace Turnpike.Identity.Signatures;

/// <summary>
/// What may be shown once: numbers of proofs, for as long as a proof may live. Two halves take turns, so that nothing is forgotten
/// before its time; when one is full, nothing more is believed until it turns: a flood must not make room for a replay. Where several
/// nodes serve, the database decides among them.
/// </summary>
internal sealed class SeenOnce(TimeProvider time, Database database)
{
    /// <summary>No proof may live longer than this.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(10);

    private const int Most = 500_000;
    private readonly Lock guard = new();
    private ConcurrentDictionary<KeyHash, bool> young = new(), old = new();
    private int kept;
    private DateTimeOffset turns = DateTimeOffset.MinValue;

    /// <summary>True for the first time this is shown, to any node.</summary>
    public async ValueTask<bool> IsFirstAsync(string by, string number, CancellationToken ct)
    {
        Turn();
        var key = KeyHash.Of($"{by}\n{number}");
        if (old.ContainsKey(key) || Volatile.Read(ref kept) >= Most || !young.TryAdd(key, true)) return false;
        Interlocked.Increment(ref kept);
        return !database.IsShared || await ShownStore.AddAsync(database, key, time, Window, ct);
    }

    private void Turn()
    {
        var now = time.GetUtcNow();
        lock (guard)
        {
            if (now < turns) return;
            (young, old) = (new(), now < turns + Window ? young : new());
            kept = 0;
            if (database is { IsShared: true, IsWritable: true }) _ = ForgetAsync();
            turns = now + Window;
        }
    }

    private async Task ForgetAsync()
    {
        try { await ShownStore.ForgetAsync(database, time, CancellationToken.None); }
        catch (StorageException) { /* at the next turn */ }
    }
}
