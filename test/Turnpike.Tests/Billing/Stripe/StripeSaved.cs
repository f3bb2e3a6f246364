using System.Text.Json.Nodes;

namespace Turnpike.Tests.Billing.Stripe;

/// <summary>
/// Cards that a checkout kept, charged while their owners are away, and refused the ways banks do. What was created is found by its
/// metadata when <see cref="Search"/> has caught up, as Stripe's search does.
/// </summary>
internal sealed class StripeSaved(StripeObjects objects)
{
    private readonly HashSet<string> kept = [];

    /// <summary>What banks answer next, one for each charge: a decline code, <c>authentication_required</c>, or <c>processing</c>; else it succeeds.</summary>
    public Queue<string> Answers { get; } = [];

    /// <summary>Whether what was made is found by search; Stripe's index is behind for a while.</summary>
    public bool Search { get; set; } = true;

    /// <summary>Every off-session charge that took money.</summary>
    public int Taken { get; private set; }

    public void Agreed(string session, JsonObject form)
    {
        if ((string?)form["payment_intent_data"]?["setup_future_usage"] == "off_session") kept.Add(session);
    }

    /// <summary>The buyer paid: the customer and the card of a session that keeps them.</summary>
    public void Keep(string account, JsonObject session, string card)
    {
        if ((string?)session["customer_creation"] == "always") session["customer"] = (string?)objects.Add(account, "cus", "customer", [])["id"];
        if (!kept.Contains((string)session["id"]!)) return;
        var intent = objects[(string)session["payment_intent"]!];
        intent["customer"] = (string?)session["customer"];
        intent["payment_method"] = (string?)objects.Add(account, "pm", "payment_method", new JsonObject { ["customer"] = (string?)session["customer"], ["type"] = "card", ["_card"] = card })["id"];
    }

    public JsonObject Expanded(JsonObject session, JsonObject form)
    {
        if (form["expand"]?["0"] is { } wanted && (string?)wanted == "payment_intent" && (string?)session["payment_intent"] is { } intent) session["payment_intent"] = StripeObjects.Copy(objects[intent]);
        return session;
    }

    public JsonObject Charge(string account, JsonObject form)
    {
        if ((string?)form["confirm"] != "true") throw StripeRefusal.Invalid("off_session needs confirm.", "parameter_missing");
        var card = objects.Of(account, "payment_method", StripeObjects.Needed(form, "payment_method"), parameter: true);
        if ((string?)card["customer"] != (string?)objects.Of(account, "customer", StripeObjects.Needed(form, "customer"), parameter: true)["id"]) throw StripeRefusal.Invalid("The payment method does not belong to the customer.", "resource_missing");
        if (form["application_fee_amount"] is not null && account.Length == 0) throw StripeRefusal.Invalid("application_fee_amount needs a connected account.");
        var (amount, currency, metadata) = (StripeObjects.Long(form["amount"]), (string)form["currency"]!, (JsonObject?)form["metadata"]?.DeepClone());
        Answers.TryDequeue(out var said);
        if (said == "processing") return objects.Add(account, "pi", "payment_intent", new JsonObject { ["amount"] = amount, ["currency"] = currency, ["status"] = said, ["metadata"] = metadata });
        var refuses = said is null ? StripeCards.Refuses((string)card["_card"]!, offSession: true) : StripeCards.Declined(said == StripeCards.Authentication ? said : "card_declined", said, "Your card was declined.");
        var intent = objects.Payments.Charged(account, amount, currency, (string)card["_card"]!, metadata, refuses);
        Taken++;
        return intent;
    }

    /// <summary>A charge that was being processed comes to its end.</summary>
    public void Finish(bool paid)
    {
        var intent = objects.All("payment_intent").Last(i => (string?)i["status"] == "processing");
        intent["status"] = paid ? "succeeded" : "requires_payment_method";
        if (paid) Taken++;
    }
}
