namespace Turnpike.Catalog;

/// <summary>One priced thing a service sells.</summary>
internal sealed record Operation
{
    /// <summary>The <see cref="Method"/> of an operation that sells every method (but OPTIONS, which browsers ask us, and CONNECT and TRACE, which go nowhere).</summary>
    public const string AnyMethod = "*";

    /// <summary>The service's name, a dot is never part of it.</summary>
    public required string Service { get; init; }

    /// <summary>Unique in the document.</summary>
    public required string Name { get; init; }

    /// <summary>The HTTP method, exact case. GET also takes HEAD, at the same price. Or <see cref="AnyMethod"/>.</summary>
    public required string Method { get; init; }

    /// <summary>The path pattern as written, below host and prefix: <c>/forecast/{city}</c>, <c>/files/{**rest}</c>.</summary>
    public required PathPattern Path { get; init; }

    public string? Description { get; init; }

    /// <summary>For headers: all challenges together have to stay under what clients and proxies take (16 KB), in any script.</summary>
    public string? ShortDescription => Description is { Length: > 300 } ? Description[..300] : Description;

    /// <summary>Must the caller say who it is?</summary>
    public IdentityRule Identity { get; init; } = IdentityRule.Optional;

    /// <summary>Protocols or methods in order of preference; empty: everything configured.</summary>
    public IReadOnlyList<string> Accept { get; init; } = [];

    public SettleMoment Settle { get; init; } = SettleMoment.After;

    /// <summary>What other slices own of it: its price above all.</summary>
    public SettingsBag Settings { get; init; } = SettingsBag.Empty;
}

/// <summary>Must, may, or must the upstream check who calls?</summary>
internal enum IdentityRule
{
    Optional,
    Required,
    Upstream,
}

/// <summary>When a fixed price is collected.</summary>
internal enum SettleMoment
{
    /// <summary>When the upstream answered 2xx, before the first byte leaves.</summary>
    After,

    /// <summary>Before forwarding: for costly upstreams.</summary>
    Before,
}
