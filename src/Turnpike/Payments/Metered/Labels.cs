using System.Collections.Frozen;
using Turnpike.Catalog;
using Turnpike.Metering;

namespace Turnpike.Payments.Metered;

/// <summary>What is written down of a call beside names, because a meter groups by it: short, printable, and never twice the same header.</summary>
internal static class Labels
{
    private const int Longest = 128;

    public static IReadOnlyDictionary<string, string> Of(Call call)
    {
        if (call.Catalog.Settings.Get<MeterSet>() is not { Labels.Count: > 0 } meters) return FrozenDictionary<string, string>.Empty;
        var labels = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var label in meters.Labels)
            if (ValueOf(call, label) is { Length: > 0 and <= Longest } value && !value.Any(char.IsControl)) labels[label] = value;
        return labels;
    }

    private static string? ValueOf(Call call, string label) => label[(label.IndexOf(':', StringComparison.Ordinal) + 1)..] is var name && label.StartsWith(MeterDefinition.Header, StringComparison.Ordinal) ? call.Headers[name] is [{ } one] ? one : null
        : label.StartsWith(MeterDefinition.Path, StringComparison.Ordinal) ? call.Operation.Path.Capture(call.Catalog.ServiceOf(call.Operation).Below(call.Target.Path), name) is { } part ? Uri.UnescapeDataString(part) : null
        : call.Principal?.Claims.GetValueOrDefault(name);
}
