using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Turnpike.Catalog;
using Turnpike.Payments.Evm;
using Turnpike.Protocols.Evm;
using Turnpike.Protocols.X402;

namespace Turnpike.Payments.X402;

/// <summary>
/// Somebody who believes and collects for us, by URL. What it answers is checked against what was asked, and what it leaves open
/// stays open: a time-out while settling is unknown, never a no.
/// </summary>
internal sealed class FacilitatorClient(HttpClient http, Uri url, ChainSettings chain, AuthorizationTrace? trace, TimeProvider time) : IFacilitator
{
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    /// <summary>How long after its end an authorization may still be in a block that is not final: without a node of our own, by our clock.</summary>
    public static readonly TimeSpan Margin = TimeSpan.FromMinutes(15);

    private static readonly MediaTypeHeaderValue Json = new("application/json");
    private readonly Breaker breaker = new(time);
    private readonly ConcurrentDictionary<string, long> refused = new(StringComparer.Ordinal);

    public async ValueTask<string?> CheckAsync(CancellationToken ct)
    {
        var supported = await AskAsync(HttpMethod.Get, "supported", null, X402Json.Wire.SupportedResponse, ct) ?? throw new NodeSilentException($"{url} does not say what it supports");
        return supported.Kinds.Any(k => k is { X402Version: 2, Scheme: ExactEvm.Scheme } && k.Network == chain.Network)
            ? null
            : $"the facilitator at {url.Authority} does not settle exact on {chain.Network}";
    }

    public async ValueTask<Refusal?> VerifyAsync(AuthorizationTerms terms, CancellationToken ct)
    {
        if (!breaker.IsClosed) return Verdicts.Silent("The facilitator has failed repeatedly; it is asked again shortly.");
        var verdict = await AskAsync(HttpMethod.Post, "verify", Request(terms), X402Json.Wire.VerifyResponse, ct);
        if (verdict is null) return Verdicts.Silent("The facilitator does not answer.");
        if (!verdict.IsValid) return Verdicts.Of(ErrorCodes.Canonical(verdict.InvalidReason ?? ErrorCodes.UnexpectedVerifyError));
        // A yes for somebody else's payment is no yes (API10: replies are validated).
        return verdict.Payer is { } payer && !Same(payer, terms.From) ? Verdicts.Silent("The facilitator answered for another payer.") : null;
    }

    public ValueTask<string?> PrepareAsync(AuthorizationTerms terms, CancellationToken ct) => ValueTask.FromResult<string?>(null);

    public async ValueTask<Settlement> SettleAsync(AuthorizationTerms terms, string? prepared, DateTimeOffset since, bool again, CancellationToken ct)
    {
        if (!breaker.IsClosed) return new Settlement.Unknown(null, "The facilitator has failed repeatedly; it is asked again shortly.");
        if (again && await TracedAsync(terms, since, ct) is { } done) return done;
        var request = Request(terms);
        var reply = await AskAsync(HttpMethod.Post, "settle", request, X402Json.Wire.SettleResponse, ct);
        // The specification's one repetition: broadcast, but not seen in a block yet.
        if (reply is { Success: false, ErrorReason: ErrorCodes.SettlementPending, Transaction.Length: > 0 })
            reply = await AskAsync(HttpMethod.Post, "settle", request, X402Json.Wire.SettleResponse, ct) ?? reply;
        return await JudgeAsync(terms, reply, since, again, ct);
    }

    private async ValueTask<Settlement> JudgeAsync(AuthorizationTerms terms, SettleResponse? reply, DateTimeOffset since, bool again, CancellationToken ct)
    {
        if (reply is null) return new Settlement.Unknown(null, "The facilitator did not answer.");
        var hash = reply.Transaction.Length > 0 ? reply.Transaction : null;
        if (reply.Success) return IsFor(terms, reply) ? new Settlement.Settled(hash!, terms.Value) : new Settlement.Unknown(hash, "The facilitator's receipt is not for this payment.");
        var code = ErrorCodes.Canonical(reply.ErrorReason ?? ErrorCodes.UnexpectedSettleError);
        if (code is ErrorCodes.SettlementPending or ErrorCodes.UnexpectedSettleError or ErrorCodes.DuplicateSettlement) return new Settlement.Unknown(hash, code);
        // A no proves nothing about what was broadcast before it, by them or by whoever else has seen the signature: the chain decides,
        // and where we have no node to ask, the end of the authorization.
        if (await TracedAsync(terms, since, ct) is { } known) return known;
        if (trace is null && code != ErrorCodes.NonceAlreadyUsed && IsOver(terms, since)) return new Settlement.Failed(code, Verdicts.Of(code).Detail, hash);
        return new Settlement.Unknown(hash, Verdicts.Of(code).Detail) { Refused = again || code == ErrorCodes.NonceAlreadyUsed ? null : code };
    }

    /// <summary>
    /// The authorization ended long ago, by the wall clock and by the one that never jumps, counted from the first no this process heard:
    /// set forward by an hour, the wall clock alone would give back what can still be taken.
    /// </summary>
    private bool IsOver(AuthorizationTerms terms, DateTimeOffset since)
    {
        var key = $"{terms.Authorization.From}:{Hex.Encode(terms.Authorization.Nonce)}";
        var valid = terms.Expires > since ? terms.Expires - since : TimeSpan.Zero;
        var first = refused.GetOrAdd(key, _ => time.GetTimestamp());
        var isOver = terms.Expires + Margin < time.GetUtcNow() && time.GetElapsedTime(first) > valid + Margin;
        if (isOver) refused.TryRemove(key, out _);
        return isOver;
    }

    private static bool IsFor(AuthorizationTerms terms, SettleResponse reply) =>
        Hex.Decode(reply.Transaction) is { Length: 32 }
        && KnownNetworks.Caip2Of(reply.Network) == terms.Network
        && (reply.Payer is null || Same(reply.Payer, terms.From))
        && (reply.Amount is null or "" || reply.Amount == terms.Value);

    /// <summary>What the chain itself says, where there is a node to ask.</summary>
    private async ValueTask<Settlement?> TracedAsync(AuthorizationTerms terms, DateTimeOffset since, CancellationToken ct)
    {
        if (trace is null) return null;
        try
        {
            return await trace.FindAsync(terms, since, ct) switch
            {
                Traced.Paid paid => new Settlement.Settled(paid.Hash, terms.Value),
                Traced.Cancelled => new Settlement.Failed(ErrorCodes.NonceAlreadyUsed, Verdicts.Of(ErrorCodes.NonceAlreadyUsed).Detail),
                Traced.Expired => new Settlement.Failed(ErrorCodes.ValidBefore, Verdicts.Of(ErrorCodes.ValidBefore).Detail),
                _ => null,
            };
        }
        catch (NodeSilentException) { return null; }
    }

    private byte[] Request(AuthorizationTerms terms)
    {
        var requirement = EvmTerms.Requirement(chain, terms.Value);
        var payment = new PaymentPayload
        {
            X402Version = 2,
            Resource = terms.Resource is { } resource ? new ResourceInfo { Url = resource } : null,
            Accepted = requirement,
            Payload = new ExactEvmPayload(terms.Authorization, terms.SignatureBytes).ToJson(),
        };
        return JsonSerializer.SerializeToUtf8Bytes(new VerifyRequest { PaymentPayload = payment, PaymentRequirements = requirement }, X402Json.Wire.VerifyRequest);
    }

    /// <summary>The answer, whatever its status, if it is one; null when there is none that can be understood.</summary>
    private async ValueTask<T?> AskAsync<T>(HttpMethod method, string path, byte[]? body, JsonTypeInfo<T> type, CancellationToken ct) where T : class
    {
        using var request = new HttpRequestMessage(method, new Uri(url.AbsoluteUri.TrimEnd('/') + "/" + path));
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.ContentType = Json;
        }
        var answer = await ReadAsync(request, type, ct);
        breaker.Count(answer is not null);
        return answer;
    }

    private async ValueTask<T?> ReadAsync<T>(HttpRequestMessage request, JsonTypeInfo<T> type, CancellationToken ct) where T : class
    {
        try
        {
            using var response = await http.SendAsync(request, ct);
            return JsonSerializer.Deserialize(await response.Content.ReadAsByteArrayAsync(ct), type);
        }
        catch (Exception e) when (e is HttpRequestException or JsonException or InvalidOperationException) { return null; }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested) { return null; }
    }

    private static bool Same(string address, string other) => address.Equals(other, StringComparison.OrdinalIgnoreCase);
}
