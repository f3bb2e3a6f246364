using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Turnpike.Catalog;
using Turnpike.Protocols.Evm;
using Turnpike.Protocols.X402;

namespace Turnpike.Payments.X402;

/// <summary>
/// x402 over HTTP: v2 terms in PAYMENT-REQUIRED and proofs in PAYMENT-SIGNATURE, v1 terms in the body and proofs in X-PAYMENT.
/// The resource is not signed by <c>exact</c>, so our own extension carries sealed terms, which clients echo.
/// </summary>
internal sealed class X402Protocol(TermsSeal seal) : IPaymentProtocol
{
    private const string Terms = "PAYMENT-REQUIRED", Proof = "PAYMENT-SIGNATURE", ProofV1 = "X-PAYMENT", Result = "PAYMENT-RESPONSE", ResultV1 = "X-PAYMENT-RESPONSE";
    private const string Extension = "turnpike";
    private static readonly ConditionalWeakTable<PaymentRequirements, Written> Cache = [];

    public string Name => "x402";

    public IReadOnlyList<string> CredentialHeaders { get; } = [Proof, ProofV1];

    public Credential? Read(Call call)
    {
        var (modern, older) = (call.Headers[Proof], call.Headers[ProofV1]);
        if (modern.Count + older.Count == 0) return null;
        if (modern.Count + older.Count > 1) return Credential.Several(Name, "More than one x402 payment header is present.");
        var text = modern.Count == 1 ? modern.ToString() : older.ToString();
        // Proxies join repeated headers with a comma, which no base64 has.
        if (text.Contains(',', StringComparison.Ordinal)) return Credential.Several(Name, "More than one x402 payment is in one header.");
        var decoded = X402Header.Decode(text);
        if (decoded.Malformed is { } malformed) return Credential.Unreadable(Name, Sentence(malformed), malformed == X402Malformed.WrongVersion ? ErrorCodes.InvalidX402Version : ErrorCodes.InvalidPayload);
        return decoded.Payment is { } payment ? ReadV2(call, text, payment) : new X402Credential
        {
            Version = 1,
            V1 = decoded.PaymentV1,
            Method = "x402." + decoded.PaymentV1!.Scheme,
            // All of a v1 payment is public on the chain once it is settled: only its sender's address is given the answer again.
            Digest = Credential.DigestOf(text, call.Address),
        };
    }

    public void WriteChallenge(Call call, IReadOnlyList<Offer> offers, Refusal refusal, Reply reply)
    {
        if (refusal.Failure is { Protocol: "x402" } failure) WriteFailure(failure, reply);
        var mine = offers.Where(o => o.Protocol == Name && o.Terms is PaymentRequirements).ToList();
        if (mine.Count == 0) return;
        var error = refusal.Code ?? refusal.Reason.Title;
        reply.Headers[Terms] = Encode(call, mine, error);
        var older = mine.Where(o => Of(o).V1Network is not null).ToList();
        if (older.Count > 0) reply.Body(json => WriteV1(json, call, older, error));
    }

    public void WriteReceipt(Receipt receipt, Reply reply)
    {
        if (receipt.ByCredit || receipt.Credential is not X402Credential credential) return;
        var response = new SettleResponse { Success = true, Payer = AddressOf(receipt.Payer), Transaction = receipt.Reference, Network = receipt.Network ?? "", Amount = receipt.RailAmount };
        if (credential.Version == 2) reply.Headers[Result] = X402Header.Encode(response);
        else reply.Headers[ResultV1] = X402Header.Encode(response with { Amount = null, Network = KnownNetworks.NameOf(response.Network) ?? response.Network });
    }

    private Credential ReadV2(Call call, string text, PaymentPayload payment)
    {
        var terms = SealOf(payment) is { } sealed_ ? seal.Open(sealed_) : null;
        if (SealOf(payment) is not null && terms is null) return Credential.Unreadable(Name, "The terms it echoes are not ours, or were changed.", "extension_echo_mismatch");
        var (identifier, nameless) = PaymentIdentifier.Read(payment, IsIdentifierRequired(call));
        return new X402Credential
        {
            Version = 2,
            Identifier = identifier,
            V2 = payment,
            Terms = terms,
            Correlation = terms?.Correlation,
            Method = "x402." + payment.Accepted.Scheme,
            Digest = Credential.DigestOf(text),
            Objection = nameless ?? (payment.Resource is { } resource && !SameResource(resource.Url, call) ? new Refusal(Reasons.WrongResource, "Its resource is another one.") : null),
        };
    }

    /// <summary>Absent is fine (minimal clients), different is not. Scheme and host depend on how the caller reaches us; the target does not.</summary>
    private static bool SameResource(string url, Call call)
    {
        if (url == call.Url) return true;
        return Uri.TryCreate(url, UriKind.Absolute, out var uri) && uri.Authority == call.Catalog.Gateway.Url.Authority && url.EndsWith(call.Target.Value, StringComparison.Ordinal) && uri.PathAndQuery.Length == call.Target.Value.Length;
    }

    private static bool IsIdentifierRequired(Call call) => call.Catalog.Settings.Get<PaymentSettings>()?.X402 is { IdentifierRequired: true };

    private static string? SealOf(PaymentPayload payment) =>
        payment.Extensions is { ValueKind: JsonValueKind.Object } all && all.TryGetProperty(Extension, out var ours) && ours.ValueKind == JsonValueKind.Object
        && ours.TryGetProperty("info", out var info) && info.ValueKind == JsonValueKind.Object && info.TryGetProperty("terms", out var terms) && terms.ValueKind == JsonValueKind.String
            ? terms.GetString()
            : null;

    private string Encode(Call call, List<Offer> offers, string error)
    {
        var buffer = new ArrayBufferWriter<byte>(2048);
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteNumber("x402Version", 2);
            json.WriteString("error", error);
            json.WriteStartObject("resource");
            json.WriteString("url", call.Url);
            if (call.Operation.ShortDescription is { } description) json.WriteString("description", description);
            json.WriteEndObject();
            json.WriteStartArray("accepts");
            foreach (var offer in offers) json.WriteRawValue(Of(offer).Json, skipInputValidation: true);
            json.WriteEndArray();
            json.WriteStartObject("extensions");
            json.WriteStartObject(Extension);
            json.WriteStartObject("info");
            json.WriteString("terms", seal.Seal(SealedTerms.For(call, call.Quote!.ValidUntil)));
            json.WriteEndObject();
            json.WritePropertyName("schema");
            json.WriteRawValue("""{"type":"object","properties":{"terms":{"type":"string"}},"required":["terms"]}"""u8, skipInputValidation: true);
            json.WriteEndObject();
            PaymentIdentifier.Write(json, IsIdentifierRequired(call));
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return Convert.ToBase64String(buffer.WrittenSpan);
    }

    private static void WriteV1(Utf8JsonWriter json, Call call, List<Offer> offers, string error)
    {
        json.WriteNumber("x402Version", 1);
        json.WriteString("error", error);
        json.WriteStartArray("accepts");
        foreach (var offer in offers)
        {
            var terms = (PaymentRequirements)offer.Terms!;
            JsonSerializer.Serialize(json, new PaymentRequirementsV1
            {
                Scheme = terms.Scheme,
                Network = Of(offer).V1Network!,
                MaxAmountRequired = terms.Amount,
                Resource = call.Url,
                Description = call.Operation.ShortDescription ?? "",
                MimeType = "application/json",
                PayTo = terms.PayTo,
                MaxTimeoutSeconds = terms.MaxTimeoutSeconds,
                Asset = terms.Asset,
                Extra = terms.Extra,
            }, X402Json.Wire.PaymentRequirementsV1);
        }
        json.WriteEndArray();
    }

    private static void WriteFailure(FailedSettlement failure, Reply reply)
    {
        var response = new SettleResponse { Success = false, ErrorReason = failure.Code, Payer = failure.Payer is { } payer ? AddressOf(payer) : null, Transaction = failure.Transaction ?? "", Network = failure.Network };
        reply.Headers[Result] = X402Header.Encode(response);
        reply.Headers[ResultV1] = X402Header.Encode(response with { Network = KnownNetworks.NameOf(failure.Network) ?? failure.Network });
    }

    private static string AddressOf(string payer) => payer[(payer.LastIndexOf(':') + 1)..];

    private static Written Of(Offer offer) => Cache.GetValue((PaymentRequirements)offer.Terms!, static terms =>
        new Written(JsonSerializer.SerializeToUtf8Bytes(terms, X402Json.Wire.PaymentRequirements), KnownNetworks.NameOf(terms.Network)));

    private static string Sentence(X402Malformed malformed) => malformed switch
    {
        X402Malformed.TooLarge => $"It is longer than {X402Header.MaxLength} characters.",
        X402Malformed.NotBase64 => "It is not base64.",
        X402Malformed.NotJson => "It does not hold JSON.",
        X402Malformed.NotAnObject => "It does not hold a JSON object.",
        X402Malformed.WrongVersion => "Its x402Version is neither 1 nor 2.",
        _ => "A member is missing, given twice, or of the wrong type.",
    };

    private sealed record Written(byte[] Json, string? V1Network);
}
