using System.Collections.Concurrent;

namespace Turnpike.Identity.Signatures;

/// <summary>
/// What may be shown once: numbers of proofs, for as long as a proof may live. Two halves take turns, so that nothing is forgotten
/// before its time; when one is full, nothing more is believed until it turns: a flood must not make room for a replay.
/// </summary>
internal sealed class SeenOnce(TimeProvider time)
{
    /// <summary>No proof may live longer than this.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(10);

    private const int Most = 500_000;
    private readonly Lock guard = new();
    private ConcurrentDictionary<KeyHash, bool> young = new(), old = new();
    private int kept;
    private DateTimeOffset turns = DateTimeOffset.MinValue;

    /// <summary>True for the first time this is shown.</summary>
    public bool IsFirst(string by, string number)
    {
        Turn();
        var key = KeyHash.Of($"{by}\n{number}");
        if (old.ContainsKey(key) || Volatile.Read(ref kept) >= Most || !young.TryAdd(key, true)) return false;
        Interlocked.Increment(ref kept);
        return true;
    }

    private void Turn()
    {
        var now = time.GetUtcNow();
        lock (guard)
        {
            if (now < turns) return;
            (young, old) = (new(), now < turns + Window ? young : new());
            kept = 0;
            turns = now + Window;
        }
    }
}
