using System.Text.Json;
using Turnpike.Protocols.Http;

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

    /// <summary>What has to come about for the money to stay.</summary>
    public ChargeRule ChargeOn { get; init; } = ChargeRule.Success;

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

/// <summary>What is sold: the moment from which a price is owed for good. What was collected before it and does not come about goes back.</summary>
/// <param name="Outcome">With <see cref="ChargeMoment.Outcome"/>: where the answer says how it went.</param>
/// <param name="Is">What it says there when it went well.</param>
internal sealed record ChargeRule(ChargeMoment On, JsonPath? Outcome = null, IReadOnlyList<string>? Is = null)
{
    public static readonly ChargeRule Success = new(ChargeMoment.Success);

    /// <summary>True where one place, or each of several, says one of the words: a text, a number or a truth value as it is written.</summary>
    public bool IsMet(JsonElement answer)
    {
        var said = Outcome!.Select(answer).ToList();
        return said.Count > 0 && said.TrueForAll(each => (each.ValueKind == JsonValueKind.String ? each.GetString() : each.GetRawText()) is { } word && Is!.Contains(word, StringComparer.Ordinal));
    }

    /// <summary>As <c>check</c> and a 402 tell it.</summary>
    public string Told => On switch
    {
        ChargeMoment.FirstByte => "first-byte",
        _ => On.ToString().ToLowerInvariant(),
    };
}

/// <summary>When a call counts as consumed.</summary>
internal enum ChargeMoment
{
    /// <summary>A 2xx answer passed to its end, or until its caller left.</summary>
    Success,

    /// <summary>The upstream has answered, whatever its status.</summary>
    Accepted,

    /// <summary>The first byte of a 2xx answer left, whether the rest followed or not.</summary>
    FirstByte,

    /// <summary>A 2xx answer passed to its end, and its caller was there.</summary>
    Complete,

    /// <summary>A 2xx answer says that what was asked for came about.</summary>
    Outcome,
}

/// <summary>When a fixed price is collected.</summary>
internal enum SettleMoment
{
    /// <summary>When the upstream answered 2xx, before the first byte leaves.</summary>
    After,

    /// <summary>Before forwarding: for costly upstreams.</summary>
    Before,
}
