using System.Collections.Concurrent;
using Turnpike.Catalog;

namespace Turnpike.Limits.Upstreams;

/// <summary>Which targets are left alone: those that do not answer their health check, and those that failed again and again.</summary>
internal sealed class UpstreamBoard(TimeProvider time)
{
    private readonly ConcurrentDictionary<Uri, bool> unwell = new();
    private readonly ConcurrentDictionary<Uri, State> states = new();

    public bool IsWell(UpstreamTarget target) => unwell.IsEmpty || !unwell.ContainsKey(target.Url);

    /// <summary>What the health check says. True when that is news.</summary>
    public bool Note(Uri target, bool well) => well ? unwell.TryRemove(target, out _) : unwell.TryAdd(target, true);

    /// <summary>True while a target that failed again and again is left alone.</summary>
    public bool IsOpen(UpstreamTarget target) => OpenFor(target) > TimeSpan.Zero;

    /// <summary>How long until somebody may try; zero when anybody may. Null targets: of a service without a breaker.</summary>
    public TimeSpan OpenFor(Upstream upstream)
    {
        if (upstream.Breaker is null || states.IsEmpty) return TimeSpan.Zero;
        var least = TimeSpan.MaxValue;
        foreach (var target in upstream.Targets) least = Least(least, OpenFor(target));
        foreach (var target in upstream.Fallback) least = Least(least, OpenFor(target));
        return least == TimeSpan.MaxValue ? TimeSpan.Zero : least;
    }

    /// <summary>It answered. What it failed before counts no more.</summary>
    public void Succeeded(UpstreamTarget target)
    {
        if (!states.IsEmpty) states.TryRemove(target.Url, out _);
    }

    /// <summary>It did not, or with 5xx. True when it is left alone from now on.</summary>
    public bool Failed(UpstreamTarget target, UpstreamBreaker breaker)
    {
        var state = states.GetOrAdd(target.Url, static _ => new State());
        lock (state)
        {
            if (++state.Failures < breaker.Failures) return false;
            state.Failures = breaker.Failures - 1; // when its time is over it has one try
            (state.Since, state.For) = (time.GetTimestamp(), breaker.For);
            return true;
        }
    }

    private TimeSpan OpenFor(UpstreamTarget target)
    {
        if (states.IsEmpty || !states.TryGetValue(target.Url, out var state)) return TimeSpan.Zero;
        lock (state)
        {
            var left = state.For - time.GetElapsedTime(state.Since);
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }

    private static TimeSpan Least(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private sealed class State
    {
        public int Failures { get; set; }

        public long Since { get; set; }

        public TimeSpan For { get; set; }
    }
}
