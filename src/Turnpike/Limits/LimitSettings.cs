using Turnpike.Catalog;

namespace Turnpike.Limits;

/// <summary>The <c>limits:</c> section: the doors that stand open to strangers.</summary>
internal sealed record LimitSettings
{
    public static readonly RateLimit DefaultUnpaid = new(60, TimeSpan.FromMinutes(1), ["caller", "address"]);
    public static readonly RateLimit DefaultInvalidProofs = new(10, TimeSpan.FromMinutes(1), ["caller", "address"]);
    public static readonly RateLimit DefaultVerifierCalls = new(100, TimeSpan.FromSeconds(1), []);

    /// <summary>How many calls there may be in all, whatever they are.</summary>
    public IReadOnlyList<RateRule>? Calls
    {
        get;
        init => (field, CountUse) = (value, value?.Any(rule => rule.CountsUse) == true);
    }

    public bool CountUse { get; private init; }

    /// <summary>How often terms are handed out.</summary>
    public RateLimit Unpaid { get; init; } = DefaultUnpaid;

    /// <summary>How often a proof may be wrong.</summary>
    public RateLimit InvalidProofs { get; init; } = DefaultInvalidProofs;

    /// <summary>How often an outside verifier (chain node, facilitator, Stripe) is asked.</summary>
    public RateLimit VerifierCalls { get; init; } = DefaultVerifierCalls;
}

/// <summary>So many requests per period, counted by the named parts together; a part that is absent drops out.</summary>
internal sealed record RateLimit(long Amount, TimeSpan Per, IReadOnlyList<string> Key);
