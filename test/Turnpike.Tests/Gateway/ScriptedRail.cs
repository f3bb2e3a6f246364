using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Payments;

namespace Turnpike.Tests.Gateway;

/// <summary>A real method whose collecting does what a test says; offers and local checks stay its own.</summary>
internal sealed class ScriptedRail(IPaymentMethod real) : IPaymentMethod
{
    private int settled;

    public string Name => real.Name;

    public string Protocol => real.Protocol;

    /// <summary>How often money was asked for.</summary>
    public int Settlements => settled;

    public Func<HoldState, ValueTask<Settlement>> Settle { get; set; } = static _ => new(new Settlement.Settled("0xpaid", "10000"));

    /// <summary>What asking the rail says instead; nothing, or null: what the real one says.</summary>
    public Func<Refusal?>? Verdict { get; set; }

    public IReadOnlyList<Offer> Offer(Call call) => real.Offer(call);

    public Answer? Identify(Payment payment) => real.Identify(payment);

    public async ValueTask<Answer?> VerifyAsync(Payment payment, CancellationToken ct) => Verdict?.Invoke() ?? await real.VerifyAsync(payment, ct);

    public ValueTask<Settlement> SettleAsync(HoldState captured, CancellationToken ct)
    {
        Interlocked.Increment(ref settled);
        return Settle(captured);
    }

    public string? NetworkOf(Payment payment) => real.NetworkOf(payment);
}
