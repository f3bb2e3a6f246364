using System.Text.Json.Nodes;

namespace Turnpike.Tests.Billing.Stripe;

/// <summary>
/// The double's cards: kept by a checkout that asked for it, charged off-session, and refused the ways banks do. What was created is found
/// by its metadata when <see cref="Search"/> has caught up, as Stripe's search does.
/// </summary>
internal sealed class StripeCards(StripeObjects objects)
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
    public void Keep(string account, JsonObject session, string intent)
    {
        if ((string?)session["customer_creation"] == "always") session["customer"] = (string?)objects.Add(account, "cus", "customer", [])["id"];
        if (!kept.Contains((string)session["id"]!)) return;
        objects[intent]["customer"] = (string?)session["customer"];
        objects[intent]["payment_method"] = (string?)objects.Add(account, "pm", "payment_method", new JsonObject { ["customer"] = (string?)session["customer"], ["type"] = "card" })["id"];
    }

    public JsonObject Expanded(JsonObject session, JsonObject form)
    {
        if (form["expand"]?["0"] is { } wanted && (string?)wanted == "payment_intent" && (string?)session["payment_intent"] is { } intent) session["payment_intent"] = StripeObjects.Copy(objects[intent]);
        return session;
    }

    public JsonObject Do(string method, string[] parts, string account, JsonObject form) => (method, parts) switch
    {
        ("POST", []) => Charge(account, form),
        ("POST", [var id, "cancel"]) => Cancel(objects.Of(account, "payment_intent", id)),
        ("GET", ["search"]) => Found((string)form["query"]!),
        _ => throw StripeRefusal.Missing("route", string.Join('/', parts)),
    };

    private JsonObject Charge(string account, JsonObject form)
    {
        if ((string?)form["off_session"] != "true" || (string?)form["confirm"] != "true") throw StripeRefusal.Invalid("Only off-session charges are made here.");
        var card = objects.Of(account, "payment_method", (string)form["payment_method"]!);
        if ((string?)card["customer"] != (string?)objects.Of(account, "customer", (string)form["customer"]!)["id"]) throw StripeRefusal.Invalid("The payment method does not belong to the customer.", "resource_missing");
        if (form["application_fee_amount"] is not null && account.Length == 0) throw StripeRefusal.Invalid("application_fee_amount needs a connected account.");
        var (amount, currency) = (StripeObjects.Long(form["amount"]), (string)form["currency"]!);
        if (!Answers.TryDequeue(out var said))
        {
            Taken++;
            var id = objects.Charge(account, amount, currency);
            objects[id]["metadata"] = form["metadata"]!.DeepClone();
            return StripeObjects.Copy(objects[id]);
        }
        var intent = objects.Add(account, "pi", "payment_intent", new JsonObject { ["amount"] = amount, ["currency"] = currency, ["status"] = said == "processing" ? said : "requires_payment_method", ["metadata"] = form["metadata"]!.DeepClone() });
        if (said == "processing") return StripeObjects.Copy(intent);
        var error = said == "authentication_required" ? new JsonObject { ["type"] = "card_error", ["code"] = said, ["decline_code"] = said } : new JsonObject { ["type"] = "card_error", ["code"] = "card_declined", ["decline_code"] = said };
        intent["last_payment_error"] = error.DeepClone();
        throw new StripeRefusal(402, "card_error", (string)error["code"]!, "Your card was declined.", said) { Intent = intent };
    }

    /// <summary>A charge that was being processed comes to its end.</summary>
    public void Finish(bool paid)
    {
        var intent = objects.All("payment_intent").Last(i => (string?)i["status"] == "processing");
        intent["status"] = paid ? "succeeded" : "requires_payment_method";
        if (paid) Taken++;
    }

    private static JsonObject Cancel(JsonObject intent)
    {
        if ((string?)intent["status"] is "succeeded" or "processing") throw StripeRefusal.Invalid("You cannot cancel this PaymentIntent.", "payment_intent_unexpected_state");
        intent["status"] = "canceled";
        return StripeObjects.Copy(intent);
    }

    private JsonObject Found(string query)
    {
        var name = query.Split('\'')[3];
        return new JsonObject
        {
            ["object"] = "search_result", ["has_more"] = false, ["url"] = "/v1/payment_intents/search",
            ["data"] = new JsonArray([.. objects.All("payment_intent").Where(i => Search && (string?)i["metadata"]?["turnpike_purchase"] == name).Select(i => (JsonNode)StripeObjects.Copy(i))]),
        };
    }
}
