using System.Globalization;
using System.Text.Json;
using Turnpike.Catalog;
using Turnpike.Payments;

namespace Turnpike.Gateway;

/// <summary>The body of a refusal: RFC 9457 problem details, ours and the protocols' fields. The shape is in docs/contract.md.</summary>
internal static class ProblemWriter
{
    public static void Write(Utf8JsonWriter json, Call call, Refusal refusal, IReadOnlyList<Offer> offers, Reply reply)
    {
        var reason = refusal.Reason;
        json.WriteStartObject();
        json.WriteString("type", reason.Type);
        json.WriteString("title", reason.Title);
        json.WriteNumber("status", reason.Status);
        json.WriteString("detail", refusal.Detail);
        json.WriteString("reason", reason.Code);
        json.WriteString("hint", reason.Hint);
        json.WriteString("correlation", call.Correlation);
        if (refusal.Code is { } code) json.WriteString("code", code);
        if (reply.ChallengeId is { } challenge) json.WriteString("challengeId", challenge);
        if (refusal.RetryAfter is { } wait) json.WriteNumber("retryAfter", Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)));
        if (refusal.Receipt is { } receipt) json.WriteString("receipt", receipt);
        if (refusal.Level is { } level) json.WriteString("level", level);
        if (refusal.Limit is { } limit) WriteLimit(json, limit);
        if (refusal.ApprovalUrl is { } approval)
        {
            json.WriteStartObject("approval");
            json.WriteString("url", approval);
            json.WriteEndObject();
        }
        if (reason.Status == 402) WriteTerms(json, call, offers);
        // Whoever had money here and has too little of it now: where there is more.
        if (reason.Status == 402 && reason != Reasons.PaymentRequired && offers.FirstOrDefault(o => o.Url is not null) is { Url: { } shop }) json.WriteString("topUpUrl", shop);
        reply.WriteFields(json);
        json.WriteEndObject();
    }

    private static void WriteTerms(Utf8JsonWriter json, Call call, IReadOnlyList<Offer> offers)
    {
        json.WriteStartObject("resource");
        json.WriteString("operation", call.Operation.Name);
        json.WriteString("url", call.Url);
        if (call.Operation.Description is { } description) json.WriteString("description", description);
        json.WriteEndObject();
        if (call.Quote is { } quote)
        {
            json.WriteStartObject("price");
            json.WriteString("amount", quote.Ceiling.ToDecimal());
            json.WriteString("currency", quote.Ceiling.Currency);
            json.WriteString("unit", quote.Unit);
            if (call.Operation.ChargeOn is { On: not ChargeMoment.Success } rule) json.WriteString("chargeOn", rule.Told);
            json.WriteEndObject();
            json.WriteString("quote", quote.Version);
            json.WriteString("validUntil", quote.ValidUntil.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
        }
        json.WriteStartArray("offers");
        foreach (var offer in offers) WriteOffer(json, offer);
        json.WriteEndArray();
    }

    private static void WriteOffer(Utf8JsonWriter json, Offer offer)
    {
        json.WriteStartObject();
        json.WriteString("protocol", offer.Protocol);
        json.WriteString("method", offer.Method);
        json.WriteString("network", offer.Network);
        json.WriteString("amount", offer.Amount);
        json.WriteString("currency", offer.Currency);
        json.WriteString("recipient", offer.Recipient);
        json.WriteStartObject("send");
        json.WriteString("header", offer.Send.Header);
        json.WriteString("format", offer.Send.Format);
        json.WriteEndObject();
        if (offer.Url is { } url) json.WriteString("url", url);
        json.WriteEndObject();
    }

    /// <summary>A count, or money as decimal text: no reader's floating point gets near it.</summary>
    private static void WriteAmount(Utf8JsonWriter json, string name, long units, string unit)
    {
        if (Ledger.Money.IsMoney(unit)) json.WriteString(name, new Ledger.Money(units, unit).ToDecimal());
        else json.WriteNumber(name, units);
    }

    private static void WriteLimit(Utf8JsonWriter json, LimitState limit)
    {
        WriteAmount(json, "limit", limit.Limit, limit.Unit);
        WriteAmount(json, "used", limit.Used, limit.Unit);
        json.WriteString("resetAt", limit.ResetAt.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
        json.WriteStartArray("violated-policies");
        json.WriteStringValue(limit.Name);
        json.WriteEndArray();
    }
}
