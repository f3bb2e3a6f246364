using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Plans;

namespace Turnpike.Payments.Included;

/// <summary>Caps on what a caller spends: one more leg of every hold of money.</summary>
internal static class CapReached
{
    /// <summary>All legs are held or none, so that no concurrency spends more than a cap allows. What a plan includes is not spent.</summary>
    public static Hold Capped(this Payment payment, Hold hold)
    {
        hold = payment.Line?.Under(hold) ?? hold;
        if (payment.Call.Principal is null || hold.Method == PlanMethod.MethodName || Caps.Of(payment.Call, hold.Ceiling.Currency) is not { Count: > 0 } caps) return hold;
        return hold with
        {
            Legs = [.. hold.Legs, .. caps.Select(cap => new Leg(cap.Name, "used:cap", hold.Ceiling, Limited: true))],
            Raises = [.. hold.Raises, .. caps.Select(Caps.Raise)],
        };
    }

    /// <summary>Waiting helps, paying does not.</summary>
    public static Refusal Of(Call call, HoldResult.InsufficientFunds missing)
    {
        var cap = Caps.Of(call, missing.Available.Currency).First(c => c.Name == missing.Account);
        var limit = cap.Cap.Amount;
        return new Refusal(Reasons.CapReached, $"{limit} per {cap.Cap.Per.Text} may be spent; {missing.Available} is left, and this call costs up to {call.Quote!.Ceiling}.")
        {
            RetryAfter = cap.End - call.Now,
            Limit = new LimitState("cap-" + cap.Cap.Per.Text, limit.Units, limit.Units - missing.Available.Units, cap.End, cap.End - cap.Start, limit.Currency),
        };
    }
}
