using Turnpike.Catalog;
using Turnpike.Limits.Upstreams;
using Turnpike.Payments;

namespace Turnpike.Access.Rules;

/// <summary>Nobody pays for what cannot be delivered: an upstream that is left alone answers 503 before any terms, and again before anything is held.</summary>
internal sealed class UpstreamRule(UpstreamBoard board, UpstreamQueues queues, PaymentRegistry rails) : IAccessRule
{
    /// <summary>A proof may be of something that was paid for and is kept: that is found out first.</summary>
    public ValueTask<Answer?> CheckAsync(Call call, CancellationToken ct) => Down(call) is { } down && rails.Read(call) is null ? new(down) : default;

    /// <summary>When it is known who pays, the last word before money is held: is it up, and is there a place?</summary>
    public ValueTask<Answer?> CheckAsync(Payment payment, CancellationToken ct) =>
        Down(payment.Call) is { } down ? new(down) : queues.EnterAsync(payment.Call, payment.Call.Quote is not null, ct);

    private Refusal? Down(Call call) =>
        board.OpenFor(call.Catalog.ServiceOf(call.Operation).Upstream) is { Ticks: > 0 } left ? new Refusal(Reasons.UpstreamDown, "It has failed again and again, and is left alone for a moment.") { RetryAfter = left } : null;
}
