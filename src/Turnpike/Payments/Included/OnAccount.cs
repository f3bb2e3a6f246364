using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Plans;

namespace Turnpike.Payments.Included;

/// <summary>
/// A call written on its caller's account of a period. What it comes to is revenue when it is delivered, and owed until an invoice
/// is paid; the period's limit is a leg of its own, so that no concurrency goes beyond it.
/// </summary>
internal sealed class OnAccount
{
    private readonly string caller;
    private readonly string operation;
    private readonly Postpaid terms;
    private readonly (DateTimeOffset Start, DateTimeOffset End) period;

    private OnAccount(string caller, string operation, Money amount, Postpaid terms, DateTimeOffset now)
    {
        (this.caller, this.operation, this.terms, Amount) = (caller, operation, terms, amount);
        period = terms.Per.At(now);
    }

    public Money Amount { get; private set; }

    public IReadOnlyList<Leg> Legs
    {
        get
        {
            var owed = new Leg(Postpaid.Account(caller, period.End), $"revenue:{operation}", Amount, Limited: false);
            return terms.Limit is null ? [owed] : [owed, new Leg(Postpaid.Line(caller, period.End), "used:line", Amount, Limited: true)];
        }
    }

    public IReadOnlyList<Raise> Raises => terms.Limit is { } limit ? [new Raise(Postpaid.Line(caller, period.End), PlanBook.Giver, limit)] : [];

    /// <summary>Null where the plan takes nothing of that currency on account.</summary>
    public static OnAccount? Of(Call call, string caller, Plan plan) =>
        plan.Postpaid is { } terms && call.Quote is { Ceiling: var amount } && (terms.Limit is null || terms.Limit.Value.Currency == amount.Currency)
            ? new OnAccount(caller, call.Operation.Name, amount, terms, call.Now) : null;

    /// <summary>Writes down less: what the line or a cap leaves, when that is enough for the request.</summary>
    public bool TryLower(Money left, Money least)
    {
        if (left < least || left >= Amount) return false;
        Amount = left;
        return true;
    }

    /// <summary>Paying another way helps, and so does waiting.</summary>
    public Refusal LineReached(Call call, HoldResult.InsufficientFunds missing)
    {
        var limit = terms.Limit!.Value;
        return new Refusal(Reasons.CreditLineReached, $"{limit} per {terms.Per.Text} are taken on account; {missing.Available} is left, and this call costs up to {call.Quote!.Ceiling}.")
        {
            Limit = new LimitState("account/" + terms.Per.Text, limit.Units, limit.Units - missing.Available.Units, period.End, period.End - period.Start, limit.Currency),
        };
    }
}
