using Turnpike.Catalog;
using Turnpike.Catalog.Loading;
using Turnpike.Identity;

namespace Turnpike.Admin.Callers;

/// <summary>A caller and its keys, without their texts.</summary>
/// <param name="Managed">By the <c>file</c>, or <c>here</c>.</param>
internal sealed record CallerView(string Name, string Status, string Managed, string? Plan, string? Organisation, string? OnBehalfOf, IReadOnlyList<string> Groups, IReadOnlyList<string> Roles, IReadOnlyList<string> Scopes,
                                  IReadOnlyDictionary<string, string> Metadata, IReadOnlyList<KeyView> Keys, DateTimeOffset? PlanUntil, string? PlanGrace, string? PlanThen, IReadOnlyList<string> Caps,
                                  IReadOnlyList<RateWords> Limits, IReadOnlyList<string> SignsAs)
{
    /// <summary>What it did here; told where one caller is asked for.</summary>
    public CallerReputation? Reputation { get; init; }

    public static CallerView Of(Caller caller, IEnumerable<KeyView> keys) => new(caller.Name, caller.Status.ToString().ToLowerInvariant(), caller.ManagedByFile ? "file" : "here", caller.Plan, caller.Organisation,
        caller.OnBehalfOf, caller.Groups, caller.Roles, caller.Scopes, caller.Metadata, [.. keys],
        caller.Term?.Until, caller.Term is { Grace: var grace } && grace > TimeSpan.Zero ? $"{(long)grace.TotalSeconds}s" : null, caller.Term?.Then,
        [.. (caller.Settings.Get<Plans.Caps>()?.All ?? caller.Caps).Select(c => c.ToString())],
        caller.Settings.Get<RateRules>() is { } limits ? limits.Words ?? [.. limits.All.Select(RateWords.Of)] : [], caller.SignsAs);
}

/// <summary>Callers by name.</summary>
/// <param name="Next">Give it as <c>after</c> for the next page; null at the end.</param>
internal sealed record CallerList(IReadOnlyList<CallerView> Callers, string? Next);

/// <summary>A caller's keys, those of the file first.</summary>
internal sealed record KeyList(IReadOnlyList<KeyView> Keys);

/// <summary>A key. Its text is told once, when it is made, unless it was made to be shown again.</summary>
/// <param name="Key">The text, where it was just made or is shown again.</param>
/// <param name="Hint">Its beginning.</param>
/// <param name="Status"><c>active</c>, <c>expired</c> or <c>revoked</c>.</param>
internal sealed record KeyView(string Id, string Caller, string? Key, string Hint, string Status, IReadOnlyList<string> Scopes, IReadOnlyList<string> Operations, IReadOnlyList<string> Methods, IReadOnlyList<string> Models, IReadOnlyList<string> BoundTo, DateTimeOffset? Expires, DateTimeOffset? Created, bool Retrievable = false)
{
    public static KeyView Of(ApiKey key, DateTimeOffset now, string? text = null) => new(key.Id, key.Caller, text, key.Hint, key.Revoked is not null ? "revoked" : key.Expires <= now ? "expired" : "active",
        key.Rules.Scopes, key.Rules.Operations, key.Rules.Methods, key.Rules.Models, key.Rules.BoundTo, key.Expires, key.Created, key.Sealed is not null);

    public static KeyView Of(Caller caller, FileKey key, DateTimeOffset now) => new(key.Id(caller.Name), caller.Name, null, "in the file", key.Expires <= now ? "expired" : "active",
        key.Rules.Scopes, key.Rules.Operations, key.Rules.Methods, key.Rules.Models, key.Rules.BoundTo, key.Expires, null);
}

/// <summary>What a caller did in the last <paramref name="Days"/> days, as rules and prices count it.</summary>
internal sealed record CallerReputation(int Days, long Paid, long Disputed, long Denied, long Tripped)
{
    public static CallerReputation Of(Reputation known) => new(Reputation.Days, known.Paid, known.Disputed, known.Denied, known.Tripped);
}
