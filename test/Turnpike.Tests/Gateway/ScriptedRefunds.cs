using System.Collections.Concurrent;
using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Payments.Refunds;

namespace Turnpike.Tests.Gateway;

/// <summary>A rail with refunds that do what a test says. It keeps what it was asked for, by plan.</summary>
internal sealed class ScriptedRefunds : IRefundRail
{
    /// <summary>Plans in the order they were sent: one plan sent twice is one refund.</summary>
    public ConcurrentQueue<string> Sent { get; } = [];

    public Func<HoldState, Settlement> Settle { get; set; } = static _ => new Settlement.Settled("0xback", "1");

    /// <summary>Dies between intending and sending.</summary>
    public Exception? DiesBefore { get; set; }

    public string Name => "refund.scripted";

    public bool Takes(HoldState payment) => payment.Hold.Method == "x402.exact";

    public ValueTask<RefundPlan> PlanAsync(HoldState payment, Money amount, string refund, CancellationToken ct) => new(new RefundPlan($"{refund}:{amount}", null));

    public ValueTask<string?> PrepareAsync(string plan, CancellationToken ct) => DiesBefore is null ? new("tx of " + plan) : throw DiesBefore;

    public ValueTask<Settlement> SettleAsync(string plan, HoldState captured, CancellationToken ct)
    {
        captured.Broadcast.ShouldBe("tx of " + plan, "stored before it is sent");
        Sent.Enqueue(plan);
        return new(Settle(captured));
    }
}
