using Turnpike.Catalog.Loading;
using Turnpike.Ledger;

namespace Turnpike.Catalog;

/// <summary>How much may be taken in how long: <c>100 requests per 1m</c>, <c>60000 total_tokens per 1m</c>, <c>0.50 USD per 1m</c>, or so many at once.</summary>
/// <param name="Id">Where it stands: <c>plans.pro.limits/requests-60s</c>. A changed document keeps counting under the same one.</param>
/// <param name="Name">What headers and refusals call it: as it was named, or made of what it says.</param>
/// <param name="Per">Null: at once.</param>
internal sealed record RateRule(string Id, string Name, Money Amount, TimeSpan? Per)
{
    public const string Requests = "requests";

    public RateCount Count { get; init; } = RateCount.TokenBucket;

    /// <summary>Token bucket: how much may come at once; null: the amount.</summary>
    public Money? Burst { get; init; }

    /// <summary>What a call is taken for until it is over, where nothing bounds it; null: one.</summary>
    public Money? Reserve { get; init; }

    /// <summary>Who is counted together: one key made of all parts; a part that is absent drops out.</summary>
    public IReadOnlyList<string> Key
    {
        get;
        init => (field, ByPayer) = (value, value.Contains("payer", StringComparer.Ordinal) || value.Contains("rail", StringComparer.Ordinal));
    } = [];

    /// <summary>It counts what calls use, which has to be read for it: tokens, bytes, whatever their operations tell.</summary>
    public bool CountsUse => Amount.Currency != Requests && !Money.IsMoney(Amount.Currency);

    /// <summary>Who pays, and how, is known only when the payment is verified: counted then, and not at all where nobody pays.</summary>
    public bool ByPayer { get; private init; }

    /// <summary>For which calls it counts; null: for all.</summary>
    public RateCondition? For { get; init; }

    /// <summary>How long a call may be kept waiting instead of being refused.</summary>
    public TimeSpan Wait { get; init; }

    /// <summary>Only delivered answers count; what was refused or failed is given back.</summary>
    public bool OnlySuccess { get; init; }

    /// <summary>What holds while this node does not hear what the others take.</summary>
    public OnStoreFailure OnStoreFailure { get; init; }

    /// <summary>Nothing is refused: what would have been is audited.</summary>
    public bool Shadow { get; init; }
}

/// <summary>
/// For which calls a limit counts, by what is known of the caller and not by what it says of itself; what is not written holds for all.
/// </summary>
internal sealed record RateCondition
{
    public IReadOnlyList<Assurance> Assurance { get; init; } = [];

    public IReadOnlyList<string> Groups { get; init; } = [];

    /// <summary>The models requests ask for: what is read from the body decides, and is forwarded.</summary>
    public IReadOnlyList<string> Models { get; init; } = [];

    /// <summary>All of them; the owner's words, which no request changes.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Metadata { get; init; } = [];

    public bool Holds(Call call)
    {
        var principal = call.Principal;
        if (Assurance.Count > 0 && !Assurance.Contains(principal?.Assurance ?? Catalog.Assurance.Anonymous)) return false;
        if (Groups.Count > 0 && (principal is null || !Groups.Any(principal.Caller.Groups.Contains))) return false;
        if (Models.Count > 0 && (call.Metered?.Asked is not { } model || !Models.Contains(model))) return false;
        foreach (var (name, word) in Metadata)
            if (principal is null || !principal.Caller.Metadata.TryGetValue(name, out var said) || said != word) return false;
        return true;
    }
}

/// <summary>The limits of one place of the document; all of them hold, beside those of the places around it.</summary>
internal sealed record RateRules(IReadOnlyList<RateRule> All)
{
    public bool CountUse { get; } = All.Any(rule => rule.CountsUse);

    /// <summary>As they were given, where they did not come from the file.</summary>
    public IReadOnlyList<RateWords>? Words { get; init; }
}

/// <summary>The <c>weight:</c> of an operation: for how many requests one call of it counts in limits.</summary>
internal sealed record CallWeight(long Requests);

/// <summary>What becomes of a limit that several nodes count together, when they cannot hear each other.</summary>
internal enum OnStoreFailure
{
    /// <summary>Each node counts for itself.</summary>
    Local,

    /// <summary>Nothing passes.</summary>
    Deny,

    /// <summary>Everything passes.</summary>
    Allow,
}

/// <summary>How a rate is counted.</summary>
internal enum RateCount
{
    /// <summary>It refills steadily (GCRA).</summary>
    TokenBucket,

    /// <summary>Windows end on the clock; each begins at nothing.</summary>
    FixedWindow,

    /// <summary>This window and what is left of the one before, by its share.</summary>
    SlidingWindow,

    /// <summary>Each one by its moment, for few: exact, where a client that asks at just the rate that is allowed must pass.</summary>
    Each,
}
