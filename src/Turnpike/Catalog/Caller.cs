namespace Turnpike.Catalog;

/// <summary>Somebody the owner knows: a person, an agent, a customer. What it presents to prove that it asks is kept elsewhere.</summary>
/// <param name="Name">Unique; what plans, limits, the trail and the upstream call it.</param>
internal sealed record Caller(string Name)
{
    /// <summary>Whom it belongs to; limits and reports may count by it.</summary>
    public string? Organisation { get; init; }

    /// <summary>For whom it acts, when that is somebody else.</summary>
    public string? OnBehalfOf { get; init; }

    /// <summary>The plan it has bought, by name.</summary>
    public string? Plan { get; init; }

    /// <summary>When that plan ends, and what comes then; null: not by itself.</summary>
    public PlanTerm? Term { get; init; }

    /// <summary>The most it may spend, where that did not come from the file.</summary>
    public IReadOnlyList<Cap> Caps { get; init; } = [];

    public IReadOnlyList<string> Groups { get; init; } = [];

    public IReadOnlyList<string> Roles { get; init; } = [];

    /// <summary>What it may do; operations name the scopes they ask for.</summary>
    public IReadOnlyList<string> Scopes { get; init; } = [];

    /// <summary>The owner's own words about it; nothing is decided by them.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = System.Collections.Frozen.FrozenDictionary<string, string>.Empty;

    /// <summary>The names it signs requests by: an agent's address, <c>wallet:0x…</c>, <c>tap:…</c> or <c>jkt:…</c>.</summary>
    public IReadOnlyList<string> SignsAs { get; init; } = [];

    public CallerStatus Status { get; init; }

    /// <summary>True for what turnpike.yaml names: it is changed there and nowhere else.</summary>
    public bool ManagedByFile { get; init; }

    /// <summary>What other slices own of it.</summary>
    public SettingsBag Settings { get; init; } = SettingsBag.Empty;

    /// <summary>The plan it has at this moment.</summary>
    public string? PlanAt(DateTimeOffset now) => Term is { } term && now >= term.Until + term.Grace ? term.Then : Plan;
}

/// <summary>The end of a trial, or of what was paid for.</summary>
/// <param name="Grace">How much longer the plan is served all the same.</param>
/// <param name="Then">The plan afterwards; null: none.</param>
internal sealed record PlanTerm(DateTimeOffset Until, TimeSpan Grace, string? Then);

/// <summary>Is it served at all?</summary>
internal enum CallerStatus
{
    Active,

    /// <summary>Until it is active again.</summary>
    Suspended,

    /// <summary>For good.</summary>
    Closed,
}
