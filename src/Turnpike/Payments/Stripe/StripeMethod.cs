using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Payments.Mpp;
using Turnpike.Protocols.Mpp;

namespace Turnpike.Payments.Stripe;

/// <summary>
/// MPP's method <c>stripe</c>, intent charge: a Shared Payment Token becomes a PaymentIntent. Stripe has no word for "would it
/// work?", so the money is always collected before forwarding.
/// </summary>
internal sealed class StripeMethod(CurrentPayments current, HttpClients clients, TimeProvider time) : IPaymentMethod
{
    private const int MostKept = 1_000;
    private static readonly string[] Kinds = ["card", "link"];
    private static readonly SendAs Send = new(MppHeaders.Authorization, "Payment base64url(JSON {challenge, payload})");
    private readonly ConditionalWeakTable<ServiceCatalog, ConcurrentDictionary<Money, IReadOnlyList<Offer>>> books = [];
    private readonly ConcurrentDictionary<StripeSettings, StripeCharge> charges = new();

    public string Name => "mpp.stripe";

    public string Protocol => "mpp";

    public bool SettlesBefore => true;

    public IReadOnlyList<Offer> Offer(Call call) => call.Quote is { } quote ? Offers(call, quote.Ceiling) : [];

    public Answer? Identify(Payment payment)
    {
        var credential = (MppPaymentCredential)payment.Credential!;
        (payment.PriceVersion, payment.Agreed) = (credential.Terms?.PriceVersion ?? payment.Call.Quote!.Version, credential.Terms?.Amount ?? payment.Call.Quote!.Ceiling);
        var challenge = credential.Wire.Challenge;
        if (challenge is not { Method: ChargeRequest.StripeMethod, Intent: ChargeRequest.Intent } || !Offers(payment.Call, payment.Ceiling).Any(o => (string)o.Terms! == challenge.Request))
            return new Refusal(Reasons.InvalidChallenge, "Its challenge is for other terms than these.");
        payment.HoldId = "stripe:" + challenge.Id;
        return null;
    }

    /// <summary>Local only: a token is proven by charging it.</summary>
    public ValueTask<Answer?> VerifyAsync(Payment payment, CancellationToken ct)
    {
        var wire = ((MppPaymentCredential)payment.Credential!).Wire;
        if (StripePayload.Parse(wire.Payload, out var fault) is not { } payload) return Refused(Reasons.MalformedCredential, $"Its payload is not a Shared Payment Token: {fault}.");
        // Our requests carry no externalId: absent is what they say (older clients), anything else is for another request.
        if (payload.ExternalId is not null) return Refused(Reasons.InvalidChallenge, "Its externalId is not the challenge's.");
        if (StripeCurrencies.MinorOf(payment.Ceiling) is not { } minor) return Refused(Reasons.MethodUnsupported, "Stripe does not take this amount.");
        payment.Payer = "stripe:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(payload.Spt)).AsSpan(0, 10));
        payment.Legs = [new Leg($"external:{payment.Payer}", $"revenue:{payment.Call.Operation.Name}", payment.Ceiling, Limited: false)];
        payment.Terms = new StripeTerms(wire.Challenge.Id, payload.Spt, minor, payment.Ceiling.Currency.ToLowerInvariant()).ToJson();
        return ValueTask.FromResult<Answer?>(null);
    }

    public ValueTask<Settlement> SettleAsync(HoldState captured, CancellationToken ct) => SettleAsync(captured, first: false, ct);

    /// <summary>What Stripe repeats to the first try was charged by somebody else (GHSA-8mhj-rffc-rcvw); to any other it may be ours.</summary>
    public ValueTask<Settlement> SettleFirstAsync(HoldState captured, CancellationToken ct) => SettleAsync(captured, first: true, ct);

    /// <summary>Nothing but what the books hold: the terms and the idempotency key they imply say it all.</summary>
    private async ValueTask<Settlement> SettleAsync(HoldState captured, bool first, CancellationToken ct)
    {
        if (StripeTerms.FromJson(captured.Hold.Terms) is not { } terms) return new Settlement.Unknown(null, "The hold does not hold a Stripe charge.");
        if (current()?.Mpp?.Stripe is not { } settings) return new Settlement.Unknown(null, "Stripe is not configured any more.");
        var charge = charges.GetOrAdd(settings, s => new StripeCharge(new StripeClient(clients(s.Api, StripeClient.Timeout, StripeClient.MostBytes), s), time));
        return await charge.SettleAsync(terms, captured.Created, first, ct);
    }

    private IReadOnlyList<Offer> Offers(Call call, Money amount)
    {
        if (call.Catalog.Settings.Get<PaymentSettings>()?.Mpp?.Stripe is not { } settings) return [];
        var book = books.GetValue(call.Catalog, static _ => new ConcurrentDictionary<Money, IReadOnlyList<Offer>>());
        if (book.TryGetValue(amount, out var known)) return known;
        IReadOnlyList<Offer> offers = StripeCurrencies.MinorOf(amount) is { } minor ? [OfferOf(settings, minor, amount.Currency.ToLowerInvariant())] : [];
        if (book.Count < MostKept) book[amount] = offers;
        return offers;
    }

    private Offer OfferOf(StripeSettings settings, long minor, string currency) =>
        new(Protocol, Name, null, minor.ToString(CultureInfo.InvariantCulture), currency, null, Send, ChargeRequest.Stripe(minor, currency, settings.Profile, Kinds)) { Intent = "stripe/charge" };

    private static ValueTask<Answer?> Refused(Reason reason, string detail) => ValueTask.FromResult<Answer?>(new Refusal(reason, detail));
}
