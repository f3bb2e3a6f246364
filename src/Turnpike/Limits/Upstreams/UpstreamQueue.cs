using Turnpike.Catalog;

namespace Turnpike.Limits.Upstreams;

/// <summary>The places of one upstream, and who waits for one: by rank, then by virtual time, in which a plan of weight five moves five times as slowly.</summary>
internal sealed class UpstreamQueue(TimeProvider time) : IAsyncDisposable
{
    private const long Turn = 1_000_000;
    private readonly Lock guard = new();
    private readonly SortedSet<Waiter> waiting = new(Comparer<Waiter>.Create(static (a, b) => (a.Rank, a.At, a.Number).CompareTo((b.Rank, b.At, b.Number))));
    private readonly Dictionary<(int Rank, string Plan), long> last = [];
    private long taken, numbers, now;

    /// <summary>False: there is no place, and none to wait in, or it took too long.</summary>
    public async ValueTask<bool> EnterAsync(UpstreamCapacity capacity, int rank, string plan, int weight, CancellationToken ct)
    {
        Waiter mine;
        lock (guard)
        {
            if (taken < capacity.Calls && waiting.Count == 0) { taken++; return true; }
            mine = new Waiter(rank, Math.Max(now, last.GetValueOrDefault((rank, plan))) + Turn / weight, ++numbers);
            if (waiting.Count >= capacity.Queue)
            {
                // Full: the least of all leaves, and that may be this one.
                if (waiting.Count == 0 || waiting.Comparer.Compare(waiting.Max, mine) < 0) return false;
                var least = waiting.Max!;
                waiting.Remove(least);
                least.Place.TrySetResult(false);
            }
            last[(rank, plan)] = mine.At;
            waiting.Add(mine);
        }
        using var late = new CancellationTokenSource(capacity.Wait, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, ct);
        using var over = either.Token.Register(() => Leave(mine));
        return await mine.Place.Task;
    }

    /// <summary>A call is over: its place is the next one's.</summary>
    public ValueTask DisposeAsync()
    {
        lock (guard)
        {
            if (waiting.Min is { } next)
            {
                waiting.Remove(next);
                now = Math.Max(now, next.At);
                if (waiting.Count == 0) last.Clear();
                next.Place.TrySetResult(true);
            }
            else taken--;
        }
        return default;
    }

    private void Leave(Waiter waiter)
    {
        lock (guard)
            if (waiting.Remove(waiter)) waiter.Place.TrySetResult(false);
    }

    private sealed record Waiter(int Rank, long At, long Number)
    {
        public TaskCompletionSource<bool> Place { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
