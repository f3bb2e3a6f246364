using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Payments.Evm;
using Turnpike.Protocols.Evm;
using Turnpike.Protocols.Mpp;
using Turnpike.Protocols.X402;

namespace Turnpike.Payments.Mpp;

/// <summary>
/// MPP's method <c>evm</c>, intent charge, by EIP-3009: the same authorization as x402 exact, and so the same hold, but with the
/// challenge's hash as its nonce.
/// </summary>
internal sealed class EvmChargeMethod : IPaymentMethod
{
    private static readonly SendAs Send = new(MppHeaders.Authorization, "Payment base64url(JSON {challenge, payload})");
    private readonly EvmTermsBook book;
    private readonly AuthorizationRail rail;
    private readonly TimeProvider time;

    public EvmChargeMethod(EvmChains chains, AuthorizationRail rail, TimeProvider time)
    {
        (this.rail, this.time) = (rail, time);
        book = new EvmTermsBook(chains, OfferOf);
    }

    public string Name => "mpp.evm";

    public string Protocol => "mpp";

    public IReadOnlyList<Offer> Offer(Call call) =>
        call.Quote is { } quote && Chains(call) is { Count: > 0 } chains ? book.Offers(call.Catalog, chains, quote.Ceiling) : [];

    public Answer? Identify(Payment payment)
    {
        var credential = (MppPaymentCredential)payment.Credential!;
        (payment.PriceVersion, payment.Agreed) = (credential.Terms?.PriceVersion ?? payment.Call.Quote!.Version, credential.Terms?.Amount ?? payment.Call.Quote!.Ceiling);
        if (Find(payment) is not { } terms) return new Refusal(Reasons.InvalidChallenge, "Its challenge is for other terms than these.");
        if (EvmAuthorizationPayload.Parse(credential.Wire.Payload, out var fault)?.ToAuthorization() is not { } authorization) return new Refusal(Reasons.MalformedCredential, $"Its payload is not an authorization: {fault}.");
        // Without this, an authorization signed for something else, or seen elsewhere, would answer any challenge.
        if (!authorization.Nonce.AsSpan().SequenceEqual(EvmCharge.ChallengeHash(credential.Wire.Challenge.Id, credential.Wire.Challenge.Realm)))
            return new Refusal(Reasons.InvalidChallenge, "Its nonce is not the hash of its challenge.");
        payment.HoldId = AuthorizationTerms.HoldIdOf(terms.Settings.Network, terms.Settings.Asset.Address, authorization);
        return null;
    }

    public async ValueTask<Answer?> VerifyAsync(Payment payment, CancellationToken ct)
    {
        var wire = ((MppPaymentCredential)payment.Credential!).Wire;
        var payload = EvmAuthorizationPayload.Parse(wire.Payload, out _);
        if (Find(payment) is not { } terms || payload?.ToAuthorization() is not { } authorization || payload.SignatureBytes() is not { } signature) return Verdicts.Of(ErrorCodes.InvalidPayload);
        if (wire.Source is { } source && !EvmCharge.IsSource(source, authorization.From, (long)terms.Settings.ChainId)) return new Refusal(Reasons.VerificationFailed, "Its source is not its payer.");
        var proof = new PaymentPayload { X402Version = 2, Accepted = terms.Requirements, Payload = new ExactEvmPayload(authorization, signature).ToJson() };
        var check = ExactEvm.VerifyLocally(proof, terms.Exact, time.GetUtcNow().ToUnixTimeSeconds());
        if (!check.IsValid) return Verdicts.Of(check.Code!);
        return await rail.VerifyAsync(payment, terms.Chain, AuthorizationTerms.Of(terms.Settings, authorization, signature, resource: null), ct);
    }

    public ValueTask<string?> PrepareAsync(HoldState held, Money amount, CancellationToken ct) => rail.PrepareAsync(held, ct);

    public ValueTask<Settlement> SettleAsync(HoldState captured, CancellationToken ct) => rail.SettleAsync(captured, ct);

    public void Confirm(Payment payment, int blocks) => AuthorizationRail.Confirm(payment, blocks);

    public string? NetworkOf(Payment payment) => Find(payment)?.Settings.Network;

    private Offer OfferOf(ChainSettings chain, PaymentRequirements terms)
    {
        var request = ChargeRequest.Evm(UInt128.Parse(terms.Amount, System.Globalization.CultureInfo.InvariantCulture), chain.Asset.Address, chain.PayTo, (long)chain.ChainId, chain.Asset.Decimals);
        return new Offer(Protocol, Name, chain.Network, terms.Amount, terms.Asset, terms.PayTo, Send, request) { Intent = "evm/charge" };
    }

    /// <summary>The chain whose request, at the agreed amount, is to the letter the one echoed: a cheap operation's challenge does not open a dear one (mppx#145).</summary>
    private EvmTerms? Find(Payment payment)
    {
        var challenge = ((MppPaymentCredential)payment.Credential!).Wire.Challenge;
        if (challenge is not { Method: ChargeRequest.EvmMethod, Intent: ChargeRequest.Intent }) return null;
        return book.Terms(payment.Call.Catalog, Chains(payment.Call), payment.Ceiling).FirstOrDefault(t => (string)t.Offer.Terms! == challenge.Request);
    }

    private static IReadOnlyList<ChainSettings> Chains(Call call) => call.Catalog.Settings.Get<PaymentSettings>()?.Mpp?.EvmChains ?? [];
}
