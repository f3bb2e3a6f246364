using Turnpike.Ledger;

namespace Turnpike.Payments.Refunds;

/// <summary>How money goes back the way it came.</summary>
internal interface IRefundRail
{
    /// <summary>The method of its holds: <c>refund.stripe</c>, <c>refund.evm</c>.</summary>
    string Name { get; }

    /// <summary>True when this payment can go back by it, as it is configured now.</summary>
    bool Takes(HoldState payment);

    /// <summary>What will be asked of the rail, or why it cannot be; moves nothing.</summary>
    /// <param name="refund">Names this refund to the rail, once and for all.</param>
    ValueTask<RefundPlan> PlanAsync(HoldState payment, Money amount, string refund, CancellationToken ct);

    /// <summary>What will be sent, to be stored before it is sent; null when the plan says it all.</summary>
    ValueTask<string?> PrepareAsync(string plan, CancellationToken ct) => ValueTask.FromResult<string?>(null);

    /// <summary>
    /// Sends it, or finds what became of it; idempotent by the plan. Failed only when the rail will never carry it out: what is
    /// failed may be ordered again, and must not arrive twice.
    /// </summary>
    ValueTask<Settlement> SettleAsync(string plan, HoldState captured, CancellationToken ct);
}

/// <summary>A plan as JSON of the rail's own, or a sentence saying why there is none.</summary>
/// <param name="Expires">When the rail can no longer carry it out; null when it has no such moment.</param>
internal sealed record RefundPlan(string? Terms, string? Objection, DateTimeOffset? Expires = null)
{
    public static RefundPlan No(string objection) => new(null, objection);

    public static ValueTask<RefundPlan> Not(string objection) => ValueTask.FromResult(No(objection));
}
