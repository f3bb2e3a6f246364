using System.Text.Json;
using Turnpike.Ledger;

namespace Turnpike.Billing.Automatic;

/// <summary>What is told of a consent, on its page, as JSON, and to operators: everything but the token.</summary>
/// <param name="Charged">In this calendar month, what may have been included.</param>
internal sealed record MandateView(Mandate Mandate, Money Charged, IReadOnlyList<(string Id, Money Price, PurchaseStatus Status, DateTimeOffset Created)> Charges, string Page)
{
    public string Status => StatusOf(Mandate);

    /// <summary>Why it is not active, as a sentence; null while it is.</summary>
    public string? Because => Mandate is { Status: MandateStatus.Active or MandateStatus.Asked } ? null : Mandate.Why switch
    {
        CardCharges.Authentication => "Your bank wants you to confirm the payment: pay once more here, and it goes on.",
        "reversed" => "A payment for this token went back.",
        null => null,
        var why when Mandate.Status == MandateStatus.Paused => $"The card was refused ({why}).",
        var why => why,
    };

    public static string StatusOf(Mandate mandate) => mandate.Status.ToString().ToLowerInvariant();

    public void Write(Utf8JsonWriter json, string? notice)
    {
        json.WriteStartObject();
        if (notice is not null)
        {
            json.WriteBoolean("sandbox", true);
            json.WriteString("notice", notice);
        }
        json.WriteString("id", Mandate.Id);
        json.WriteString("operation", Mandate.Operation);
        json.WriteString("status", Status);
        if (Mandate.Status is MandateStatus.Paused or MandateStatus.Ended && Mandate.Why is { } why) json.WriteString("why", why);
        json.WriteString("terms", Mandate.Terms.Told);
        BuyAnswers.Write(json, "price", Mandate.Terms.Price);
        BuyAnswers.Write(json, "budget", Mandate.Terms.Budget);
        BuyAnswers.Write(json, "below", Mandate.Terms.Below);
        BuyAnswers.Write(json, "monthly", Mandate.Terms.Monthly);
        BuyAnswers.Write(json, "charged", Charged);
        json.WriteString("agreed", Mandate.Created);
        json.WriteString("page", Page);
        json.WriteStartArray("charges");
        foreach (var charge in Charges)
        {
            json.WriteStartObject();
            json.WriteString("purchase", charge.Id);
            BuyAnswers.Write(json, "price", charge.Price);
            json.WriteString("status", charge.Status switch { PurchaseStatus.Paid => "paid", PurchaseStatus.Ended => "not charged", _ => "being charged" });
            json.WriteString("created", charge.Created);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
