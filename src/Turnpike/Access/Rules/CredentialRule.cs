using System.Text.Json;
using Turnpike.Catalog;
using Turnpike.Pricing;
using Turnpike.Protocols.Http;

namespace Turnpike.Access.Rules;

/// <summary>Where a key may be used: its operations, methods and models.</summary>
internal sealed class CredentialRule : IAccessRule
{
    public bool IsOfRights => true;

    public ValueTask<Answer?> CheckAsync(Call call, CancellationToken ct)
    {
        if (call.Principal is not { } principal || ReferenceEquals(principal.Rules, CredentialRules.None)) return default;
        var rules = principal.Rules;
        if (rules.SpendsNothing && call.Operation.Settings.Get<PriceModel>() is not null) return new(No("It was found in public, and nothing may be spent by it: ask for a new one."));
        if (rules.Operations.Count > 0 && !rules.Operations.Contains(call.Operation.Name, StringComparer.Ordinal)) return new(No($"It does not open '{call.Operation.Name}'."));
        if (rules.Methods.Count > 0 && !rules.Methods.Contains(call.Method, StringComparer.Ordinal)) return new(No($"It may not be used with {call.Method}."));
        return rules.Models.Count > 0 ? ModelAsync(call, rules, ct) : default;
    }

    /// <summary>A request that names no model, or two, names none that is allowed: the upstream would choose.</summary>
    private static async ValueTask<Answer?> ModelAsync(Call call, CredentialRules rules, CancellationToken ct)
    {
        var body = call.ReadBody is null ? default : await call.ReadBody(ct);
        var model = StrictJson.Parse(body.Span) is { ValueKind: JsonValueKind.Object } request && request.TryGetProperty("model", out var named) && named.ValueKind == JsonValueKind.String ? named.GetString() : null;
        return model is not null && rules.Models.Contains(model, StringComparer.Ordinal) ? null : No(model is null ? "It opens some models only, and the request names none." : "It does not open the model the request names.");
    }

    private static Refusal No(string detail) => new(Reasons.CredentialRestricted, detail);
}
