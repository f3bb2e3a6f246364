using System.Globalization;
using Turnpike.Catalog;
using Turnpike.Payments.Sessions;
using Turnpike.Protocols.Http;

namespace Turnpike.Payments;

/// <summary>What is said about payment: terms before, receipts after. Protocols write their own headers.</summary>
internal sealed class PaymentReplies(PaymentRegistry rails, SessionPasses sessions)
{
    private const long MostDigested = 1024 * 1024;

    /// <summary>The request headers that make an answer differ: for Vary.</summary>
    public string CredentialHeaders => rails.CredentialHeaders;

    /// <summary>Says the terms in every protocol, best offer first. Never empty for a priced operation: the catalog refuses such.</summary>
    public async ValueTask<IReadOnlyList<Offer>> ChallengeAsync(Call call, Refusal refusal, Reply reply)
    {
        if (call.Quote is null) return [];
        call.BodyDigest ??= await DigestAsync(call);
        var offers = rails.Offers(call);
        foreach (var protocol in rails.Protocols) protocol.WriteChallenge(call, offers, refusal, reply);
        return offers;
    }

    /// <summary>Says that a settlement is pending, in the protocol that paid, without new terms: nobody shall pay twice.</summary>
    public void WriteFailure(Call call, Refusal refusal, Reply reply)
    {
        foreach (var protocol in rails.Protocols)
            if (protocol.Name == refusal.Failure!.Protocol) protocol.WriteChallenge(call, [], refusal, reply);
    }

    /// <summary>The headers of a paid answer.</summary>
    public void WriteReceipt(Payment payment, Reply reply)
    {
        var (state, call) = (payment.State!, payment.Call);
        reply.Headers["Turnpike-Receipt"] = ReceiptUrl(call, state.Hold.Receipt);
        reply.Headers["Turnpike-Cost"] = state.Captured.ToString();
        WriteUntil(payment, reply);
        if (payment.Session is { } lasts)
            foreach (var (name, value) in sessions.Issue(state, lasts)) reply.Headers[name] = value;
        if (payment.Method!.Remaining(payment) is { } left) reply.Headers["Turnpike-Remaining"] = left.ToString();
        var receipt = new Receipt(payment.Credential!.Protocol, payment.Method.Name, state.Reference ?? state.Hold.Receipt, state.Captured, state.Hold.Payer, state.Changed)
        {
            Credential = payment.Credential,
            Network = payment.Method.NetworkOf(payment),
            RailAmount = state.RailAmount,
            ByCredit = payment.ByCredit,
        };
        foreach (var protocol in rails.Protocols)
            if (protocol.Name == receipt.Protocol) protocol.WriteReceipt(receipt, reply);
    }

    /// <summary>Where a receipt is, or will be.</summary>
    public static string ReceiptUrl(Call call, string receipt) => $"{call.Catalog.Gateway.Url.GetLeftPart(UriPartial.Authority)}/receipts/{receipt}";

    /// <summary>The headers of an answer that is charged when it has ended: where its receipt will be.</summary>
    public static void WritePromise(Payment payment, Reply reply)
    {
        reply.Headers["Turnpike-Receipt"] = ReceiptUrl(payment.Call, payment.State!.Hold.Receipt);
        WriteUntil(payment, reply);
    }

    private static void WriteUntil(Payment payment, Reply reply)
    {
        if (payment.MayBeAskedAgain) reply.Headers["Turnpike-Answer-Until"] = (payment.Call.Now + payment.Answers.Keep).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
    }

    /// <summary>SHA-256 of a request's body, so that a proof made for one body does not buy another; null without one, or when it is large and nobody had to read it.</summary>
    public static async ValueTask<string?> DigestAsync(Call call)
    {
        if (call.ReadBody is null || call.BodyLength == 0 && call.Headers.ContentLength is > MostDigested) return null;
        var body = await call.ReadBody(CancellationToken.None);
        return body.Length == 0 ? null : ContentDigest.Compute(body.Span);
    }
}
