using Turnpike.Catalog;

namespace Turnpike.Identity;

/// <summary>Who asks. A key that is presented is checked even where none is needed: a bad one is 401, never ignored.</summary>
internal sealed class CallerDirectory
{
    private static readonly string[] KeyHeaders = ["apikey", "x-api-key", "x-goog-api-key"];

    public ValueTask<Answer?> IdentifyAsync(Call call, CancellationToken ct)
    {
        if (call.Operation.Identity == IdentityRule.Upstream) return default;
        if (Presented(call) is not null) return new(new Refusal(Reasons.UnknownKey, "No caller of this gateway has the key you present."));
        return call.Operation.Identity == IdentityRule.Required ? new(new Refusal(Reasons.IdentityRequired, "Present the key you were given.")) : default;
    }

    /// <summary>The key this call presents, if any; a prepaid token (<c>tp_…</c>) and payment schemes are not keys.</summary>
    private static string? Presented(Call call)
    {
        foreach (var name in KeyHeaders)
            if (call.Headers[name] is { Count: > 0 } values) return values.ToString();
        foreach (var value in call.Headers.Authorization)
        {
            if (value is null || !value.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase)) continue;
            if (!value.AsSpan(7).TrimStart().StartsWith("tp_", StringComparison.Ordinal)) return value[7..];
        }
        return null;
    }
}
