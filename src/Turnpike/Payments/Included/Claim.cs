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

    /// <summary>What is measured moves what the call comes to; requests move by one each.</summary>
    public IReadOnlyList<Leg> Legs => IsOnAccount ? account!.Legs : [.. parts.Where(Gives).Select(part => part.Leg(isFixed: part.Amount.Currency != parts[0].Amount.Currency))];

    public IReadOnlyList<Raise> Raises => IsOnAccount ? account!.Raises : [.. parts.Select(part => part.Raise).OfType<Raise>()];

    /// <summary>How each allowance stands after what was held or taken of it; one that no longer covered the call, as that was found.</summary>
    public IReadOnlyList<Policy> Told(HoldState state, DateTimeOffset now)
    {
        if (IsOnAccount) return [];
        List<Policy> told = [];
        var leg = 0;
        foreach (var part in parts)
        {
            var account = Gives(part) && leg++ is var at && at < state.Accounts.Count ? state.Accounts[at] : null;
            var (limit, left) = part.Exhausted is { } rest ? (part.Allowance.Amount.Units, rest.Units) : account is null ? (0, 0) : (account.Raised.Units, account.Available.Units);
            if (limit > 0) told.Add(new Policy(part.Allowance.Feature, part.Allowance.Amount with { Units = limit }, part.Window.End - part.Window.Start, left, part.Window.End - now));
        }
        return told;
    }

    /// <summary>The whole call is billed instead; false where it cannot be, or is already.</summary>
    public bool TurnToAccount() => account is not null && !IsOnAccount && (IsOnAccount = true);

    /// <summary>
    /// Asks for what is left instead of the most the call can be; false when that is less than <paramref name="least"/>. All parts of a
    /// unit move the same, so they are lowered together.
    /// </summary>
    /// <param name="granted">What was granted on top.</param>
    public bool TryLower(HoldResult.InsufficientFunds missing, Money granted, Money least)
    {
        if (missing.Available.Currency != least.Currency || Amount.Currency != least.Currency) return false;
        if (IsOnAccount) return account!.TryLower(missing.Available, least);
        if (Short(missing).Turn(missing.Available, granted) is var most && (most < least || most >= Amount)) return false;
        foreach (var part in parts)
            if (part.Amount.Currency == most.Currency) part.Amount = most;
        return true;
    }

    // What was granted on top is one account, whichever allowances it stands in for: it gives once for a call.
    private bool Gives(ClaimedAllowance part) => parts.First(other => other.From == part.From && other.Amount.Currency == part.Amount.Currency) == part;

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

    /// <summary>How much this call may come to.</summary>
    public Money Amount { get; set; } = amount;

    public (DateTimeOffset Start, DateTimeOffset End) Window => window;

    /// <summary>The account of the allowance itself.</summary>
    public string Own => own;

    /// <summary>Who gives: the allowance, else what was granted on top, else the overage.</summary>
    public string From { get; private set; } = PlanBook.Account(caller, allowance, window.End);

    /// <summary>The first hold of a period opens its account with the allowance, in the same transaction.</summary>
    public Raise? Raise => From == own ? new Raise(own, PlanBook.Giver, allowance.Amount)
        : From == overage && allowance.Overage is { } most ? new Raise(overage, PlanBook.Giver, most)
        : null;

    public Leg Leg(bool isFixed) => new(From, "used:" + Amount.Currency, Amount, Limited: From != overage || allowance.Overage is not null, isFixed);

    /// <summary>What the allowance itself had left when it did not cover this call; null: it does.</summary>
    public Money? Exhausted { get; private set; }

    /// <summary>Turns to the next account that may give; false when there is none.</summary>
    /// <param name="left">What the present one has.</param>
    /// <param name="granted">What was granted on top.</param>
    /// <param name="counted">Overage is counted in units, and not billed by price.</param>
    public bool TakeElsewhere(Money left, Money granted, bool counted)
    {
        if (From == own) Exhausted = left;
        var next = From == own && granted.Units >= Amount.Units ? grants : counted && From != overage && allowance.WhenUsedUp == WhenUsedUp.Bill ? overage : null;
        From = next ?? From;
        return next is not null;
    }

    /// <summary>Turns to whoever has most left, the allowance first; tells how much that is.</summary>
    public Money Turn(Money left, Money granted)
    {
        var rest = Exhausted ?? left;
        if (granted > left && granted > rest)
        {
            From = grants;
            return granted;
        }
        if (rest < left) return left;
        (From, Exhausted) = (own, null);
        return rest;
    }
}
