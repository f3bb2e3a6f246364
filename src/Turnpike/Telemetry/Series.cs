using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Turnpike.Telemetry;

/// <summary>All time series of one instrument. Bounded: past the limit, what is new is counted together without tags.</summary>
internal sealed class Series
{
    private const int Most = 2000;

    /// <summary>Seconds, as OpenTelemetry's HTTP conventions advise.</summary>
    public static readonly double[] Bounds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

    private readonly ConcurrentDictionary<TagSet, Point> points = new(TagSet.Comparer.Instance);
    private readonly ConcurrentDictionary<TagSet, Point>.AlternateLookup<ReadOnlySpan<KeyValuePair<string, object?>>> byTags;

    public Series(Instrument instrument)
    {
        Instrument = instrument;
        byTags = points.GetAlternateLookup<ReadOnlySpan<KeyValuePair<string, object?>>>();
    }

    public Instrument Instrument { get; }

    public IEnumerable<KeyValuePair<TagSet, Point>> Points => points;

    public Point At(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (byTags.TryGetValue(tags, out var known)) return known;
        if (points.Count >= Most) return points.GetOrAdd(new TagSet([]), static _ => new());
        var key = new TagSet(tags.ToArray());
        return points.GetOrAdd(key, static _ => new());
    }

    /// <summary>Observed instruments tell everything each time: what they tell no more is gone.</summary>
    public void Clear() => points.Clear();

    /// <summary>One series: a sum or a last value, and for a histogram its buckets.</summary>
    internal sealed class Point
    {
        private readonly Lock guard = new();
        private readonly long[] buckets = new long[Bounds.Length + 1];
        private double sum;
        private long whole;
        private long count;

        public void Add(long value) => Interlocked.Add(ref whole, value);

        public void Set(long? exact, double value)
        {
            if (exact is { } count) Interlocked.Exchange(ref whole, count);
            else Volatile.Write(ref sum, value);
        }

        public void Record(double value)
        {
            var bucket = 0;
            while (bucket < Bounds.Length && value > Bounds[bucket]) bucket++;
            lock (guard)
            {
                buckets[bucket]++;
                sum += value;
                count++;
            }
        }

        public (long Whole, double Value) Read() => (Interlocked.Read(ref whole), Volatile.Read(ref sum));

        public (long[] Buckets, double Sum, long Count) ReadBuckets()
        {
            lock (guard) return ([.. buckets], sum, count);
        }
    }
}
