using Turnpike.Catalog;
using Turnpike.Ledger;

namespace Turnpike.Payments.Included;

/// <summary>Pays by an invoice to come. As with a plan, nothing is presented but the caller's own proof of who it is.</summary>
internal sealed class PostpaidMethod : IPaymentMethod
{
    public const string MethodName = "postpaid";

    public string Name => MethodName;

    public string Protocol => PlanMethod.MethodName;

    public bool SettlesInBooks => true;

    public IReadOnlyList<Offer> Offer(Call call) => [];

    public Answer? Identify(Payment payment) => throw new NotSupportedException("No credential names an account; the cashier claims it.");

    public ValueTask<Answer?> VerifyAsync(Payment payment, CancellationToken ct) => throw new NotSupportedException("No credential names an account; the cashier claims it.");

    public ValueTask<Settlement> SettleAsync(HoldState captured, CancellationToken ct) => ValueTask.FromResult<Settlement>(new Settlement.Settled(captured.Hold.Receipt));
}
