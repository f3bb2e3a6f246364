using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Turnpike.Protocols.Evm;
using Turnpike.Protocols.Mpp;
using Turnpike.Protocols.X402;

namespace Turnpike.Tests.Client;

/// <summary>A seller in memory: answers 402 in three protocols, verifies what comes back, and remembers every request.</summary>
internal sealed class FakeSeller : HttpMessageHandler
{
    public const string Token = "tp_bought";
    private static readonly Address Payee = Address.Parse("0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC");
    private readonly ChallengeSigner signer = new([new byte[32]]);

    public static KnownAsset Dollar { get; } = KnownAssets.Find(84532, "USDC")!;

    public static DateTimeOffset Now { get; } = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    /// <summary>Its clock.</summary>
    public Func<DateTimeOffset> Clock { get; init; } = () => Now;

    /// <summary>Which of x402, mpp and prepaid it offers.</summary>
    public string Offers { get; init; } = "x402 mpp prepaid";

    /// <summary>In millionths of a dollar.</summary>
    public long Price { get; set; } = 10_000;

    public string ResourceHost { get; init; } = "127.0.0.1";

    /// <summary>Answers paid requests instead, while it answers at all.</summary>
    public Func<int, HttpResponseMessage?>? OnPaid { get; init; }

    public ConcurrentQueue<Seen> Requests { get; } = [];

    public IEnumerable<Seen> Paid => Requests.Where(r => r.Credential is not null);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var seen = new Seen(Credential(request), request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken), request.RequestUri!, [.. request.Headers.Select(h => h.Key)]);
        Requests.Enqueue(seen);
        if (seen.Credential is null) return Terms(request);
        if (OnPaid?.Invoke(Paid.Count()) is { } other) return other;
        if (Fault(seen.Credential) is { } fault) return Problem(fault);
        var response = new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent("weather") };
        response.Headers.Add("Turnpike-Receipt", "http://127.0.0.1/receipts/r1");
        response.Headers.Add("Turnpike-Cost", Dollars());
        if (seen.Credential.StartsWith("Bearer", StringComparison.Ordinal)) response.Headers.Add("Turnpike-Remaining", "0.04 USD");
        else if (seen.Credential.StartsWith("Payment", StringComparison.Ordinal)) response.Headers.Add("Payment-Receipt", new MppReceipt { Method = "evm", Reference = "0xmpp", Timestamp = "2026-03-01T12:00:00Z" }.Encode());
        else response.Headers.Add("PAYMENT-RESPONSE", X402Header.Encode(new SettleResponse { Success = true, Transaction = "0xx402", Network = "eip155:84532" }));
        return response;
    }

    /// <summary>It waits for nothing but bodies in memory.</summary>
    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) => SendAsync(request, cancellationToken).GetAwaiter().GetResult();

    private static string? Credential(HttpRequestMessage request) =>
        request.Headers.TryGetValues("PAYMENT-SIGNATURE", out var x402) ? x402.Single()
        : request.Headers.TryGetValues("Payment-Authorization", out var apart) ? apart.Single()
        : request.Headers.TryGetValues("Authorization", out var mine) && !mine.Single().StartsWith("Bearer key", StringComparison.Ordinal) ? mine.Single() : null;

    private HttpResponseMessage Terms(HttpRequestMessage request)
    {
        var response = Problem("payment-required");
        if (Offers.Contains("x402", StringComparison.Ordinal))
            response.Headers.Add("PAYMENT-REQUIRED", X402Header.Encode(new PaymentRequired { Resource = new ResourceInfo { Url = $"http://{ResourceHost}{request.RequestUri!.AbsolutePath}" }, Accepts = [Requirement()], Extensions = JsonSerializer.Deserialize<JsonElement>("""{"turnpike":{"info":{"terms":"sealed"}}}""") }));
        if (Offers.Contains("mpp", StringComparison.Ordinal))
            response.Headers.Add("WWW-Authenticate", signer.Sign(new Challenge { Realm = "127.0.0.1", Method = "evm", Intent = "charge", Request = ChargeRequest.Evm((UInt128)Price, Dollar.Address, Payee, 84532, 6), Expires = Challenge.FormatExpires(Clock().AddMinutes(5)) }).Write());
        if (Offers.Contains("prepaid", StringComparison.Ordinal)) response.Headers.Add("WWW-Authenticate", "Bearer realm=\"127.0.0.1\"");
        return response;
    }

    private HttpResponseMessage Problem(string reason) => new(HttpStatusCode.PaymentRequired)
    {
        Content = new StringContent($$$"""{"reason":"{{{reason}}}","price":{"amount":"{{{Dollars().Split(' ')[0]}}}","currency":"USD"}}""", Encoding.UTF8, "application/problem+json"),
    };

    private string Dollars() => $"{(Price / 1_000_000m).ToString(CultureInfo.InvariantCulture)} USD";

    private PaymentRequirements Requirement() => new()
    {
        Scheme = "exact", Network = "eip155:84532", Amount = Price.ToString(CultureInfo.InvariantCulture), Asset = Dollar.Address.ToString(), PayTo = Payee.ToString(), MaxTimeoutSeconds = 300,
        Extra = JsonSerializer.Deserialize<JsonElement>("""{"name":"USDC","version":"2"}"""),
    };

    private string? Fault(string credential)
    {
        if (credential.StartsWith("Bearer ", StringComparison.Ordinal)) return credential == "Bearer " + Token ? null : "unknown-token";
        if (!credential.StartsWith("Payment ", StringComparison.Ordinal)) return FaultOfX402(credential);
        if (MppCredential.Decode(credential).Credential is not { } mpp || !signer.Verify(mpp.Challenge)) return "invalid-challenge";
        var payload = EvmAuthorizationPayload.Parse(mpp.Payload, out _);
        if (payload?.ToAuthorization() is not { } authorization || !authorization.Nonce.AsSpan().SequenceEqual(EvmCharge.ChallengeHash(mpp.Challenge.Id, mpp.Challenge.Realm))) return "wrong-nonce";
        if (!EvmCharge.IsSource(mpp.Source!, authorization.From, 84532)) return "wrong-source";
        return FaultOf(new PaymentPayload { X402Version = 2, Accepted = Requirement(), Payload = new ExactEvmPayload(authorization, payload.SignatureBytes()!).ToJson() });
    }

    private string? FaultOfX402(string credential) => X402Header.Decode(credential).Payment is not { } payment ? "malformed"
        : Matching.Match(payment.Accepted, [Requirement()]) is null ? "not-echoed"
        : payment.Resource is null || payment.Extensions is null ? "not-echoed"
        : FaultOf(payment);

    private string? FaultOf(PaymentPayload payment) => ExactEvm.VerifyLocally(payment, Requirement(), Clock().ToUnixTimeSeconds()).Code;

    /// <summary>One request as it arrived.</summary>
    internal sealed record Seen(string? Credential, string Body, Uri Url, IReadOnlyList<string> Headers);
}
