using System.Collections.Concurrent;
using Turnpike.Catalog;
using Turnpike.Plans;

namespace Turnpike.Limits.Upstreams;

/// <summary>
/// Places at upstreams that take only so much at once. Who finds none waits: what is paid before what is free, callers before
/// strangers, and plans in turn by their weight. When there is no room to wait either, the least of them leaves.
/// </summary>
internal sealed class UpstreamQueues(TimeProvider time)
{
    private readonly ConcurrentDictionary<string, UpstreamQueue> queues = new(StringComparer.Ordinal);

    /// <summary>A place until the call is over; before any money is held.</summary>
    public ValueTask<Answer?> EnterAsync(Call call, bool paid, CancellationToken ct) =>
        call.Catalog.ServiceOf(call.Operation).Upstream.Capacity is { } capacity ? EnterAsync(call, capacity, paid, ct) : default;

    private async ValueTask<Answer?> EnterAsync(Call call, UpstreamCapacity capacity, bool paid, CancellationToken ct)
    {
        var queue = queues.GetOrAdd(call.Operation.Service, static (_, time) => new UpstreamQueue(time), time);
        var rank = paid ? 0 : call.Caller is not null ? 1 : 2;
        if (!await queue.EnterAsync(capacity, rank, call.Plan ?? "", PlanBook.Of(call)?.Weight ?? 1, ct)) return new Refusal(Reasons.Overloaded, "Others are served first.") { RetryAfter = TimeSpan.FromSeconds(2) };
        call.Lease(queue);
        return null;
    }
}
