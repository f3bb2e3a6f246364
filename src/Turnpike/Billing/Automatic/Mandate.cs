using Turnpike.Ledger;

namespace Turnpike.Billing.Automatic;

/// <summary>What a buyer agrees to: the bundle that was bought is charged again, without asking, whenever less than so much is left.</summary>
/// <param name="Below">When less than this is left; less than one top-up adds, so that one is always enough.</param>
/// <param name="Monthly">The most it may charge in a calendar month, UTC.</param>
internal sealed record MandateTerms(Money Price, Money Budget, long? Calls, TimeSpan? Valid, Money Below, Money Monthly)
{
    /// <summary>The consent, in the words it is asked and shown in.</summary>
    public string Told => $"{Price} is charged again, without asking, whenever less than {Below} is left of this token{(Calls is null ? "" : " or its calls are used up")}: at most {Monthly} in a calendar month (UTC), until you switch it off.";
}

/// <summary>A consent to automatic top-ups, by one buyer for one token and whatever takes its place.</summary>
/// <param name="Id">Unguessable: whoever has it sees it, and switches it off.</param>
/// <param name="Account">The token's account, which stays when the token is replaced.</param>
/// <param name="Purchase">The order it was agreed with.</param>
internal sealed record Mandate(string Id, string Account, string Purchase, string Operation, MandateTerms Terms)
{
    /// <summary>Whose card it is, at Stripe; null with test money.</summary>
    public string? Customer { get; init; }

    public string? Card { get; init; }

    public MandateStatus Status { get; init; }

    /// <summary>Why it is paused or has ended.</summary>
    public string? Why { get; init; }

    /// <summary>The order that is being charged; null: none.</summary>
    public string? Pending { get; init; }

    /// <summary>When the order that is being charged was first sent; null: not yet, so ending it charges nothing.</summary>
    public DateTimeOffset? Sent { get; init; }

    public long Tries { get; init; }

    /// <summary>When it is to be looked at next, and whose turn that is: the row is changed by one node.</summary>
    public DateTimeOffset Due { get; init; }

    public DateTimeOffset Created { get; init; }

    /// <summary>The first token of the account's lineage: orders are on it.</summary>
    public string Token => Account["token:".Length..];
}

/// <summary>How far a consent goes. Asked: its purchase is not paid yet. Ended is final.</summary>
internal enum MandateStatus
{
    Asked,
    Active,
    Paused,
    Ended,
}
