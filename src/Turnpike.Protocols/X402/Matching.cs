using System.Text.Json;

namespace Turnpike.Protocols.X402;

/// <summary>Finds which of our offers a payment means. The client's copy is compared and then forgotten: only ours is used.</summary>
public static class Matching
{
    private const int MaxBuilderCodes = 10;

    /// <summary>Our requirement whose members equal those accepted and whose extra is contained in the accepted one; null when there is none.</summary>
    public static PaymentRequirements? Match(PaymentRequirements accepted, IEnumerable<PaymentRequirements> ours) =>
        ours.FirstOrDefault(own => IsMatch(accepted, own));

    /// <summary>Our v1 requirement of the same scheme and network, which is all a v1 payment says; null when there is none.</summary>
    public static PaymentRequirementsV1? Match(PaymentPayloadV1 payment, IEnumerable<PaymentRequirementsV1> ours) =>
        ours.FirstOrDefault(own => own.Scheme == payment.Scheme && own.Network == payment.Network);

    /// <summary>The name of the first extension whose advertised <c>info</c> the client changed, or null; what the client did not echo or added is no matter here.</summary>
    public static string? FirstBrokenEcho(JsonElement? advertised, JsonElement? echoed)
    {
        if (advertised is not { ValueKind: JsonValueKind.Object } ours || echoed is not { ValueKind: JsonValueKind.Object } theirs) return null;
        foreach (var extension in ours.EnumerateObject())
        {
            if (Info(extension.Value) is not { } info) continue;
            var kept = Guarded(() => !theirs.TryGetProperty(extension.Name, out var copy)
                || (Info(copy) is { } own && EchoContains(extension.Name, info, own)));
            if (!kept) return extension.Name;
        }
        return null;
    }

    private static bool IsMatch(PaymentRequirements accepted, PaymentRequirements own)
    {
        // Base58 is case-sensitive; only hexadecimal is not.
        var addresses = own.Network.StartsWith("eip155:", StringComparison.Ordinal) ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;
        return accepted.Scheme == own.Scheme
            && accepted.Network == own.Network
            && accepted.Amount == own.Amount
            && accepted.MaxTimeoutSeconds == own.MaxTimeoutSeconds
            && accepted.Asset.Equals(own.Asset, addresses)
            && accepted.PayTo.Equals(own.PayTo, addresses)
            && Guarded(() => IsSubset(own.Extra, accepted.Extra));
    }

    private static bool IsSubset(JsonElement? ours, JsonElement? theirs)
    {
        if (ours is not { ValueKind: JsonValueKind.Object } own) return true;
        foreach (var member in own.EnumerateObject())
            if (theirs is not { ValueKind: JsonValueKind.Object } other
                || !other.TryGetProperty(member.Name, out var value)
                || !JsonElement.DeepEquals(member.Value, value)) return false;
        return true;
    }

    private static bool EchoContains(string extension, JsonElement advertised, JsonElement echoed)
    {
        if (advertised.ValueKind != JsonValueKind.Object) return Contains(advertised, echoed);
        if (echoed.ValueKind != JsonValueKind.Object) return false;
        foreach (var member in advertised.EnumerateObject())
        {
            if (IsDynamic(extension, member.Name)) continue;
            if (!echoed.TryGetProperty(member.Name, out var value)) return false;
            var kept = (extension, member.Name) is ("builder-code", "s") ? StartsWith(member.Value, value) : Contains(member.Value, value);
            if (!kept) return false;
        }
        return true;
    }

    private static bool Contains(JsonElement advertised, JsonElement echoed)
    {
        if (advertised.ValueKind != JsonValueKind.Object || echoed.ValueKind != JsonValueKind.Object) return JsonElement.DeepEquals(advertised, echoed);
        foreach (var member in advertised.EnumerateObject())
            if (!echoed.TryGetProperty(member.Name, out var value) || !Contains(member.Value, value)) return false;
        return true;
    }

    private static bool StartsWith(JsonElement advertised, JsonElement echoed)
    {
        if (advertised.ValueKind != JsonValueKind.Array || echoed.ValueKind != JsonValueKind.Array) return JsonElement.DeepEquals(advertised, echoed);
        var (ours, theirs) = (advertised.GetArrayLength(), echoed.GetArrayLength());
        return theirs >= ours
            && theirs - ours <= MaxBuilderCodes
            && advertised.EnumerateArray().Zip(echoed.EnumerateArray(), JsonElement.DeepEquals).All(static same => same);
    }

    // Fresh in every 402, so an honest echo of an earlier one differs.
    private static bool IsDynamic(string extension, string member) => (extension, member) is
        ("sign-in-with-x", "nonce" or "issuedAt" or "expirationTime") or ("offer-receipt", "offers");

    private static JsonElement? Info(JsonElement extension) =>
        extension.ValueKind == JsonValueKind.Object && extension.TryGetProperty("info", out var info) ? info : null;

    /// <summary>An escape that is half a character is found only on comparison, as an exception.</summary>
    private static bool Guarded(Func<bool> comparison)
    {
        try
        {
            return comparison();
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }
}
