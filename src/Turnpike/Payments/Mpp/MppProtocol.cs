using System.Runtime.CompilerServices;
using Turnpike.Catalog;
using Turnpike.Protocols.Mpp;

namespace Turnpike.Payments.Mpp;

/// <summary>
/// MPP over HTTP: one <c>WWW-Authenticate: Payment</c> per offer, credentials in Authorization or Payment-Authorization. What a
/// challenge is for travels in its <c>opaque</c>, under the challenge's own HMAC, so nothing is stored for an unpaid call.
/// </summary>
internal sealed class MppProtocol : IPaymentProtocol
{
    private static readonly ConditionalWeakTable<MppSettings, ChallengeSigner> Signers = [];

    public string Name => "mpp";

    public IReadOnlyList<string> CredentialHeaders { get; } = [MppHeaders.Authorization, MppHeaders.PaymentAuthorization];

    public Credential? Read(Call call)
    {
        Credential? found = null;
        foreach (var name in CredentialHeaders)
        {
            foreach (var line in call.Headers[name])
            {
                var decoded = MppCredential.Decode(line);
                if (decoded.IsAbsent) continue;
                if (found is not null || decoded.Error == MppCredentialErrors.MoreThanOne) return Credential.Several(Name, "More than one Payment credential is present.");
                found = decoded.Credential is { } wire ? Check(call, wire, line!) : Credential.Unreadable(Name, $"The Payment credential cannot be read: {decoded.Error}.", decoded.Error);
            }
        }
        return found;
    }

    public void WriteChallenge(Call call, IReadOnlyList<Offer> offers, Refusal refusal, Reply reply)
    {
        if (call.Catalog.Settings.Get<PaymentSettings>()?.Mpp is not { } settings) return;
        var expires = call.Now + settings.Valid;
        // A price that is not asked any more is not made to last by asking for its terms.
        if (call.Quote is { } quote && quote.Version != call.Catalog.Version && quote.ValidUntil < expires) expires = quote.ValidUntil;
        foreach (var offer in Preferred(call, offers))
        {
            var challenge = Sign(settings, new Challenge
            {
                Realm = Realm(call),
                Method = offer.Intent![..offer.Intent!.IndexOf('/', StringComparison.Ordinal)],
                Intent = offer.Intent[(offer.Intent.IndexOf('/', StringComparison.Ordinal) + 1)..],
                Request = (string)offer.Terms!,
                Expires = Challenge.FormatExpires(expires),
                Digest = call.BodyDigest,
                Opaque = SealedTerms.For(call, expires).Encode(),
                Description = call.Operation.ShortDescription,
                Header = call.KeyInAuthorization ? MppHeaders.PaymentAuthorization : null,
            });
            reply.ChallengeId ??= challenge.Id;
            reply.Headers.Append(MppHeaders.Challenge, challenge.Write());
        }
    }

    public void WriteReceipt(Receipt receipt, Reply reply)
    {
        if (receipt.Credential is not MppPaymentCredential credential) return;
        var challenge = credential.Wire.Challenge;
        reply.Headers[MppHeaders.Receipt] = new MppReceipt
        {
            Method = challenge.Method,
            Reference = receipt.Reference,
            Timestamp = Challenge.FormatExpires(receipt.Time),
            ChallengeId = challenge.Id,
            ChainId = receipt.Network is { } network && Protocols.Evm.KnownNetworks.TryChainId(network, out var chain) ? (long)chain : null,
        }.Encode();
    }

    /// <summary>Only a challenge we signed, for this realm, says anything; whether it fits this call is asked of its terms.</summary>
    private Credential Check(Call call, MppCredential wire, string presented)
    {
        var challenge = wire.Challenge;
        var objection = call.Catalog.Settings.Get<PaymentSettings>()?.Mpp is not { } settings ? new Refusal(Reasons.MethodUnsupported, "MPP is not taken here.")
            : !Signer(settings).Verify(challenge) || challenge.Realm != Realm(call) ? new Refusal(Reasons.InvalidChallenge, "Its challenge was not issued here, or was changed.")
            : null;
        var terms = objection is null && challenge.Opaque is { } opaque ? SealedTerms.Decode(opaque) : null;
        if (objection is null && terms is null) objection = new Refusal(Reasons.InvalidChallenge, "Its challenge carries no terms of ours.");
        return new MppPaymentCredential
        {
            Wire = wire,
            Terms = terms,
            Correlation = terms?.Correlation,
            Objection = objection,
            Forged = objection is not null,
            Method = $"mpp.{challenge.Method}",
            Digest = Credential.DigestOf(presented),
        };
    }

    /// <summary>Filtered and ordered as Accept-Payment asks; when nothing would be left, it is not listened to.</summary>
    private List<Offer> Preferred(Call call, IReadOnlyList<Offer> offers)
    {
        var mine = offers.Where(o => o.Protocol == Name && o.Intent is not null).ToList();
        if (call.Headers[MppHeaders.AcceptPayment].Count == 0 || mine.Count == 0) return mine;
        var accept = AcceptPayment.Parse(call.Headers[MppHeaders.AcceptPayment].ToString());
        var ranked = mine.Select(o => (Offer: o, Rank: Rank(accept, o))).Where(o => o.Rank > 0).OrderByDescending(o => o.Rank).Select(o => o.Offer).ToList();
        return ranked.Count > 0 ? ranked : mine;
    }

    private static int Rank(AcceptPayment accept, Offer offer)
    {
        var slash = offer.Intent!.IndexOf('/', StringComparison.Ordinal);
        return accept.Rank(offer.Intent[..slash], offer.Intent[(slash + 1)..]);
    }

    private static string Realm(Call call) => call.Catalog.Gateway.Url.Host;

    private static Challenge Sign(MppSettings settings, Challenge challenge) => Signer(settings).Sign(challenge);

    private static ChallengeSigner Signer(MppSettings settings) => Signers.GetValue(settings, static s => new ChallengeSigner([.. s.Secrets.Select(secret => secret.Bytes())]));
}
