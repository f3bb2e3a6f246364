using Turnpike.Catalog;
using Turnpike.Ledger;

namespace Turnpike.Plans.Grants;

/// <summary>Money a caller, or an organisation, was granted: an account of its own, spent in the burn order until it is used up or expires.</summary>
/// <param name="Caller">Whose it is; an organisation's holder where all its callers spend it.</param>
/// <param name="Id">The owner's own name for it, unique for its caller.</param>
internal sealed record Grant(string Caller, string Id, GrantKind Kind, Money Amount)
{
    public const int UsualPriority = 100, MostPriority = 1000;

    /// <summary>The lower, the sooner it is spent; of equals the one that expires first, then the one that was granted first.</summary>
    public int Priority { get; init; } = UsualPriority;

    public DateTimeOffset? Expires { get; init; }

    /// <summary>It was ordered by its length: sent again, it ends when it ended at first.</summary>
    public bool ByLength { get; init; }

    /// <summary>The owner's own words.</summary>
    public string? Note { get; init; }

    public DateTimeOffset Created { get; init; }

    /// <summary>Whose it is, as the trail names payers.</summary>
    public string Payer => Organisation.IsHolder(Caller) ? Caller : "caller:" + Caller;

    public string Account => $"balance:{Caller}:{Id}";

    /// <summary>Where it came from: the outside world, or the owner's generosity.</summary>
    public string Giver => Kind == GrantKind.Promotional ? "external:promotion" : "external:owner";

    /// <summary>Where what nobody used goes when it expires: a gift back to its giver; what was paid for becomes the owner's.</summary>
    public string Heir => Kind == GrantKind.Promotional ? "external:promotion" : "breakage:balance";

    /// <summary>The same order, sent again.</summary>
    public bool IsAs(Grant order) => (Kind, Amount, Priority, Note) == (order.Kind, order.Amount, order.Priority, order.Note) && (order.ByLength ? Expires is not null : Expires == order.Expires);
}

/// <summary>What a grant is worth.</summary>
internal enum GrantKind
{
    /// <summary>The caller has paid for it.</summary>
    Paid,

    /// <summary>Given away: it buys calls, and is never paid out nor handed on.</summary>
    Promotional,
}

/// <summary>A grant as it stands.</summary>
/// <param name="Left">What can still be spent of it; what calls hold right now is not.</param>
internal sealed record GrantState(Grant Grant, Money Left, Money Held)
{
    /// <summary><c>active</c>, <c>used-up</c> or <c>expired</c>.</summary>
    public string StatusAt(DateTimeOffset now) => Grant.Expires <= now ? "expired" : (Left + Held).IsZero ? "used-up" : "active";
}
