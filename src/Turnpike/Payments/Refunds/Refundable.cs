using Turnpike.Ledger;

namespace Turnpike.Payments.Refunds;

/// <summary>
/// What may still be given back of a payment: an account of its own, opened once with what was captured. It is kept in a unit beside
/// the money (<c>nano-USD</c>), so that it counts and does not add to what the books are worth.
/// </summary>
internal static class Refundable
{
    public static string Account(HoldState payment) => $"refundable:{payment.Hold.Receipt}";

    public static Transfer Opening(HoldState payment) =>
        new(Account(payment), "allowance:refunds", Account(payment), Unit(payment.Captured), "refundable", LimitedFrom: false, LimitedTo: true) { Correlation = payment.Hold.Correlation };

    /// <summary>An account that keeps a balance from now on, without a movement.</summary>
    public static Transfer Opened(string account, string currency) =>
        new($"opened:{account}:{currency}", "allowance:opened", account, Money.Zero(currency), "open", LimitedFrom: false, LimitedTo: true);

    public static Leg Leg(HoldState payment, Money amount) => new(Account(payment), "used:refunds", Unit(amount), Limited: true, Fixed: true);

    public static async ValueTask<Money> LeftAsync(ILedger ledger, HoldState payment, CancellationToken ct) =>
        payment.Captured with { Units = (await ledger.AvailableAsync(Account(payment), Unit(payment.Captured).Currency, ct)).Units };

    /// <summary>True when any of it has been given back, or is on its way.</summary>
    public static async ValueTask<bool> BegunAsync(ILedger ledger, HoldState payment, CancellationToken ct) =>
        await ledger.AccountAsync(Account(payment), Unit(payment.Captured).Currency, ct) is not null && await LeftAsync(ledger, payment, ct) < payment.Captured;

    private static Money Unit(Money amount) => amount with { Currency = "nano-" + amount.Currency };
}
