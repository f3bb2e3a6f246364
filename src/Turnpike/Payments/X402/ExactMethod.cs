using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Payments.Evm;
using Turnpike.Pricing;
using Turnpike.Protocols.Evm;
using Turnpike.Protocols.X402;

namespace Turnpike.Payments.X402;

/// <summary>x402's scheme <c>exact</c> on EVM chains by EIP-3009, v2 and v1.</summary>
internal sealed class ExactMethod : IPaymentMethod
{
    private static readonly SendAs Send = new(PaymentHeaders.Signature, "base64(JSON PaymentPayload)");
    private readonly EvmTermsBook book;
    private readonly AuthorizationRail rail;
    private readonly PriceBook prices;
    private readonly TimeProvider time;

    public ExactMethod(EvmChains chains, AuthorizationRail rail, PriceBook prices, TimeProvider time)
    {
        (this.rail, this.prices, this.time) = (rail, prices, time);
        book = new EvmTermsBook(chains, (chain, terms) => new Offer(Protocol, Name, chain.Network, terms.Amount, terms.Asset, terms.PayTo, Send, terms));
    }

    public string Name => "x402.exact";

    public string Protocol => "x402";

    public IReadOnlyList<Offer> Offer(Call call) =>
        call.Quote is { } quote && Chains(call) is { Count: > 0 } chains ? book.Offers(call.Catalog, chains, quote.Ceiling) : [];

    public Answer? Identify(Payment payment)
    {
        var credential = (X402Credential)payment.Credential!;
        payment.InForce = credential.Terms is null ? PriceOf(payment, credential) : null;
        (payment.PriceVersion, payment.Agreed) = (credential.Terms?.PriceVersion ?? payment.InForce!.Version, credential.Terms?.Amount ?? payment.InForce!.Amount);
        var (terms, code) = Find(payment, credential);
        if (terms is null) return Verdicts.Of(code);
        if (ExactEvmPayload.Parse(PayloadOf(credential), out var broken) is not { } payload) return Verdicts.Of(broken ?? ErrorCodes.InvalidPayload);
        payment.HoldId = AuthorizationTerms.HoldIdOf(terms.Settings.Network, terms.Settings.Asset.Address, payload.Authorization);
        return null;
    }

    public async ValueTask<Answer?> VerifyAsync(Payment payment, CancellationToken ct)
    {
        var credential = (X402Credential)payment.Credential!;
        var (terms, code) = Find(payment, credential);
        if (terms is null) return Verdicts.Of(code);
        var check = Check(credential, terms, time.GetUtcNow().ToUnixTimeSeconds());
        if (!check.IsValid) return Verdicts.Of(check.Code!);
        var resource = credential.V2?.Resource is null ? null : payment.Call.Url;
        return await rail.VerifyAsync(payment, terms.Chain, AuthorizationTerms.Of(terms.Settings, check.Payload!.Authorization, check.Payload.Signature, resource), ct);
    }

    public ValueTask<string?> PrepareAsync(HoldState held, Money amount, CancellationToken ct) => rail.PrepareAsync(held, ct);

    public ValueTask<Settlement> SettleAsync(HoldState captured, CancellationToken ct) => rail.SettleAsync(captured, ct);

    public void Confirm(Payment payment, int blocks) => AuthorizationRail.Confirm(payment, blocks);

    public string? NetworkOf(Payment payment) => payment.Credential switch
    {
        X402Credential { V2: { } modern } => modern.Accepted.Network,
        X402Credential { V1: { } older } => KnownNetworks.Caip2Of(older.Network),
        _ => null,
    };

    /// <summary>
    /// Without sealed terms, any price that was in force a moment ago may be answered: a change must not break terms already given.
    /// Where one amount was the price of sessions of several lengths, nobody knows which was told, and the longest is given.
    /// </summary>
    private PriceInForce PriceOf(Payment payment, X402Credential credential)
    {
        var inForce = prices.InForce(payment.Call);
        var said = credential.V2?.Accepted.Amount ?? ExactEvmPayload.Parse(PayloadOf(credential), out _)?.Authorization.Value.ToString();
        PriceInForce? found = null;
        foreach (var price in inForce)
            if (found is not null ? price.Amount == found.Amount && price.Session > found.Session : book.Terms(payment.Call.Catalog, Chains(payment.Call), price.Amount).Any(t => t.Requirements.Amount == said)) found = price;
        return found ?? inForce[0];
    }

    /// <summary>Which of our terms it answers; only ours are used from here on. Otherwise the first thing that differs, by its code.</summary>
    private (EvmTerms? Terms, string Code) Find(Payment payment, X402Credential credential)
    {
        var all = book.Terms(payment.Call.Catalog, Chains(payment.Call), payment.Agreed!.Value);
        if (credential.V1 is { } older)
        {
            if (older.Scheme != ExactEvm.Scheme) return (null, ErrorCodes.Scheme);
            var network = KnownNetworks.Caip2Of(older.Network);
            return (all.FirstOrDefault(t => t.Settings.Network == network), ErrorCodes.NetworkMismatch);
        }
        var accepted = credential.V2!.Accepted;
        if (accepted.Scheme != ExactEvm.Scheme) return (null, ErrorCodes.Scheme);
        if (Matching.Match(accepted, all.Select(t => t.Requirements)) is { } own) return (all.First(t => ReferenceEquals(t.Requirements, own)), "");
        var near = all.Where(t => t.Settings.Network == accepted.Network).ToList();
        if (near.Count == 0) return (null, ErrorCodes.NetworkMismatch);
        near = near.FindAll(t => Same(t.Requirements.Asset, accepted.Asset));
        if (near.Count == 0) return (null, ErrorCodes.InvalidPaymentRequirements);
        if (near.TrueForAll(t => !Same(t.Requirements.PayTo, accepted.PayTo))) return (null, ErrorCodes.RecipientMismatch);
        if (near.TrueForAll(t => t.Requirements.Amount != accepted.Amount)) return (null, ErrorCodes.ValueMismatch);
        return (null, near.TrueForAll(t => t.Requirements.MaxTimeoutSeconds != accepted.MaxTimeoutSeconds) ? ErrorCodes.InvalidPaymentRequirements : ErrorCodes.MissingDomain);
    }

    /// <summary>Every check that needs nobody else, in the specification's order. A forged signature must not cost an outside call (gas and quota griefing).</summary>
    private static ExactEvmCheck Check(X402Credential credential, EvmTerms terms, long now) => credential.V1 is not { } older
        ? ExactEvm.VerifyLocally(credential.V2!, terms.Exact, now)
        : ExactEvm.VerifyLocally(older, OlderTerms(terms.Requirements, older.Network), now);

    private static PaymentRequirementsV1 OlderTerms(PaymentRequirements terms, string network) => new()
    {
        Scheme = terms.Scheme,
        Network = network,
        MaxAmountRequired = terms.Amount,
        Resource = "",
        Description = "",
        PayTo = terms.PayTo,
        MaxTimeoutSeconds = terms.MaxTimeoutSeconds,
        Asset = terms.Asset,
        Extra = terms.Extra,
    };

    private static System.Text.Json.JsonElement PayloadOf(X402Credential credential) => credential.V2?.Payload ?? credential.V1!.Payload;

    private static IReadOnlyList<ChainSettings> Chains(Call call) => call.Catalog.Settings.Get<PaymentSettings>()?.X402?.Chains ?? [];

    private static bool Same(string a, string b) => a.Equals(b, StringComparison.OrdinalIgnoreCase);
}
