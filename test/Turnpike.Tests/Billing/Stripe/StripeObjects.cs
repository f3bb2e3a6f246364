using System.Globalization;
using System.Text.Json.Nodes;

namespace Turnpike.Tests.Billing.Stripe;

/// <summary>Stripe's objects, each with its state, on the account it was made on.</summary>
internal sealed class StripeObjects
{
    private readonly Dictionary<string, (JsonObject Json, string Account)> all = [];
    private int serial;

    /// <summary>The tax of every invoice with automatic tax, in percent.</summary>
    public int Tax { get; set; } = 19;

    /// <summary>Where pages of Stripe's are.</summary>
    public string Pages { get; set; } = "https://stripe.test";

    /// <summary>A number, whatever it was made of.</summary>
    public static long Long(JsonNode? number) => long.Parse(number!.ToString(), CultureInfo.InvariantCulture);

    public string NewId(string prefix) => $"{prefix}_{Interlocked.Increment(ref serial):d8}";

    /// <summary>All objects of a kind, oldest first.</summary>
    public IReadOnlyList<JsonObject> All(string kind) => [.. all.Values.Select(o => o.Json).Where(o => (string?)o["object"] == kind)];

    public JsonObject this[string id] => all[id].Json;

    public JsonObject Do(string method, string path, string account, JsonObject form)
    {
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries)[1..];
        return (method, parts) switch
        {
            ("POST", ["customers"]) => New(account, "cus", "customer", form, ["name", "email", "address", "metadata"]),
            ("POST", ["invoices"]) => NewInvoice(account, form),
            ("POST", ["invoiceitems"]) => NewItem(account, form),
            ("POST", ["invoices", var id, var verb]) => Invoice(account, id, verb, form),
            ("POST", ["credit_notes"]) => NewCredit(account, form),
            ("POST", ["checkout", "sessions"]) => NewSession(account, form),
            ("POST", ["billing_portal", "sessions"]) => NewPortal(account, form),
            ("POST", ["refunds"]) => NewRefund(account, form),
            ("POST", ["disputes", var id]) => Submit(account, id, form),
            ("GET", ["invoices"]) => List(account, "invoice", form, "customer"),
            ("GET", ["invoiceitems"]) => List(account, "invoiceitem", form, "invoice"),
            ("GET", ["credit_notes"]) => List(account, "credit_note", form, "invoice"),
            ("GET", ["refunds"]) => List(account, "refund", form, "payment_intent"),
            ("GET", ["balance_transactions"]) => List(account, "balance_transaction", form, "type"),
            ("GET", ["checkout", "sessions", var id]) => Copy(Of(account, "checkout.session", id)),
            ("GET", ["invoices" or "refunds" or "disputes", var id]) => Copy(Of(account, parts[0][..^1], id)),
            _ => throw StripeRefusal.Missing("route", path),
        };
    }

    /// <summary>The buyer pays on Stripe's page; where the page then goes.</summary>
    public string Pay(string session)
    {
        var paid = this[session];
        if ((string?)paid["payment_status"] != "paid")
        {
            var intent = Charge(all[session].Account, Long(paid["amount_total"]), (string)paid["currency"]!);
            (paid["status"], paid["payment_status"], paid["payment_intent"]) = ("complete", "paid", intent);
        }
        return ((string)paid["success_url"]!).Replace("{CHECKOUT_SESSION_ID}", session, StringComparison.Ordinal);
    }

    /// <summary>The customer pays an invoice on Stripe's page.</summary>
    public void PayInvoice(string id)
    {
        var invoice = this[id];
        var intent = Charge(all[id].Account, Long(invoice["total"]), (string)invoice["currency"]!);
        (invoice["status"], invoice["paid"], invoice["amount_paid"], invoice["amount_due"], invoice["payment_intent"]) = ("paid", true, Long(invoice["total"]), 0, intent);
    }

    /// <summary>Somebody gives back in Stripe's dashboard; the charge as it stands then.</summary>
    public JsonObject RefundInDashboard(string intent, long amount)
    {
        NewRefund(all[intent].Account, new JsonObject { ["payment_intent"] = intent, ["amount"] = Text(amount) });
        return ChargeOf(intent);
    }

    public JsonObject ChargeOf(string intent) => All("charge").Single(c => (string?)c["payment_intent"] == intent);

    /// <summary>The buyer's bank takes the money back for now.</summary>
    public JsonObject Dispute(string intent, long? amount = null)
    {
        var charge = ChargeOf(intent);
        charge["disputed"] = true;
        return Add(all[intent].Account, "dp", "dispute", new JsonObject
        {
            ["amount"] = amount ?? Long(charge["amount"]), ["currency"] = (string)charge["currency"]!, ["charge"] = (string)charge["id"]!, ["payment_intent"] = intent, ["reason"] = "product_not_received", ["status"] = "needs_response",
            ["evidence"] = new JsonObject(), ["evidence_details"] = new JsonObject { ["due_by"] = 1_900_000_000, ["has_evidence"] = false, ["submission_count"] = 0 }, ["metadata"] = new JsonObject(),
        });
    }

    /// <summary>A card is charged; the payment intent.</summary>
    public string Charge(string account, long amount, string currency)
    {
        var intent = Add(account, "pi", "payment_intent", new JsonObject { ["amount"] = amount, ["currency"] = currency, ["status"] = "succeeded" });
        Add(account, "ch", "charge", new JsonObject { ["amount"] = amount, ["amount_refunded"] = 0, ["currency"] = currency, ["payment_intent"] = (string)intent["id"]!, ["status"] = "succeeded", ["refunded"] = false });
        Add(account, "txn", "balance_transaction", new JsonObject { ["amount"] = amount, ["fee"] = amount * 29 / 1000 + 30, ["currency"] = currency, ["type"] = "charge" });
        return (string)intent["id"]!;
    }

    /// <summary>Stripe pays the balance out to the owner's bank.</summary>
    public void PayOut(string account, long amount, string currency) => Add(account, "txn", "balance_transaction", new JsonObject { ["amount"] = -amount, ["fee"] = 0, ["currency"] = currency, ["type"] = "payout" });

    private JsonObject NewInvoice(string account, JsonObject form)
    {
        Of(account, "customer", Needed(form, "customer"));
        if ((string?)form["collection_method"] == "send_invoice" && form["days_until_due"] is null && form["due_date"] is null) throw StripeRefusal.Invalid("If invoice collection method is `send_invoice`, you must specify either `due_date` or `days_until_due`.");
        if (form["application_fee_amount"] is not null && account.Length == 0) throw StripeRefusal.Invalid("application_fee_amount needs a connected account.");
        var invoice = New(account, "in", "invoice", form, ["customer", "currency", "collection_method", "description", "metadata", "application_fee_amount"]);
        var made = this[(string)invoice["id"]!];
        (made["status"], made["subtotal"], made["total"], made["amount_due"], made["paid"], made["automatic_tax"]) = ("draft", 0, 0, 0, false, new JsonObject { ["enabled"] = (string?)form["automatic_tax"]?["enabled"] == "true" });
        if (form["days_until_due"] is { } days) made["due_date"] = 1_800_000_000L + long.Parse((string)days!, CultureInfo.InvariantCulture) * 86_400;
        return Copy(made);
    }

    private JsonObject NewItem(string account, JsonObject form)
    {
        var invoice = Of(account, "invoice", Needed(form, "invoice"));
        if ((string?)invoice["status"] != "draft") throw StripeRefusal.Invalid("This invoice is no longer editable.", "invoice_not_editable");
        if ((string?)invoice["currency"] != (string?)form["currency"]) throw StripeRefusal.Invalid("The currency of the invoice item differs from the invoice's.");
        var amount = long.Parse(Needed(form, "amount"), CultureInfo.InvariantCulture);
        var item = this[(string)New(account, "ii", "invoiceitem", form, ["customer", "invoice", "currency", "description", "metadata"])["id"]!];
        item["amount"] = amount;
        invoice["subtotal"] = Long(invoice["subtotal"]) + amount;
        invoice["total"] = Long(invoice["subtotal"]);
        return Copy(item);
    }

    private JsonObject Invoice(string account, string id, string verb, JsonObject form)
    {
        var invoice = Of(account, "invoice", id);
        var status = (string)invoice["status"]!;
        switch (verb)
        {
            case "finalize":
                if (status != "draft") throw StripeRefusal.Invalid("This invoice is already finalized.", "invoice_not_editable");
                var tax = (bool)invoice["automatic_tax"]!["enabled"]! ? Long(invoice["subtotal"]) * Tax / 100 : 0;
                (invoice["tax"], invoice["total"], invoice["amount_due"]) = (tax, Long(invoice["subtotal"]) + tax, Long(invoice["subtotal"]) + tax);
                (invoice["status"], invoice["hosted_invoice_url"], invoice["number"]) = ("open", $"{Pages}/i/{id}", $"ABC-{++serial:d4}");
                if ((string?)form["auto_advance"] == "true" && (string?)invoice["collection_method"] == "charge_automatically") PayInvoice(id);
                break;
            case "send" when status == "open":
                break;
            case "void" when status is "open" or "uncollectible":
                invoice["status"] = "void";
                break;
            case "mark_uncollectible" when status == "open":
                invoice["status"] = "uncollectible";
                break;
            case "pay" when status is "open" or "uncollectible":
                if ((string?)form["paid_out_of_band"] != "true") throw new StripeRefusal(402, "card_error", "card_declined", "Your card was declined.", "generic_decline");
                (invoice["status"], invoice["paid"], invoice["paid_out_of_band"]) = ("paid", true, true);
                break;
            default: throw StripeRefusal.Invalid($"This invoice is {status}: it cannot be {verb}.");
        }
        return Copy(invoice);
    }

    private JsonObject NewCredit(string account, JsonObject form)
    {
        var invoice = Of(account, "invoice", Needed(form, "invoice"));
        var amount = long.Parse(Needed(form, "amount"), CultureInfo.InvariantCulture);
        var credited = All("credit_note").Where(c => (string?)c["invoice"] == (string?)invoice["id"]).Sum(c => Long(c["amount"]));
        if ((string?)invoice["status"] is not ("open" or "paid") || credited + amount > Long(invoice["total"])) throw StripeRefusal.Invalid("The credit note is for more than the invoice.");
        if ((string?)invoice["status"] == "paid" && (string?)form["refund_amount"] != Text(amount)) throw StripeRefusal.Invalid("The credits of a paid invoice have to add up to its amount.");
        if ((string?)invoice["status"] == "paid" && (string?)invoice["payment_intent"] is { } intent) NewRefund(account, new JsonObject { ["payment_intent"] = intent, ["amount"] = Text(amount) });
        var note = this[(string)New(account, "cn", "credit_note", form, ["invoice", "memo", "metadata"])["id"]!];
        (note["amount"], note["status"], note["customer"]) = (amount, "issued", (string?)invoice["customer"]);
        return Copy(note);
    }

    private JsonObject NewSession(string account, JsonObject form)
    {
        var price = form["line_items"]?["0"]?["price_data"];
        if ((string?)form["mode"] != "payment" || price is null) throw StripeRefusal.Invalid("mode and line_items are needed.", "parameter_missing");
        var amount = long.Parse((string)price["unit_amount"]!, CultureInfo.InvariantCulture);
        if (amount < 50) throw StripeRefusal.Invalid("The amount is too small.", "amount_too_small");
        var fee = form["payment_intent_data"]?["application_fee_amount"];
        if (fee is not null && account.Length == 0) throw StripeRefusal.Invalid("application_fee_amount needs a connected account.");
        var session = this[(string)New(account, "cs_test", "checkout.session", form, ["client_reference_id", "metadata", "success_url", "cancel_url"])["id"]!];
        (session["status"], session["payment_status"], session["amount_total"], session["currency"], session["payment_intent"], session["url"]) = ("open", "unpaid", amount, (string)price["currency"]!, null, $"{Pages}/pay/{session["id"]}");
        return Copy(session);
    }

    private JsonObject NewPortal(string account, JsonObject form)
    {
        Of(account, "customer", Needed(form, "customer"));
        var portal = this[(string)New(account, "bps", "billing_portal.session", form, ["customer", "return_url"])["id"]!];
        portal["url"] = $"{Pages}/portal/{portal["id"]}";
        return Copy(portal);
    }

    private JsonObject NewRefund(string account, JsonObject form)
    {
        var charge = ChargeOf((string)Of(account, "payment_intent", Needed(form, "payment_intent"))["id"]!);
        var amount = form["amount"] is { } some ? long.Parse((string)some!, CultureInfo.InvariantCulture) : Long(charge["amount"]) - Long(charge["amount_refunded"]);
        if (amount > Long(charge["amount"]) - Long(charge["amount_refunded"])) throw StripeRefusal.Invalid("Refund amount is greater than unrefunded amount on charge.", "charge_already_refunded");
        charge["amount_refunded"] = Long(charge["amount_refunded"]) + amount;
        var refund = this[(string)New(account, "re", "refund", form, ["payment_intent", "metadata", "reason"])["id"]!];
        (refund["amount"], refund["status"], refund["currency"]) = (amount, "succeeded", (string)charge["currency"]!);
        return Copy(refund);
    }

    private JsonObject Submit(string account, string id, JsonObject form)
    {
        var dispute = Of(account, "dispute", id);
        if ((string?)dispute["status"] is not ("needs_response" or "warning_needs_response")) throw StripeRefusal.Invalid("This dispute is no longer open for evidence.");
        foreach (var (name, value) in form["evidence"] as JsonObject ?? []) ((JsonObject)dispute["evidence"]!)[name] = value!.DeepClone();
        ((JsonObject)dispute["evidence_details"]!)["has_evidence"] = true;
        if ((string?)form["submit"] != "false") dispute["status"] = "under_review";
        return Copy(dispute);
    }

    private JsonObject List(string account, string kind, JsonObject form, string by) => new()
    {
        ["object"] = "list",
        ["data"] = new JsonArray([.. all.Values.Where(o => o.Account == account && (string?)o.Json["object"] == kind && (form[by] is not { } wanted || (string?)o.Json[by] == (string?)wanted)).Reverse().Take(100).Select(o => (JsonNode)Copy(o.Json))]),
        ["has_more"] = false,
        ["url"] = "/v1/" + kind,
    };

    private JsonObject New(string account, string prefix, string kind, JsonObject form, string[] kept)
    {
        var json = new JsonObject();
        foreach (var name in kept)
            if (form[name] is { } value) json[name] = value.DeepClone();
        return Copy(Add(account, prefix, kind, json));
    }

    private JsonObject Add(string account, string prefix, string kind, JsonObject json)
    {
        var id = NewId(prefix);
        (json["id"], json["object"]) = (id, kind);
        all[id] = (json, account);
        return json;
    }

    /// <summary>An object of this account; somebody else's is not there.</summary>
    private JsonObject Of(string account, string kind, string id) =>
        all.TryGetValue(id, out var found) && found.Account == account && (string?)found.Json["object"] == kind ? found.Json : throw StripeRefusal.Missing(kind, id);

    private static JsonObject Copy(JsonObject json) => (JsonObject)json.DeepClone();

    private static string Needed(JsonObject form, string name) => (string?)form[name] is { Length: > 0 } value ? value : throw StripeRefusal.Invalid($"Missing required param: {name}.", "parameter_missing");

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
