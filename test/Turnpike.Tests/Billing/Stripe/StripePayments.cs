using System.Text.Json.Nodes;

namespace Turnpike.Tests.Billing.Stripe;

/// <summary>Stripe's payment intents, charges, refunds, disputes, and the tokens by which an agent's wallet lets a seller charge it (MPP).</summary>
internal sealed class StripePayments(StripeObjects objects)
{
    private const string Token = "shared_payment.granted_token";
    private static readonly Dictionary<string, long> Minimums = new() { ["usd"] = 50, ["eur"] = 50, ["gbp"] = 30, ["jpy"] = 50 };

    /// <summary>Whose tokens are taken; null: anybody's.</summary>
    public string? Profile { get; set; }

    /// <summary>How refunds begin.</summary>
    public string RefundStatus { get; set; } = "succeeded";

    /// <summary>The wallet's side: a token for one seller, in one currency, up to an amount, until a moment.</summary>
    public JsonObject Grant(JsonObject form)
    {
        var limits = form["usage_limits"] as JsonObject ?? [];
        if (limits["currency"] is null || !long.TryParse((string?)limits["max_amount"], out var most) || !long.TryParse((string?)limits["expires_at"], out var expires) || form["payment_method"] is null || form["seller_details"]?["network_id"] is null)
            throw StripeRefusal.Invalid("A token needs payment_method, usage_limits and seller_details.", "parameter_missing");
        var token = objects.Add("", "spt", Token, new JsonObject { ["card"] = (string)form["payment_method"]!, ["most"] = most, ["currency"] = (string)limits["currency"]!, ["expires"] = expires, ["seller"] = (string)form["seller_details"]!["network_id"]! });
        return new JsonObject { ["id"] = (string)token["id"]!, ["object"] = Token };
    }

    /// <summary>The same under a name of the test's own.</summary>
    public void Grant(string id, string card, long most = 100_000_000, string currency = "usd") =>
        objects.Put("", id, Token, new JsonObject { ["card"] = card, ["most"] = most, ["currency"] = currency, ["expires"] = long.MaxValue / 4, ["seller"] = Profile });

    public JsonObject NewIntent(string account, JsonObject form, string? version)
    {
        if (version?.EndsWith(".preview", StringComparison.Ordinal) != true) throw StripeRefusal.Invalid("Received unknown parameter: shared_payment_granted_token", "parameter_unknown");
        var (amount, currency) = (StripeObjects.Long(StripeObjects.Needed(form, "amount")), StripeObjects.Needed(form, "currency"));
        if (!Minimums.TryGetValue(currency, out var least)) throw StripeRefusal.Invalid($"Invalid currency: {currency}.", "parameter_invalid_string_blank");
        if (amount < least) throw StripeRefusal.Invalid($"Amount must be at least {least} {currency}.", "amount_too_small");
        if ((string?)form["confirm"] != "true") throw StripeRefusal.Invalid("A shared payment token is used by confirming.", "parameter_missing");
        if ((string?)form["automatic_payment_methods"]?["allow_redirects"] != "never") throw StripeRefusal.Invalid("return_url is needed unless redirects are never allowed.", "parameter_missing");
        var token = Usable(StripeObjects.Needed(form, "shared_payment_granted_token"), amount, currency);
        var card = (string)token["card"]!;
        var refuses = StripeCards.Refuses(card);
        if (refuses is null) token["used"] = true;
        return Charged(account, amount, currency, card, form["metadata"]?.DeepClone() as JsonObject, refuses, card == StripeCards.AsksItsOwner);
    }

    /// <summary>An intent that has ended: its charge is there, or the reason why not.</summary>
    public JsonObject Charged(string account, long amount, string currency, string card, JsonObject? metadata, StripeRefusal? refuses, bool asks = false)
    {
        var intent = objects.Add(account, "pi", "payment_intent", new JsonObject { ["amount"] = amount, ["currency"] = currency, ["metadata"] = metadata ?? [], ["status"] = refuses is not null ? "requires_payment_method" : asks ? "requires_action" : "succeeded" });
        if (asks && refuses is null) return intent;
        var charge = objects.Add(account, "ch", "charge", new JsonObject { ["amount"] = amount, ["amount_refunded"] = 0, ["currency"] = currency, ["payment_intent"] = (string)intent["id"]!, ["status"] = refuses is null ? "succeeded" : "failed", ["refunded"] = false, ["disputed"] = false });
        intent["latest_charge"] = (string)charge["id"]!;
        if (refuses is not null)
        {
            intent["last_payment_error"] = StripeCards.Error(refuses);
            objects.Emit("payment_intent.payment_failed", account, intent);
            throw refuses.Of(intent, (string)charge["id"]!);
        }
        objects.Add(account, "txn", "balance_transaction", new JsonObject { ["amount"] = amount, ["fee"] = amount * 29 / 1000 + 30, ["currency"] = currency, ["type"] = "charge" });
        objects.Emit("payment_intent.succeeded", account, intent);
        return intent;
    }

    public JsonObject Cancel(string account, string id)
    {
        var intent = objects.Of(account, "payment_intent", id);
        if ((string?)intent["status"] is "succeeded" or "processing") throw StripeRefusal.Invalid($"You cannot cancel this PaymentIntent because it has a status of {intent["status"]}.", "payment_intent_unexpected_state");
        intent["status"] = "canceled";
        return intent;
    }

    /// <summary><c>metadata['name']:'value'</c>, the one query that is asked.</summary>
    public JsonObject Search(string account, JsonObject form)
    {
        var parts = StripeObjects.Needed(form, "query").Split('\'');
        if (parts.Length != 5 || parts[0] != "metadata[" || parts[2] != "]:") throw StripeRefusal.Invalid("We were unable to parse your search query.");
        var found = objects.All("payment_intent", account).Where(i => objects.Saved.Search && (string?)i["metadata"]?[parts[1]] == parts[3]);
        return new JsonObject { ["object"] = "search_result", ["data"] = new JsonArray([.. found.Select(i => (JsonNode)i.DeepClone())]), ["has_more"] = false, ["url"] = "/v1/payment_intents/search" };
    }

    public JsonObject NewRefund(string account, JsonObject form)
    {
        var intent = objects.Of(account, "payment_intent", StripeObjects.Needed(form, "payment_intent"), parameter: true);
        if ((string?)intent["status"] != "succeeded") throw StripeRefusal.Invalid("This PaymentIntent does not have a successful charge to refund.", "payment_intent_unexpected_state");
        var charge = ChargeOf((string)intent["id"]!);
        var left = StripeObjects.Long(charge["amount"]) - StripeObjects.Long(charge["amount_refunded"]);
        var amount = form["amount"] is { } some ? StripeObjects.Long(some) : left;
        if (left == 0) throw StripeRefusal.Invalid($"Charge {charge["id"]} has already been refunded.", "charge_already_refunded");
        if (amount < 1) throw StripeRefusal.Invalid("Invalid positive integer", "parameter_invalid_integer");
        if (amount > left) throw StripeRefusal.Invalid($"Refund amount ({amount}) is greater than unrefunded amount on charge ({left}).");
        charge["amount_refunded"] = StripeObjects.Long(charge["amount_refunded"]) + amount;
        charge["refunded"] = amount == left;
        var refund = objects[(string)objects.New(account, "re", "refund", form, ["payment_intent", "metadata", "reason"])["id"]!];
        (refund["amount"], refund["status"], refund["currency"], refund["charge"]) = (amount, RefundStatus, (string)charge["currency"]!, (string)charge["id"]!);
        objects.Emit("charge.refunded", account, charge);
        return refund;
    }

    public JsonObject ChargeOf(string intent) => objects.All("charge").Last(c => (string?)c["payment_intent"] == intent);

    /// <summary>The buyer's bank takes the money back for now.</summary>
    public JsonObject Dispute(string intent, long? amount = null)
    {
        var (charge, account) = (ChargeOf(intent), objects.AccountOf(intent));
        charge["disputed"] = true;
        var dispute = objects.Add(account, "dp", "dispute", new JsonObject
        {
            ["amount"] = amount ?? StripeObjects.Long(charge["amount"]), ["currency"] = (string)charge["currency"]!, ["charge"] = (string)charge["id"]!, ["payment_intent"] = intent, ["reason"] = "product_not_received", ["status"] = "needs_response",
            ["evidence"] = new JsonObject(), ["evidence_details"] = new JsonObject { ["due_by"] = 1_900_000_000, ["has_evidence"] = false, ["submission_count"] = 0 }, ["metadata"] = new JsonObject(),
        });
        objects.Emit("charge.dispute.created", account, dispute);
        return dispute;
    }

    /// <summary>The bank has decided.</summary>
    public JsonObject Close(string dispute, string outcome)
    {
        var closed = objects[dispute];
        closed["status"] = outcome;
        objects.Emit("charge.dispute.closed", objects.AccountOf(dispute), closed);
        return closed;
    }

    public JsonObject Submit(string account, string id, JsonObject form)
    {
        var dispute = objects.Of(account, "dispute", id);
        if ((string?)dispute["status"] is not ("needs_response" or "warning_needs_response")) throw StripeRefusal.Invalid("This dispute is no longer open for evidence.");
        foreach (var (name, value) in form["evidence"] as JsonObject ?? []) ((JsonObject)dispute["evidence"]!)[name] = value!.DeepClone();
        ((JsonObject)dispute["evidence_details"]!)["has_evidence"] = true;
        if ((string?)form["submit"] != "false") dispute["status"] = "under_review";
        return dispute;
    }

    private JsonObject Usable(string id, long amount, string currency)
    {
        var token = objects.Of("", Token, id, parameter: true);
        if (Profile is not null && (string?)token["seller"] is { } seller && seller != Profile) throw StripeRefusal.Missing(Token, id, 400);
        if (token["used"] is not null) throw StripeRefusal.Invalid("This shared payment token was used before.", "shared_payment_token_used");
        if (StripeObjects.Long(token["expires"]) <= objects.Now.ToUnixTimeSeconds()) throw StripeRefusal.Invalid("This shared payment token has expired.", "shared_payment_token_expired");
        if (amount > StripeObjects.Long(token["most"])) throw StripeRefusal.Invalid("The amount is over the token's limit.", "amount_too_large");
        return (string?)token["currency"] == currency ? token : throw StripeRefusal.Invalid("The token is for another currency.", "currency_mismatch");
    }
}
