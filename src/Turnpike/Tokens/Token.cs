using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Limits;

namespace Turnpike.Tokens;

/// <summary>A prepaid right to spend, as it was issued. What is left of it is in the ledger: this holds only its rules.</summary>
internal sealed record Token
{
    /// <summary>Its calls, counted like money: the account <c>token:&lt;id&gt;</c> in this currency.</summary>
    public const string CallsCurrency = "calls";

    public required string Id { get; init; }

    public required Money Budget { get; init; }

    /// <summary>How many calls it may make; null: as many as the budget pays.</summary>
    public long? Calls { get; init; }

    /// <summary>The most one call may cost.</summary>
    public Money? PerCall { get; init; }

    /// <summary>The operations it opens; empty: all.</summary>
    public IReadOnlyList<string> Operations { get; init; } = [];

    /// <summary>How often it may be used; of a standing grant: exchanged.</summary>
    public RateLimit? Rate { get; init; }

    /// <summary>The most it may spend in a period, and each task of it.</summary>
    public IReadOnlyList<Cap> Caps { get; init; } = [];

    /// <summary>Set for a standing grant, which is exchanged and not spent.</summary>
    public TokenSeries? Series { get; init; }

    /// <summary>The standing grant this token spends of; its own budget is the most it may take of that one.</summary>
    public string? Parent { get; init; }

    /// <summary>Whose it is, as far as that is known: <c>caller:agent</c>, the payer who bought it, the token it descends from.</summary>
    public string? Owner { get; init; }

    /// <summary>How much was ever given away with it.</summary>
    public Money Gift { get; init; }

    /// <summary>What was added to its budget since.</summary>
    public Money Added { get; init; }

    /// <summary>Keys of which one has to sign every request that presents it; empty: whoever has its text may spend it.</summary>
    public IReadOnlyList<string> BoundTo { get; init; } = [];

    public DateTimeOffset? Expires { get; init; }

    public TokenStatus Status { get; init; }

    /// <summary>The owner's own words.</summary>
    public string? Note { get; init; }

    public DateTimeOffset Created { get; init; }

    /// <summary>The token that took its place; null: none did.</summary>
    public string? ReplacedBy { get; init; }

    /// <summary>Its budget. A token that took another's place spends that one's: a lineage is one account.</summary>
    public string Account { get => field ?? AccountOf(Id); init; }

    /// <summary>The account of a lineage, by its first token.</summary>
    public static string AccountOf(string id) => "token:" + id;

    /// <summary>What receipts call the payer.</summary>
    public string Payer => AccountOf(Id);

    /// <summary>Tokens of one lineage are one owner's.</summary>
    public string Lineage => Owner ?? Account;

    /// <summary>True when one of those who signed a request is one it is bound to, or it is bound to nobody.</summary>
    public bool MayBePresentedBy(IReadOnlyList<string> signers) => BoundTo.Count == 0 || signers.Any(s => BoundTo.Contains(s, StringComparer.Ordinal));
}

/// <summary>May it be spent at all?</summary>
internal enum TokenStatus
{
    Active,
    Frozen,
    Revoked,
}

/// <summary>What to issue.</summary>
internal sealed record TokenOrder(Money Budget)
{
    /// <summary>The part of the budget that nobody paid for; null: none of it.</summary>
    public Money? Gift { get; init; }

    public long? Calls { get; init; }

    public Money? PerCall { get; init; }

    public IReadOnlyList<string> Operations { get; init; } = [];

    public RateLimit? Rate { get; init; }

    public IReadOnlyList<Cap> Caps { get; init; } = [];

    public TokenSeries? Series { get; init; }

    public string? Owner { get; init; }

    public IReadOnlyList<string> BoundTo { get; init; } = [];

    public TimeSpan? Valid { get; init; }

    public string? Note { get; init; }

    public string? Correlation { get; init; }
}
