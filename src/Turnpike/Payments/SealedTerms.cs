using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Pricing;
using Turnpike.Protocols.Signing;

namespace Turnpike.Payments;

/// <summary>
/// The terms a challenge was given for. Nothing of an unpaid call is stored: the payer carries its terms, sealed, and the seal
/// says that they are ours. They bind the payment to operation, method, target, body and caller, because no rail signs those, and to
/// what is sold: a call, or a session and its length.
/// </summary>
internal sealed record SealedTerms
{
    public required string Operation { get; init; }

    public required string PriceVersion { get; init; }

    public required Money Amount { get; init; }

    public required string Correlation { get; init; }

    public required string Nonce { get; init; }

    public required DateTimeOffset Expires { get; init; }

    public required string HttpMethod { get; init; }

    /// <summary>SHA-256 of the canonical target, base64url, 128 bits.</summary>
    public required string TargetDigest { get; init; }

    /// <summary>How long the session lasts that they are the terms of; null: they buy one call.</summary>
    public TimeSpan? Session { get; init; }

    public string? Caller { get; init; }

    public string? BodyDigest { get; init; }

    /// <summary>The terms of this call, now.</summary>
    public static SealedTerms For(Call call, DateTimeOffset expires) => new()
    {
        Operation = call.Operation.Name,
        PriceVersion = call.Quote!.Version,
        Amount = call.Quote.Ceiling,
        Correlation = call.Correlation,
        Nonce = NewNonce(),
        Expires = expires,
        HttpMethod = MethodOf(call),
        TargetDigest = DigestOf(call.Target.Value),
        Session = (call.Quote as SessionQuote)?.Lasts,
        Caller = call.Caller,
        BodyDigest = call.BodyDigest,
    };

    /// <summary>What speaks against taking a payment on these terms for this call; null when they fit. Expiry is asked last and only of new payments.</summary>
    public Refusal? Objection(Call call, string? bodyDigest)
    {
        if (Operation != call.Operation.Name || HttpMethod != MethodOf(call) || TargetDigest != DigestOf(call.Target.Value))
            return new Refusal(Reasons.WrongResource, $"Its terms were given for '{Operation}', {HttpMethod}, another target or query.");
        if (Caller is not null && Caller != call.Caller) return new Refusal(Reasons.WrongResource, "Its terms were given to another caller.");
        // Where a price asks for the body's size, terms that were given for no body at all buy none.
        if (BodyDigest != bodyDigest && (BodyDigest is not null || call.BodyLength > 0)) return new Refusal(Reasons.WrongResource, "Its terms were given for another request body.");
        // Or the price of one call would open a session, for as long as terms are good after the document was changed.
        if ((Session is null) == call.Quote is SessionQuote) return new Refusal(Reasons.PaymentExpired, $"Its terms were given for a {(Session is null ? "call" : "session")}, and that is not what is sold here any more.");
        if (Expires < call.Now) return new Refusal(Reasons.PaymentExpired, $"Its terms were good until {Expires:u}.");
        return null;
    }

    /// <summary>The fields as canonical JSON (keys sorted, strings only), base64url: MPP's <c>opaque</c>, and what <see cref="TermsSeal"/> seals.</summary>
    public string Encode()
    {
        var buffer = new ArrayBufferWriter<byte>(384);
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("a", Amount.ToString());
            if (BodyDigest is not null) json.WriteString("b", BodyDigest);
            json.WriteString("c", Correlation);
            json.WriteString("e", Expires.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture));
            json.WriteString("m", HttpMethod);
            json.WriteString("n", Nonce);
            json.WriteString("o", Operation);
            if (Session is { } lasts) json.WriteString("s", (lasts.Ticks / TimeSpan.TicksPerSecond).ToString(CultureInfo.InvariantCulture));
            json.WriteString("t", TargetDigest);
            json.WriteString("v", PriceVersion);
            if (Caller is not null) json.WriteString("w", Caller);
            json.WriteEndObject();
        }
        return Base64Url.EncodeToString(buffer.WrittenSpan);
    }

    /// <summary>Reads what <see cref="Encode"/> wrote; null for anything else. Only for text whose authenticity is known.</summary>
    public static SealedTerms? Decode(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(Base64Url.DecodeFromChars(text));
            var fields = document.RootElement;
            return Money.TryParse(Field(fields, "a"), out var amount) && long.TryParse(Field(fields, "e"), CultureInfo.InvariantCulture, out var expires)
                ? new SealedTerms
                {
                    Amount = amount,
                    BodyDigest = Field(fields, "b"),
                    Correlation = Field(fields, "c")!,
                    Expires = DateTimeOffset.FromUnixTimeMilliseconds(expires),
                    HttpMethod = Field(fields, "m")!,
                    Nonce = Field(fields, "n")!,
                    Operation = Field(fields, "o")!,
                    TargetDigest = Field(fields, "t")!,
                    PriceVersion = Field(fields, "v")!,
                    Session = long.TryParse(Field(fields, "s"), CultureInfo.InvariantCulture, out var seconds) ? new TimeSpan(checked(seconds * TimeSpan.TicksPerSecond)) : null,
                    Caller = Field(fields, "w"),
                }
                : null;
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException or ArgumentOutOfRangeException or OverflowException) { return null; }
    }

    private static string? Field(JsonElement fields, string name) => fields.TryGetProperty(name, out var value) ? value.GetString() : null;

    /// <summary>HEAD costs what GET costs, and its terms are GET's.</summary>
    private static string MethodOf(Call call) => call.Method == "HEAD" ? "GET" : call.Method;

    private static string NewNonce() => Base64Url.EncodeToString(Ids.Random(15));

    private static string DigestOf(string target)
    {
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(Encoding.UTF8.GetBytes(target), hash);
        return Base64Url.EncodeToString(hash[..16]);
    }
}

/// <summary>Seals terms for protocols that have no seal of their own: <c>terms.HMAC-SHA256(terms)</c>, under the installation's key.</summary>
internal sealed class TermsSeal(IReadOnlyList<byte[]> keys)
{
    public string Seal(SealedTerms terms)
    {
        var text = terms.Encode();
        return $"{text}.{Mac(keys[0], text)}";
    }

    /// <summary>The terms, when the seal is ours and whole; null otherwise.</summary>
    public SealedTerms? Open(string sealed_)
    {
        var dot = sealed_.IndexOf('.', StringComparison.Ordinal);
        if (dot < 0 || sealed_.Length > 4096) return null;
        var text = sealed_[..dot];
        var mac = Encoding.UTF8.GetBytes(sealed_[(dot + 1)..]);
        foreach (var key in keys)
            if (CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Mac(key, text)), mac)) return SealedTerms.Decode(text);
        return null;
    }

    /// <summary>Seals something else than terms; what was sealed for one purpose is good for no other.</summary>
    public string SealFor(string purpose, string text) => Mac(keys[0], text, purpose);

    public bool IsSealedFor(string purpose, string text, string seal) =>
        keys.Any(key => CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Mac(key, text, purpose)), Encoding.UTF8.GetBytes(seal)));

    private static string Mac(byte[] key, string text, string purpose = "terms")
    {
        Span<byte> mac = stackalloc byte[KeyedHash.Length];
        KeyedHash.Hash(key, Encoding.UTF8.GetBytes($"turnpike-{purpose}:{text}"), mac);
        return Base64Url.EncodeToString(mac);
    }
}
