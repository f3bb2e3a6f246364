using System.Collections.Concurrent;

namespace Turnpike.Identity;

/// <summary>
/// What was looked up lately: two generations, the older dropped when the younger is full, so that it is bounded whoever asks for
/// what. What was read before something changed is not kept: a revoked key must not come back out of here.
/// </summary>
internal sealed class Recent<TKey, TValue>(int most) where TKey : notnull
{
    private readonly Lock guard = new();
    private ConcurrentDictionary<TKey, TValue> young = new(), old = new();
    private long changes;

    /// <summary>Take this before reading, and give it to <see cref="Keep"/>.</summary>
    public long Stamp => Volatile.Read(ref changes);

    public bool TryGet(TKey key, out TValue value)
    {
        if (young.TryGetValue(key, out value!)) return true;
        if (!old.TryGetValue(key, out value!)) return false;
        Keep(key, value, Stamp, only: old);
        return true;
    }

    public void Keep(TKey key, TValue value, long stamp) => Keep(key, value, stamp, only: null);

    /// <summary>Something changed: forgets this, and whatever is being read right now.</summary>
    public void Forget(TKey key)
    {
        lock (guard)
        {
            changes++;
            young.TryRemove(key, out _);
            old.TryRemove(key, out _);
        }
    }

    public void Clear()
    {
        lock (guard)
        {
            changes++;
            (young, old) = (new(), new());
        }
    }

    private void Keep(TKey key, TValue value, long stamp, ConcurrentDictionary<TKey, TValue>? only)
    {
        lock (guard)
        {
            if (stamp != changes || only is not null && !only.ContainsKey(key)) return;
            if (young.Count >= most) (young, old) = (new(), young);
            young[key] = value;
        }
    }
}
