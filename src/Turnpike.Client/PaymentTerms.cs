using System.Text.Json;
using Turnpike.Protocols.Http;
using Turnpike.Protocols.Mpp;
using Turnpike.Protocols.X402;

namespace Turnpike.Client;

/// <summary>What a 402 asks for, in every protocol it speaks. Read, not believed: nobody but the seller vouches for it.</summary>
public sealed record PaymentTerms
{
    private const string Required = "PAYMENT-REQUIRED";

    /// <summary>What was called.</summary>
    public required Uri Url { get; init; }

    /// <summary>x402 v2, or null.</summary>
    public PaymentRequired? X402 { get; init; }

    /// <summary>What x402 v1 asks for, in the body; none where it does not.</summary>
    public IReadOnlyList<PaymentRequirementsV1> X402V1 { get; init; } = [];

    /// <summary>The MPP challenges that could be read.</summary>
    public IReadOnlyList<Challenge> Mpp { get; init; } = [];

    /// <summary>True when a bearer token is taken.</summary>
    public bool Prepaid { get; init; }

    /// <summary>The price in money, where the body tells it.</summary>
    public Amount? Price { get; init; }

    /// <summary>The seller's stable reason code, such as <c>payment-required</c> or <c>token-exhausted</c>.</summary>
    public string? Reason { get; init; }

    /// <summary>True when the request's Authorization header holds something else already.</summary>
    public bool AuthorizationTaken { get; init; }

    /// <summary>The caller's own Idempotency-Key, or null.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>The most the caller said, in the request itself, that this call may cost; null when it did not.</summary>
    public Amount? CallerMaximum { get; init; }

    /// <summary>Reads a 402; what is malformed is left out. Never throws on bad input.</summary>
    /// <param name="problem">The body, or empty.</param>
    public static PaymentTerms Read(HttpRequestMessage request, HttpResponseMessage response, ReadOnlyMemory<byte> problem)
    {
        var challenges = response.Headers.NonValidated.TryGetValues("WWW-Authenticate", out var lines) ? lines.ToList() : [];
        var (price, reason) = ReadProblem(problem);
        return new PaymentTerms
        {
            Url = request.RequestUri!,
            X402 = response.Headers.TryGetValues(Required, out var terms) && terms.ToList() is [var one] && X402Header.DecodeTerms(one) is { } decoded && IsFor(decoded, request.RequestUri!) ? decoded : null,
            X402V1 = ReadV1(problem, request.RequestUri!),
            Mpp = [.. challenges.SelectMany(line => Challenge.ParseAll(line, out _) ?? [])],
            Prepaid = challenges.Any(line => AuthParams.Parse(line, out _)?.Any(scheme => scheme.Is("Bearer")) == true),
            Price = price,
            Reason = reason,
            AuthorizationTaken = request.Headers.NonValidated.Contains("Authorization"),
            IdempotencyKey = request.Headers.NonValidated.TryGetValues("Idempotency-Key", out var keys) ? keys.ToString() : null,
            CallerMaximum = request.Headers.NonValidated.TryGetValues("Turnpike-Max-Price", out var most) && Amount.TryParse(most.ToString(), out var maximum) ? maximum : null,
        };
    }

    /// <summary>A seller that passes on another host's terms would have us pay for a proof it can spend there.</summary>
    private static bool IsFor(PaymentRequired terms, Uri url) =>
        IsFor(terms.Resource.Url, url);

    private static bool IsFor(string told, Uri url) =>
        !Uri.TryCreate(told, UriKind.Absolute, out var resource) || resource.Scheme is not ("http" or "https")
        || resource.Host.Equals(url.Host, StringComparison.OrdinalIgnoreCase);

    private static IReadOnlyList<PaymentRequirementsV1> ReadV1(ReadOnlyMemory<byte> body, Uri url)
    {
        try
        {
            return !body.IsEmpty && JsonSerializer.Deserialize(body.Span, X402Json.Wire.PaymentRequiredV1) is { X402Version: 1, Accepts: { } accepts } ? [.. accepts.Where(offer => offer is not null && IsFor(offer.Resource, url))] : [];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) { return []; }
    }

    private static (Amount? Price, string? Reason) ReadProblem(ReadOnlyMemory<byte> problem)
    {
        if (problem.IsEmpty || StrictJson.Parse(problem.Span) is not { ValueKind: JsonValueKind.Object } body) return (null, null);
        var price = body.TryGetProperty("price", out var told) && told.ValueKind == JsonValueKind.Object
            && Amount.TryParse(Text(told, "amount"), Text(told, "currency"), out var amount) ? amount : (Amount?)null;
        return (price, Text(body, "reason"));
    }

    private static string? Text(JsonElement body, string name) =>
        body.TryGetProperty(name, out var member) && member.ValueKind == JsonValueKind.String ? member.GetString() : null;
}
