using Turnpike.Catalog;
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

    /// <summary>How each allowance stands after what was held or taken of it; one that no longer covered the call, as that was found.</summary>
    public IReadOnlyList<Policy> Told(HoldState state, DateTimeOffset now)
    {
        if (IsOnAccount) return [];
        List<Policy> told = [];
        for (var i = 0; i < parts.Count; i++)
        {
            var (part, account) = (parts[i], i < state.Accounts.Count ? state.Accounts[i] : null);
            var (limit, left) = part.Exhausted is { } rest ? (part.Allowance.Amount.Units, rest.Units) : account is null ? (0, 0) : (account.Raised.Units, account.Available.Units);
            if (limit > 0) told.Add(new Policy(part.Allowance.Feature, part.Allowance.Amount with { Units = limit }, part.Window.End - part.Window.Start, left, part.Window.End - now));
        }
        return told;
    }

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

    /// <summary>What the allowance itself had left when it did not cover this call; null: it does.</summary>
    public Money? Exhausted { get; private set; }

    /// <summary>Turns to the next account that may give; false when there is none.</summary>
    /// <param name="left">What the present one has.</param>
    /// <param name="counted">Overage is counted in units, and not billed by price.</param>
    public bool TakeElsewhere(Money left, bool granted, bool counted)
    {
        if (From == own) Exhausted = left;
        var next = From == own && granted ? grants : counted && From != overage && allowance.WhenUsedUp == WhenUsedUp.Bill ? overage : null;
        From = next ?? From;
        return next is not null;
    }
}
