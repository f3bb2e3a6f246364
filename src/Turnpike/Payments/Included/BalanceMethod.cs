using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Payments.Prepaid;
using Turnpike.Plans.Grants;

namespace Turnpike.Payments.Included;

/// <summary>
/// Pays with the money a caller, or its organisation, was granted, in the burn order: by legs of one hold, so that no concurrency spends more than there is,
/// and what is given back returns to the grants it came from. Nothing is presented for it but the caller's own proof of who it is.
/// </summary>
internal sealed class BalanceMethod(GrantDesk grants) : IPaymentMethod
{
    public const string MethodName = "balance";

    private static readonly SendAs Send = new("Authorization", "Bearer <the key of a caller with a balance>");

    public string Name => MethodName;

    public string Protocol => MethodName;

    public bool SettlesInBooks => true;

    public IReadOnlyList<Offer> Offer(Call call) => !IsTaken(call) ? [] : [new Offer(Protocol, Name, null, call.Quote!.Ceiling.ToDecimal(), call.Quote.Ceiling.Currency, null, Send, null)];

    /// <summary>True when this caller, or its organisation, has, or had, a balance: then it pays, or is told that it does not suffice.</summary>
    public async ValueTask<bool> PresentAsync(Payment payment, CancellationToken ct)
    {
        var call = payment.Call;
        if (call.Caller is not { } caller || !IsTaken(call) || await grants.SourcesAsync(call, payment.Ceiling.Currency, ct) is not { } sources) return false;
        (payment.Credential, payment.Method, payment.Payer) = (BalanceCredential.Instance, this, "caller:" + caller);
        payment.Sources = sources;
        payment.Legs = [new Leg(payment.Sources is [var first, ..] ? first : $"balance:{caller}", $"revenue:{call.Operation.Name}", payment.Ceiling, Limited: true)];
        return true;
    }

    public Answer? Identify(Payment payment)
    {
        var refused = IdempotencyKey.Read(payment.Call, payment.Payer!, out var hold);
        payment.HoldId = hold;
        return refused;
    }

    public ValueTask<Answer?> VerifyAsync(Payment payment, CancellationToken ct) => throw new NotSupportedException("No credential names a balance; the cashier looks for one.");

    public ValueTask<Settlement> SettleAsync(HoldState captured, CancellationToken ct) => ValueTask.FromResult<Settlement>(new Settlement.Settled(captured.Hold.Receipt));

    public Refusal TooLittle(HoldResult.InsufficientFunds missing) => new(Reasons.BalanceExhausted, $"{missing.Available} is left of your balance.");

    public Money? Remaining(Payment payment) => payment.Remaining;

    private static bool IsTaken(Call call) => call.Catalog.Settings.Get<PaymentSettings>() is { Balance: true };
}

/// <summary>The credential of a balance: the caller's own proof of who it is, checked before.</summary>
internal sealed record BalanceCredential() : Credential(BalanceMethod.MethodName)
{
    public static readonly BalanceCredential Instance = new() { Digest = "", Method = BalanceMethod.MethodName };
}
