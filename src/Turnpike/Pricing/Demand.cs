using System.Collections.Concurrent;
using Turnpike.Catalog;

namespace Turnpike.Pricing;

/// <summary>How many calls of an operation are in progress on this node, counted where a price asks for it.</summary>
internal sealed class Demand
{
    private readonly ConcurrentDictionary<string, Place> places = new(StringComparer.Ordinal);

    /// <summary>Counts this call until it ends, and tells how many there are with it.</summary>
    public long Enter(Call call)
    {
        var place = places.GetOrAdd(call.Operation.Name, _ => new Place());
        call.Lease(place);
        return place.Enter(call.Now);
    }

    /// <summary>The fewest that anybody was told a price for, as far back as terms are good and at most as long again; zero where nobody counts.</summary>
    public long Fewest(string operation, DateTimeOffset now) => places.TryGetValue(operation, out var place) ? place.Fewest(now) : 0;

    private sealed class Place : IAsyncDisposable
    {
        private readonly Lock guard = new();
        private long count, window, fewest = long.MaxValue, before = long.MaxValue;

        public long Enter(DateTimeOffset now)
        {
            lock (guard)
            {
                Turn(now);
                count++;
                fewest = Math.Min(fewest, count);
                return count;
            }
        }

        public long Fewest(DateTimeOffset now)
        {
            lock (guard)
            {
                Turn(now);
                return Math.Min(Math.Min(fewest, before), count);
            }
        }

        private void Turn(DateTimeOffset now)
        {
            var at = now.UtcTicks / PriceBook.Valid.Ticks;
            if (at <= window) return;
            (before, fewest, window) = (at == window + 1 ? fewest : long.MaxValue, long.MaxValue, at);
        }

        public ValueTask DisposeAsync()
        {
            lock (guard) count--;
            return default;
        }
    }
}
