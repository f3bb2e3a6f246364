using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Turnpike.Catalog.Loading;
using Turnpike.Ledger;
using Turnpike.Payments.Stripe;

namespace Turnpike.Billing.Invoices;

/// <summary>
/// Sends our invoices through Stripe: its customers, invoice items and invoices, and nothing else of its billing. Every step has an
/// idempotency key of the invoice's own, is looked for where that key may be too old, and what Stripe adds up is compared with what
/// we did before anything is sent. What Stripe says of an invoice is asked, never taken from a webhook.
/// </summary>
internal sealed class StripeInvoicer(StripeCalls stripe, InvoiceStore store, CustomerStore customers, InvoiceDesk desk, CatalogSource catalog, TimeProvider time)
{
    private const int MostLines = 90;
    private static readonly TimeSpan Rest = TimeSpan.FromMinutes(5);

    public bool Collects => Settings is not null;

    private StripeBilling? Settings => catalog.Current.Settings.Get<BillingSettings>()?.Stripe;

    public static StripeAccess AccessOf(StripeBilling settings) => new(settings.SecretKey, settings.Api, settings.Account);

    /// <summary>Brings a draft as far as Stripe lets us; what failed is told with the invoice and tried again.</summary>
    public async ValueTask SendAsync(Invoice draft, CancellationToken ct)
    {
        if (Settings is not { } settings || draft.Error is not null && time.GetUtcNow() - draft.Looked < Rest) return;
        var access = AccessOf(settings);
        if (await SendAsync(settings, access, draft, ct) is not { } error) return;
        await store.SetErrorAsync(draft.Id, error, ct);
        await store.LookedAsync(draft.Id, ct);
    }

    /// <summary>Asks Stripe how an invoice stands, and adopts it.</summary>
    /// <returns>False: it could not be asked now.</returns>
    public async ValueTask<bool> LookAsync(Invoice invoice, CancellationToken ct)
    {
        if (Settings is not { } settings || invoice.StripeInvoice is not { } id) return false;
        var said = await stripe.GetAsync(AccessOf(settings), "v1/invoices/" + Uri.EscapeDataString(id), ct);
        if (!said.IsGood) return false;
        await AdoptAsync(invoice, said, ct);
        await store.LookedAsync(invoice.Id, ct);
        return true;
    }

    /// <summary>What an operator decides of an invoice that Stripe collects is Stripe's to do: it is told, and then asked. Null: done; else why not.</summary>
    /// <param name="verb"><c>void</c>, <c>mark_uncollectible</c>, or <c>pay</c>: paid another way.</param>
    public async ValueTask<string?> OrderAsync(Invoice invoice, string verb, CancellationToken ct)
    {
        if (Settings is not { } settings) return "Invoices are not collected by Stripe any more.";
        var said = await stripe.PostAsync(AccessOf(settings), $"v1/invoices/{Uri.EscapeDataString(invoice.StripeInvoice!)}/{verb}", $"turnpike-{invoice.Id}-{verb}", verb == "pay" ? [new("paid_out_of_band", "true")] : [], NotThere, ct);
        return await LookAsync(invoice, ct) && said.IsGood ? null : said.Why;
    }

    /// <summary>Tells Stripe of a credit note, once; of an invoice that is not Stripe's there is nothing to tell.</summary>
    public async ValueTask TellNoteAsync(Invoice invoice, CreditNote note, CancellationToken ct)
    {
        if (invoice.StripeInvoice is not { } id)
        {
            await store.CreditedAsync(note.Id, null, ct);
            return;
        }
        if (Settings is not { } settings || StripeCurrencies.ExactlyOf(note.Amount) is not { } minor) return;
        var access = AccessOf(settings);
        ValueTask<StripeSaid?> Look() => stripe.FindAsync(access, $"v1/credit_notes?limit=100&invoice={Uri.EscapeDataString(id)}", "turnpike_credit_note", note.Id, ct);
        List<KeyValuePair<string, string>> form = [new("invoice", id), new("amount", Text(minor)), new("memo", note.Reason), new("metadata[turnpike_credit_note]", note.Id)];
        // Of a paid invoice it goes back to where it came from; of an open one it is simply not asked for any more.
        if (note.PaidOut) form.Add(new("refund_amount", Text(minor)));
        var said = (IsOld(note.Created) ? await Look() : null) ?? await stripe.PostAsync(access, "v1/credit_notes", "turnpike-" + note.Id, form, Look, ct);
        if (said.IsGood) await store.CreditedAsync(note.Id, said["id"], ct);
    }

    /// <summary>A page of Stripe's where the caller sees its invoices and changes how it pays; null with why not.</summary>
    public async ValueTask<(string? Url, string? Why)> PortalAsync(string caller, string back, CancellationToken ct)
    {
        if (Settings is not { } settings) return (null, "Invoices are not collected by Stripe here.");
        var access = AccessOf(settings);
        var (customer, why) = await CustomerAsync(access, caller, ct);
        if (customer is null) return (null, why);
        var said = await stripe.PostAsync(access, "v1/billing_portal/sessions", "turnpike-portal-" + Turnpike.Catalog.Ids.New("p"), [new("customer", customer), new("return_url", back)], ct);
        return said.IsGood ? (said["url"], null) : (null, said.Why);
    }

    private async ValueTask<string?> SendAsync(StripeBilling settings, StripeAccess access, Invoice draft, CancellationToken ct)
    {
        if (StripeCurrencies.ExactlyOf(draft.Charged) is not { } charged) return $"Stripe does not take {draft.Currency}.";
        var (customer, why) = await CustomerAsync(access, draft.Caller, ct);
        if (customer is null) return why;
        var (id, error) = draft.StripeInvoice is { } known ? (known, null) : await CreateAsync(settings, access, draft, customer, charged, ct);
        if (id is null) return error;
        var at = "v1/invoices/" + Uri.EscapeDataString(id);
        var said = await stripe.GetAsync(access, at, ct);
        if (said is { IsGood: true } && said["status"] == "draft")
        {
            if (await AddItemsAsync(access, draft, id, customer, ct) is { } refused) return refused;
            said = await stripe.GetAsync(access, at, ct);
            if (!said.IsGood) return said.Why;
            // The last look before anything leaves the house: a line too many would be somebody's money.
            if (said.Number("subtotal") != charged) return $"Stripe adds up {said.Number("subtotal")} where we have {charged}: see {id}. It was not sent.";
            said = await stripe.PostAsync(access, at + "/finalize", $"turnpike-{draft.Id}-finalize", [new("auto_advance", settings.Charges ? "true" : "false")], NotThere, ct);
        }
        if (!said.IsGood) return said.Why;
        if (!settings.Charges && said["status"] == "open") said = await stripe.PostAsync(access, at + "/send", $"turnpike-{draft.Id}-send", [], NotThere, ct);
        if (!said.IsGood) return said.Why;
        var tax = StripeCurrencies.OfMinor(said.Number("tax") ?? 0, draft.Currency);
        await desk.OpenAsync(draft, tax, said["hosted_invoice_url"], said.Number("due_date") is { } due ? DateTimeOffset.FromUnixTimeSeconds(due) : null, ct);
        await AdoptAsync(draft, said, ct);
        return null;
    }

    private async ValueTask<(string? Id, string? Error)> CreateAsync(StripeBilling settings, StripeAccess access, Invoice draft, string customer, long charged, CancellationToken ct)
    {
        ValueTask<StripeSaid?> Look() => stripe.FindAsync(access, $"v1/invoices?limit=100&customer={Uri.EscapeDataString(customer)}", "turnpike_invoice", draft.Id, ct);
        List<KeyValuePair<string, string>> form =
        [
            new("customer", customer),
            new("currency", draft.Currency.ToLowerInvariant()),
            new("auto_advance", "false"),
            new("pending_invoice_items_behavior", "exclude"),
            new("collection_method", settings.Charges ? "charge_automatically" : "send_invoice"),
            new("description", $"{draft.Start:yyyy-MM-dd} to {draft.End:yyyy-MM-dd}"),
            new("metadata[turnpike_invoice]", draft.Id),
            new("metadata[turnpike_caller]", draft.Caller),
        ];
        if (!settings.Charges) form.Add(new("days_until_due", Text(Math.Max(1, (long)Math.Ceiling(draft.DueAfter.TotalDays)))));
        if (settings.AutomaticTax) form.Add(new("automatic_tax[enabled]", "true"));
        if ((long)((Int128)charged * settings.Fee / 10_000) is var fee and > 0) form.Add(new("application_fee_amount", Text(fee)));
        var said = (IsOld(draft.Created) ? await Look() : null) ?? await stripe.PostAsync(access, "v1/invoices", "turnpike-" + draft.Id, form, Look, ct);
        return said is { IsGood: true } && said["id"] is { } id ? (await KeepAsync(draft, id, access, ct), null) : (null, said.Why);
    }

    private async ValueTask<string> KeepAsync(Invoice draft, string id, StripeAccess access, CancellationToken ct)
    {
        await store.SetStripeAsync(draft.Id, id, access.Account, ct);
        return id;
    }

    private async ValueTask<string?> AddItemsAsync(StripeAccess access, Invoice draft, string id, string customer, CancellationToken ct)
    {
        HashSet<string?> there = [];
        var items = $"v1/invoiceitems?limit=100&invoice={Uri.EscapeDataString(id)}";
        if (IsOld(draft.Created))
        {
            var all = await stripe.GetAsync(access, items, ct);
            if (!all.IsGood) return all.Why;
            there = [.. all.Data.Select(i => i.Metadata("turnpike_line"))];
        }
        foreach (var (line, text, minor) in Parts(draft))
        {
            if (there.Contains(line)) continue;
            var said = await stripe.PostAsync(access, "v1/invoiceitems", $"turnpike-{draft.Id}-{line}",
            [
                new("customer", customer),
                new("invoice", id),
                new("currency", draft.Currency.ToLowerInvariant()),
                new("amount", Text(minor)),
                new("description", text),
                new("period[start]", Text(draft.Start.ToUnixTimeSeconds())),
                new("period[end]", Text(draft.End.ToUnixTimeSeconds())),
                new("metadata[turnpike_line]", line),
            ], () => stripe.FindAsync(access, items, "turnpike_line", line, ct), ct);
            if (!said.IsGood) return said.Why;
        }
        return null;
    }

    /// <summary>Lines in whole coins that add up to what is charged: each is what the running sum, rounded down, grows by.</summary>
    public static IEnumerable<(string Line, string Text, long Minor)> Parts(Invoice draft)
    {
        var lines = draft.Lines.Take(MostLines).Select(l => (Text: l.Text(draft.Currency), l.Amount)).ToList();
        if (draft.Lines.Count > MostLines) lines.Add(($"{draft.Lines.Count - MostLines} more", draft.Lines.Skip(MostLines).Sum(l => l.Amount)));
        var (coin, sum, told) = (StripeCurrencies.CoinOf(draft.Currency), draft.Carried.Units, 0L);
        for (var i = 0; i < lines.Count; i++)
        {
            sum = checked(sum + lines[i].Amount);
            var whole = sum >= 0 ? sum / coin : -((-sum + coin - 1) / coin);
            var text = lines[i].Text.Length <= 500 ? lines[i].Text : lines[i].Text[..497] + "...";
            if (whole != told) yield return (Text(i), text, whole - told);
            told = whole;
        }
    }

    private async ValueTask<(string? Id, string? Why)> CustomerAsync(StripeAccess access, string caller, CancellationToken ct)
    {
        var known = await customers.FindAsync(caller, ct);
        var facts = known?.Facts ?? BillingFacts.None;
        if (facts.Customer is { } named) return (named, null);
        if (known is { Stripe: { } kept } && known.Value.Account == access.Account) return (kept, null);
        List<KeyValuePair<string, string>> form = [new("name", facts.Name ?? caller), new("metadata[turnpike_caller]", caller)];
        if (facts.Email is { } email) form.Add(new("email", email));
        foreach (var (name, value) in ((string, string?)[])[("line1", facts.Line1), ("city", facts.City), ("postal_code", facts.PostalCode), ("country", facts.Country)])
            if (value is not null) form.Add(new($"address[{name}]", value));
        var digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', form.Select(f => f.Key + "=" + f.Value).Append(access.Account)))))[..24];
        var said = await stripe.PostAsync(access, "v1/customers", "turnpike-customer-" + digest, form, NotThere, ct);
        if (!said.IsGood || said["id"] is not { } id) return (null, said.Why);
        await customers.SetStripeAsync(caller, id, access.Account, ct);
        return (id, null);
    }

    private async ValueTask AdoptAsync(Invoice invoice, StripeSaid said, CancellationToken ct)
    {
        if (said["status"] == "paid") await desk.PaidAsync(invoice.Id, "stripe", said["payment_intent"] ?? said["id"], ct);
        else if (said["status"] == "void") await desk.VoidAsync(invoice.Id, "voided at Stripe", ct);
        else if (said["status"] == "uncollectible") await desk.GiveUpAsync(invoice.Id, "given up at Stripe", ct);
    }

    /// <summary>Its key may have been forgotten: a repetition could make it anew.</summary>
    private bool IsOld(DateTimeOffset created) => time.GetUtcNow() - created > StripeCalls.KeyKept;

    /// <summary>What may be done twice: what has been done is seen by the state of the invoice, and a customer without invoices is nobody's money.</summary>
    private static ValueTask<StripeSaid?> NotThere() => new((StripeSaid?)null);

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
