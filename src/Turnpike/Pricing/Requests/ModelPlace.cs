using Turnpike.Catalog;
using Turnpike.Metering;
using Turnpike.Metering.Reading;

namespace Turnpike.Pricing.Requests;

/// <summary>Where a request names its model: a member of its body (or a field of its form), or a part of its path.</summary>
/// <param name="Body">Names of members from the body's top; empty where the path tells.</param>
/// <param name="Segment">The name of a part of the operation's path; null where the body tells.</param>
internal sealed record ModelPlace(IReadOnlyList<string> Body, string? Segment)
{
    private const string InPath = "path:";

    /// <summary>Null for what is no place: members alone (<c>$.model</c>), or <c>path:name</c>.</summary>
    public static ModelPlace? Parse(string text) =>
        text.StartsWith(InPath, StringComparison.Ordinal) ? text.Length > InPath.Length ? new([], text[InPath.Length..]) : null
        : text.IndexOfAny(['[', ']']) < 0 && PathNode.Check(text) is null && text.Length > 2 ? new(text[2..].Split('.'), null) : null;

    /// <summary>The model as the path has it; null where the body tells, or there is none.</summary>
    public string? In(Call call, UsageSettings usage) =>
        Segment is not null && call.Operation.Path.Capture(call.Catalog.ServiceOf(call.Operation).Below(call.Target.Path), Segment) is { } found ? usage.Format.ModelIn(Uri.UnescapeDataString(found)) : null;
}
