using System.Globalization;
using System.Text.Json.Nodes;

namespace Turnpike.Tests.Billing.Stripe;

/// <summary>What a webhook is told: the object as it was when it happened.</summary>
internal sealed record StripeTold(string Id, string Type, string Account, JsonObject About);

/// <summary>Stripe's objects, each with its state, on the account it was made on.</summary>
internal sealed class StripeObjects
{
    private readonly Dictionary<string, (JsonObject Json, string Account)> all = [];
    private readonly TimeProvider time;
    private int serial;

    public StripeObjects(TimeProvider? time = null) => (this.time, Payments, Saved) = (time ?? TimeProvider.System, new StripePayments(this), new StripeSaved(this));

    /// <summary>A way to pay that takes its time.</summary>
    public const string Slow = "pm_usBankAccount_processing";

    public StripePayments Payments { get; }

    public StripeSaved Saved { get; }

    /// <summary>All that happened and is told to webhooks, in order, as it was then.</summary>
    public List<StripeTold> Events { get; } = [];

    public DateTimeOffset Now => time.GetUtcNow();

    /// <summary>The tax of every invoice with automatic tax, in percent.</summary>
    public int Tax { get; set; } = 19;

    /// <summary>Where pages of Stripe's are.</summary>
    public string Pages { get; set; } = "https://stripe.test";

    /// <summary>A number, whatever it was made of.</summary>
    public static long Long(JsonNode? number) => long.Parse(number!.ToString(), CultureInfo.InvariantCulture);

    public string NewId(string prefix) => $"{prefix}_{Interlocked.Increment(ref serial):d8}";

    /// <summary>All objects of a kind, oldest first.</summary>
    public IReadOnlyList<JsonObject> All(string kind) => [.. all.Values.Select(o => o.Json).Where(o => (string?)o["object"] == kind)];

    public IEnumerable<JsonObject> All(string kind, string account) => all.Values.Where(o => o.Account == account && (string?)o.Json["object"] == kind).Select(o => o.Json);

    public JsonObject this[string id] => all[id].Json;

    public string AccountOf(string id) => all[id].Account;

    /// <summary>No payment of the past is known any more.</summary>
    public void ForgetPayments()
    {
        foreach (var (id, _) in all.Where(o => (string?)o.Value.Json["object"] == "payment_intent").ToList()) all.Remove(id);
    }

    public void Emit(string type, string account, JsonObject about) => Events.Add(new StripeTold(NewId("evt"), type, account, Copy(about)));

    public JsonObject Do(string method, string path, string account, JsonObject form, string? version = null)
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
            ("POST", ["refunds"]) => Copy(Payments.NewRefund(account, form)),
            ("POST", ["payment_intents"]) => Copy((string?)form["off_session"] == "true" ? Saved.Charge(account, form) : Payments.NewIntent(account, form, version)),
            ("POST", ["payment_intents", var id, "cancel"]) => Copy(Payments.Cancel(account, id)),
            ("GET", ["payment_intents", "search"]) => Payments.Search(account, form),
            ("POST", ["disputes", var id]) => Copy(Payments.Submit(account, id, form)),
            ("GET", ["invoices"]) => List(account, "invoice", form, "customer"),
            ("GET", ["invoiceitems"]) => List(account, "invoiceitem", form, "invoice"),
            ("GET", ["credit_notes"]) => List(account, "credit_note", form, "invoice"),
            ("GET", ["refunds"]) => List(account, "refund", form, "payment_intent"),
            ("GET", ["balance_transactions"]) => List(account, "balance_transaction", form, "type"),
            ("GET", ["checkout", "sessions", var id]) => Saved.Expanded(Copy(Of(account, "checkout.session", id)), form),
            ("GET", ["invoices" or "refunds" or "disputes", var id]) => Copy(Of(account, parts[0][..^1], id)),
            _ => throw StripeRefusal.Missing("route", path),
        };
    }

    /// <summary>The buyer pays on Stripe's page; where the page then goes. Null: the card was declined, and the page stays.</summary>
    public string? Pay(string session, string card = StripeCards.Good)
    {
        var paid = this[session];
        if ((string?)paid["status"] == "expired") return null;
        if ((string?)paid["status"] == "open")
        {
            var waits = card == Slow;
            try { paid["payment_intent"] = (string)Payments.Charged(AccountOf(session), Long(paid["amount_total"]), (string)paid["currency"]!, card, paid["_intent"]?.DeepClone() as JsonObject, StripeCards.Refuses(card))["id"]!; }
            catch (StripeRefusal) { return null; }
            (paid["status"], paid["payment_status"], paid["url"]) = ("complete", waits ? "unpaid" : "paid", null);
            Saved.Keep(AccountOf(session), paid, card);
            Emit("checkout.session.completed", AccountOf(session), paid);
        }
        return ((string)paid["success_url"]!).Replace("{CHECKOUT_SESSION_ID}", session, StringComparison.Ordinal);
    }

    /// <summary>A bank has looked into it, days later.</summary>
    public void Arrive(string session, bool paid)
    {
        this[session]["payment_status"] = paid ? "paid" : "unpaid";
        Emit(paid ? "checkout.session.async_payment_succeeded" : "checkout.session.async_payment_failed", AccountOf(session), this[session]);
    }

    /// <summary>Nobody paid in time.</summary>
    public void Expire(string session)
    {
        (this[session]["status"], this[session]["url"]) = ("expired", null);
        Emit("checkout.session.expired", AccountOf(session), this[session]);
    }

    /// <summary>The customer pays an invoice on Stripe's page, or Stripe charges what the customer has saved. False: the card was declined.</summary>
    public bool PayInvoice(string id, string? card = null)
    {
        var (invoice, account) = (this[id], AccountOf(id));
        var saved = card is null;
        card ??= (string?)this[(string)invoice["customer"]!]["_card"] ?? StripeCards.Good;
        invoice["attempted"] = true;
        invoice["attempt_count"] = (invoice["attempt_count"] is { } tried ? Long(tried) : 0) + 1;
        try
        {
            var intent = (string)Payments.Charged(account, Long(invoice["total"]), (string)invoice["currency"]!, card, null, StripeCards.Refuses(card, offSession: saved))["id"]!;
            (invoice["status"], invoice["paid"], invoice["amount_paid"], invoice["amount_due"], invoice["payment_intent"]) = ("paid", true, Long(invoice["total"]), 0, intent);
        }
        catch (StripeRefusal no)
        {
            Emit(no.Code == "authentication_required" ? "invoice.payment_action_required" : "invoice.payment_failed", account, invoice);
            return false;
        }
        Emit("invoice.paid", account, invoice);
        return true;
    }

    /// <summary>The customer saves a card in the portal.</summary>
    public void Save(string customer, string card) => this[customer]["_card"] = card;

    /// <summary>Somebody gives back in Stripe's dashboard; the charge as it stands then.</summary>
    public JsonObject RefundInDashboard(string intent, long amount)
    {
        Payments.NewRefund(AccountOf(intent), new JsonObject { ["payment_intent"] = intent, ["amount"] = Text(amount) });
        return ChargeOf(intent);
    }

    public JsonObject ChargeOf(string intent) => Payments.ChargeOf(intent);

    public JsonObject Dispute(string intent, long? amount = null) => Payments.Dispute(intent, amount);

    /// <summary>Stripe pays the balance out to the owner's bank.</summary>
    public void PayOut(string account, long amount, string currency) => Add(account, "txn", "balance_transaction", new JsonObject { ["amount"] = -amount, ["fee"] = 0, ["currency"] = currency, ["type"] = "payout" });

    private JsonObject NewInvoice(string account, JsonObject form)
    {
        Of(account, "customer", Needed(form, "customer"), parameter: true);
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
        var invoice = Of(account, "invoice", Needed(form, "invoice"), parameter: true);
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
                Emit("invoice.finalized", account, invoice);
                if ((string?)form["auto_advance"] == "true" && (string?)invoice["collection_method"] == "charge_automatically") PayInvoice(id);
                break;
            case "send" when status == "open":
                break;
            case "void" when status is "open" or "uncollectible":
                invoice["status"] = "void";
                Emit("invoice.voided", account, invoice);
                break;
            case "mark_uncollectible" when status == "open":
                invoice["status"] = "uncollectible";
                Emit("invoice.marked_uncollectible", account, invoice);
                break;
            case "pay" when status is "open" or "uncollectible" && (string?)form["paid_out_of_band"] == "true":
                (invoice["status"], invoice["paid"], invoice["paid_out_of_band"]) = ("paid", true, true);
                Emit("invoice.paid", account, invoice);
                break;
            case "pay" when status is "open" or "uncollectible":
                if (!PayInvoice(id)) throw StripeCards.Refuses((string)this[(string)invoice["customer"]!]["_card"]!, offSession: true)!;
                break;
            default: throw StripeRefusal.Invalid($"This invoice is {status}: it cannot be {verb}.");
        }
        return Copy(invoice);
    }

    private JsonObject NewCredit(string account, JsonObject form)
    {
        var invoice = Of(account, "invoice", Needed(form, "invoice"), parameter: true);
        var amount = long.Parse(Needed(form, "amount"), CultureInfo.InvariantCulture);
        var credited = All("credit_note").Where(c => (string?)c["invoice"] == (string?)invoice["id"]).Sum(c => Long(c["amount"]));
        if ((string?)invoice["status"] is not ("open" or "paid") || credited + amount > Long(invoice["total"])) throw StripeRefusal.Invalid("The credit note is for more than the invoice.");
        if ((string?)invoice["status"] == "paid" && (string?)form["refund_amount"] != Text(amount)) throw StripeRefusal.Invalid("The credits of a paid invoice have to add up to its amount.");
        if ((string?)invoice["status"] == "paid" && (string?)invoice["payment_intent"] is { } intent) Payments.NewRefund(account, new JsonObject { ["payment_intent"] = intent, ["amount"] = Text(amount) });
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
        var session = this[(string)New(account, "cs_test", "checkout.session", form, ["client_reference_id", "metadata", "success_url", "cancel_url", "customer_creation", "custom_text"])["id"]!];
        (session["status"], session["payment_status"], session["amount_total"], session["currency"], session["payment_intent"], session["url"]) = ("open", "unpaid", amount, (string)price["currency"]!, null, $"{Pages}/pay/{session["id"]}");
        session["_fee"] = fee is null ? 0 : Long(fee);
        session["_intent"] = form["payment_intent_data"]?["metadata"]?.DeepClone();
        Saved.Agreed((string)session["id"]!, form);
        return Copy(session);
    }

    private JsonObject NewPortal(string account, JsonObject form)
    {
        Of(account, "customer", Needed(form, "customer"), parameter: true);
        var portal = this[(string)New(account, "bps", "billing_portal.session", form, ["customer", "return_url"])["id"]!];
        portal["url"] = $"{Pages}/portal/{portal["id"]}";
        return Copy(portal);
    }

    private JsonObject List(string account, string kind, JsonObject form, string by) => new()
    {
        ["object"] = "list",
        ["data"] = new JsonArray([.. all.Values.Where(o => o.Account == account && (string?)o.Json["object"] == kind && (form[by] is not { } wanted || (string?)o.Json[by] == (string?)wanted)).Reverse().Take(100).Select(o => (JsonNode)Copy(o.Json))]),
        ["has_more"] = false,
        ["url"] = "/v1/" + kind,
    };

    public JsonObject New(string account, string prefix, string kind, JsonObject form, string[] kept)
    {
        var json = new JsonObject();
        foreach (var name in kept)
            if (form[name] is { } value) json[name] = value.DeepClone();
        return Copy(Add(account, prefix, kind, json));
    }

    public JsonObject Add(string account, string prefix, string kind, JsonObject json) => Put(account, NewId(prefix), kind, json);

    public JsonObject Put(string account, string id, string kind, JsonObject json)
    {
        (json["id"], json["object"]) = (id, kind);
        all[id] = (json, account);
        return json;
    }

    /// <summary>An object of this account; somebody else's is not there.</summary>
    /// <param name="parameter">It was named by a parameter: 400; by the path: 404.</param>
    public JsonObject Of(string account, string kind, string id, bool parameter = false) =>
        all.TryGetValue(id, out var found) && found.Account == account && (string?)found.Json["object"] == kind ? found.Json : throw StripeRefusal.Missing(kind, id, parameter ? 400 : 404);

    /// <summary>As it is shown: what begins with an underscore is Stripe's own.</summary>
    public static JsonObject Copy(JsonObject json)
    {
        var shown = (JsonObject)json.DeepClone();
        foreach (var name in shown.Select(m => m.Key).Where(n => n[0] == '_').ToList()) shown.Remove(name);
        return shown;
    }

    public static string Needed(JsonObject form, string name) => (string?)form[name] is { Length: > 0 } value ? value : throw StripeRefusal.Invalid($"Missing required param: {name}.", "parameter_missing");

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
