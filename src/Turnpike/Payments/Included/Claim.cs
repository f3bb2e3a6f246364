using Turnpike.Ledger;
using Turnpike.Plans;

namespace Turnpike.Payments.Included;

/// <summary>
/// What a call takes of its caller's plan: a leg for each allowance that covers it. All are held or none, so that no concurrency
/// takes more than is included.
/// </summary>
/// <param name="account">Where it is written when nothing that is included gives for it; null: nowhere.</param>
internal sealed class Claim(string caller, IReadOnlyList<ClaimedAllowance> parts, OnAccount? account)
{
    public string Caller => caller;

    /// <summary>True when it is to be billed.</summary>
    public bool IsOnAccount { get; private set; } = parts.Count == 0;

    public bool HasAccount => account is not null;

    public OnAccount Account => account!;

    public Money Amount => IsOnAccount ? account!.Amount : parts[0].Amount;

    public string Payer => "caller:" + caller;

    public IReadOnlyList<ClaimedAllowance> Parts => parts;

    /// <summary>The first leg moves what the call comes to; the others one request each.</summary>
    public IReadOnlyList<Leg> Legs => IsOnAccount ? account!.Legs : [.. parts.Select((part, index) => part.Leg(isFixed: index > 0))];

    public IReadOnlyList<Raise> Raises => IsOnAccount ? account!.Raises : [.. parts.Select(part => part.Raise).OfType<Raise>()];

    /// <summary>The whole call is billed instead; false where it cannot be, or is already.</summary>
    public bool TurnToAccount() => account is not null && !IsOnAccount && (IsOnAccount = true);

    /// <summary>The part whose account could not cover its leg.</summary>
    public ClaimedAllowance Short(HoldResult.InsufficientFunds missing) => parts.First(part => part.From == missing.Account && part.Amount.Currency == missing.Available.Currency);
}

/// <summary>One allowance in the period a call falls into, and the account that gives for it.</summary>
internal sealed class ClaimedAllowance(string caller, Allowance allowance, Money amount, (DateTimeOffset Start, DateTimeOffset End) window)
{
    private readonly string own = PlanBook.Account(caller, allowance, window.End);
    private readonly string overage = PlanBook.Overage(caller, allowance, window.End);
    private readonly string grants = PlanBook.Grants(caller);

    public Allowance Allowance => allowance;

    public Money Amount => amount;

    public (DateTimeOffset Start, DateTimeOffset End) Window => window;

    /// <summary>The account of the allowance itself.</summary>
    public string Own => own;

    /// <summary>Who gives: the allowance, else what was granted on top, else the overage.</summary>
    public string From { get; private set; } = PlanBook.Account(caller, allowance, window.End);

    /// <summary>The first hold of a period opens its account with the allowance, in the same transaction.</summary>
    public Raise? Raise => From == own ? new Raise(own, PlanBook.Giver, allowance.Amount)
        : From == overage && allowance.Overage is { } most ? new Raise(overage, PlanBook.Giver, most)
        : null;

    public Leg Leg(bool isFixed) => new(From, "used:" + amount.Currency, amount, Limited: From != overage || allowance.Overage is not null, isFixed);

    /// <summary>Turns to the next account that may give; false when there is none.</summary>
    /// <param name="counted">Overage is counted in units, and not billed by price.</param>
    public bool TakeElsewhere(bool granted, bool counted)
    {
        var next = From == own && granted ? grants : counted && From != overage && allowance.WhenUsedUp == WhenUsedUp.Bill ? overage : null;
        From = next ?? From;
        return next is not null;
    }
}
