using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Turnpike.Protocols.Http;

namespace Turnpike.Billing;

/// <summary>The part of a webhook's event that is used here. Amounts are in the currency's minor unit.</summary>
internal sealed record StripeEvent(string Id, string Type)
{
    /// <summary>The session it is about.</summary>
    public string? Session { get; init; }

    /// <summary>The invoice it is about.</summary>
    public string? Invoice { get; init; }

    /// <summary>The dispute it is about, why it was opened, and until when evidence is taken.</summary>
    public string? Dispute { get; init; }

    public string? Reason { get; init; }

    public DateTimeOffset? Due { get; init; }

    public string? Currency { get; init; }

    /// <summary>The payment it is about.</summary>
    public string? Intent { get; init; }

    /// <summary>The connected account it happened on.</summary>
    public string? Account { get; init; }

    /// <summary>What was given back in all, or is disputed.</summary>
    public long? Amount { get; init; }

    /// <summary>The dispute's outcome, <c>won</c> or <c>lost</c>.</summary>
    public string? Status { get; init; }

    /// <summary>Null for what is no event.</summary>
    public static StripeEvent? Parse(ReadOnlySpan<byte> body)
    {
        if (StrictJson.Parse(body) is not { ValueKind: JsonValueKind.Object } json || Text(json, "id") is not { } id || Text(json, "type") is not { } type) return null;
        if (!json.TryGetProperty("data", out var data) || data.ValueKind != JsonValueKind.Object || !data.TryGetProperty("object", out var about) || about.ValueKind != JsonValueKind.Object) return null;
        return new StripeEvent(id, type)
        {
            Session = Text(about, "object") == "checkout.session" ? Text(about, "id") : null,
            Invoice = Text(about, "object") == "invoice" ? Text(about, "id") : null,
            Dispute = Text(about, "object") == "dispute" ? Text(about, "id") : null,
            Reason = Text(about, "reason"),
            Due = about.TryGetProperty("evidence_details", out var details) && details.ValueKind == JsonValueKind.Object && Number(details, "due_by") is { } due and >= 0 and <= 253_402_300_799 ? DateTimeOffset.FromUnixTimeSeconds(due) : null,
            Currency = Text(about, "currency"),
            Intent = Text(about, "payment_intent"),
            Account = Text(json, "account"),
            Amount = Number(about, type.StartsWith("charge.dispute.", StringComparison.Ordinal) ? "amount" : "amount_refunded"),
            Status = Text(about, "status"),
        };
    }

    private static string? Text(JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static long? Number(JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number : null;
}

/// <summary>
/// <c>Stripe-Signature: t=…,v1=…</c> (docs.stripe.com/webhooks, "Verify manually"): HMAC-SHA256 over time, a dot and the body as
/// it came. Old ones are refused, so that a recorded delivery cannot be played again later.
/// </summary>
internal static class StripeSignature
{
    private static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(5);

    public static bool Holds(string header, ReadOnlySpan<byte> body, IEnumerable<string> secrets, DateTimeOffset now)
    {
        var parts = header.Split(',', StringSplitOptions.TrimEntries);
        if (parts.FirstOrDefault(p => p.StartsWith("t=", StringComparison.Ordinal)) is not { } t) return false;
        if (!long.TryParse(t.AsSpan(2), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) || seconds > 253_402_300_799) return false;
        if ((now - DateTimeOffset.FromUnixTimeSeconds(seconds)).Duration() > Tolerance) return false;
        byte[] signed = [.. Encoding.ASCII.GetBytes(t[2..] + "."), .. body];
        var presented = parts.Where(p => p.StartsWith("v1=", StringComparison.Ordinal)).Select(p => Encoding.ASCII.GetBytes(p[3..])).ToList();
        return secrets.Select(s => Encoding.ASCII.GetBytes(Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(s), signed))))
            .Any(expected => presented.Any(one => CryptographicOperations.FixedTimeEquals(expected, one)));
    }
}
