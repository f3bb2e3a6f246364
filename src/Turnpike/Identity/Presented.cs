using Turnpike.Catalog;

namespace Turnpike.Identity;

/// <summary>The one bearer credential of a request, read once: a key header or <c>Authorization</c>. Payments (<c>Payment …</c>, <c>tp_…</c> wherever a key may stand) are none.</summary>
/// <param name="Text">The credential, or null.</param>
/// <param name="InAuthorization">True when it came there.</param>
/// <param name="Bound">True for the scheme DPoP: it counts only with a proof.</param>
/// <param name="Several">True when two different ones were presented: nobody can say which was meant.</param>
internal readonly record struct Presented(string? Text, bool InAuthorization, bool Bound, bool Several)
{
    private static readonly string[] KeyHeaders = ["apikey", "x-api-key", "x-goog-api-key"], WithKya = [.. KeyHeaders, OAuth.KyaClaims.Header];

    public static Presented Read(Call call)
    {
        var found = default(Presented);
        foreach (var name in call.Catalog.Settings.Get<IdentitySettings>() is { TakesKya: true } ? WithKya : KeyHeaders)
            foreach (var value in call.Headers[name])
                if (!IsToken(value)) found = found.And(value ?? "", false, false);
        foreach (var value in call.Headers.Authorization)
        {
            if (After(value, "Bearer ") is { } bearer && !IsToken(bearer)) found = found.And(bearer, true, false);
            else if (After(value, "DPoP ") is { } bound && !IsToken(bound)) found = found.And(bound, true, true);
        }
        return found;
    }

    /// <summary>The prepaid token beside which a proof may stand: a payment, but one that may be bound to a key.</summary>
    public static string? Prepaid(Call call)
    {
        foreach (var value in call.Headers.Authorization)
            if ((After(value, "Bearer ") ?? After(value, "DPoP ")) is { } token && IsToken(token)) return token;
        foreach (var name in KeyHeaders)
            foreach (var value in call.Headers[name])
                if (IsToken(value)) return value!.Trim(' ');
        return null;
    }

    private Presented And(string text, bool inAuthorization, bool bound) =>
        new(Text ?? text, InAuthorization || inAuthorization, Bound || bound, Several || Text is not null && Text != text);

    private static bool IsToken(string? text) => text is not null && text.AsSpan().TrimStart(' ').StartsWith("tp_", StringComparison.Ordinal);

    private static string? After(string? value, string scheme) =>
        value is not null && value.StartsWith(scheme, StringComparison.OrdinalIgnoreCase) ? value[scheme.Length..].Trim(' ') : null;
}
