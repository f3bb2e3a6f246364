using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Plans;

namespace Turnpike.Payments.Included;

/// <summary>Caps on what is spent, from the organisation down to the task: one more leg of every hold of money for each.</summary>
internal static class CapReached
{
    /// <summary>All legs are held or none, so that no concurrency spends more than a cap allows, on any level. What a plan includes is not spent.</summary>
    public static Hold Capped(this Payment payment, Hold hold)
    {
        if (hold.Method == PlanMethod.MethodName || Of(payment, hold.Ceiling.Currency) is not { Count: > 0 } caps) return hold;
        return hold with
        {
            Legs = [.. hold.Legs, .. caps.Select(cap => new Leg(cap.Name, "used:cap", hold.Ceiling, Limited: true))],
            Raises = [.. hold.Raises, .. caps.Select(Caps.Raise)],
        };
    }

    /// <summary>Waiting helps, or nothing but the owner does; paying does not.</summary>
    public static Refusal Refuse(Payment payment, HoldResult.InsufficientFunds missing)
    {
        var (call, account) = (payment.Call, Of(payment, missing.Available.Currency).First(c => c.Name == missing.Account));
        var (cap, level) = (account.Cap, Cap.Text(account.Cap.Each));
        var detail = $"The {level} may spend {cap.Amount}{(cap.Per is { } per ? $" per {per.Text}" : " in all")}; {missing.Available} is left, and this call costs up to {payment.Ceiling}.";
        if (account.End is not { } end) return new Refusal(Reasons.CapSpent, detail) { Level = level };
        return new Refusal(Reasons.CapReached, detail)
        {
            Level = level,
            RetryAfter = end - call.Now,
            Limit = new LimitState("cap-" + account.Told.Replace('/', '-'), cap.Amount.Units, cap.Amount.Units - missing.Available.Units, end, end - account.Start, cap.Amount.Currency),
        };
    }

    private static IReadOnlyList<CapAccount> Of(Payment payment, string currency) => Caps.Of(payment.Call, currency, payment.Payer, payment.TokenCaps);
}
