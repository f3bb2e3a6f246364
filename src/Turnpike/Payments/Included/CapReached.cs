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
        hold = payment.Line?.Under(hold) ?? hold;
        if (hold.Method == PlanMethod.MethodName || CapsOf(payment, hold.Ceiling.Currency) is not { Count: > 0 } caps) return hold;
        return hold with
        {
            Legs = [.. hold.Legs, .. caps.Select(cap => new Leg(cap.Name, "used:cap", hold.Ceiling, Limited: true))],
            Raises = [.. hold.Raises, .. caps.Select(Caps.Raise)],
        };
    }

    /// <summary>Waiting helps, or nothing but the owner does; paying does not.</summary>
    public static Refusal Of(Payment payment, HoldResult.InsufficientFunds missing) => Of(payment.Call, missing, payment.Ceiling, CapsOf(payment, missing.Available.Currency));

    /// <summary>The same of what a plan pays.</summary>
    public static Refusal Of(Call call, HoldResult.InsufficientFunds missing) => Of(call, missing, call.Quote!.Ceiling, Caps.Of(call, missing.Available.Currency));

    private static Refusal Of(Call call, HoldResult.InsufficientFunds missing, Money ceiling, IReadOnlyList<CapAccount> caps)
    {
        var account = caps.First(c => c.Name == missing.Account);
        var (cap, level) = (account.Cap, Cap.Text(account.Cap.Each));
        var detail = $"The {level} may spend {cap.Amount}{(cap.Per is { } per ? $" per {per.Text}" : " in all")}; {missing.Available} is left, and this call costs up to {ceiling}.";
        if (account.End is not { } end) return new Refusal(Reasons.CapSpent, detail) { Level = level };
        return new Refusal(Reasons.CapReached, detail)
        {
            Level = level,
            RetryAfter = end - call.Now,
            Limit = new LimitState("cap-" + account.Told.Replace('/', '-'), cap.Amount.Units, cap.Amount.Units - missing.Available.Units, end, end - account.Start, cap.Amount.Currency),
        };
    }

    private static IReadOnlyList<CapAccount> CapsOf(Payment payment, string currency) => Caps.Of(payment.Call, currency, payment.Payer, payment.TokenCaps);
}
