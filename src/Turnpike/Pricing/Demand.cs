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
        return Interlocked.Increment(ref place.Count);
    }

    private sealed class Place : IAsyncDisposable
    {
        public long Count;

        public ValueTask DisposeAsync()
        {
            Interlocked.Decrement(ref Count);
            return default;
        }
    }
}
