using Microsoft.AspNetCore.Http.HttpResults;
using Turnpike.Billing.Invoices;
using Turnpike.Catalog.Loading;
using Turnpike.Identity;
using Turnpike.Ledger;
using Turnpike.Protocols.Http;

namespace Turnpike.Admin.Accounts;

/// <summary><c>/admin/v1/invoices</c>: what callers owe, and what became of it.</summary>
internal static class InvoicesApi
{
    private const int MostReason = 500;

    public static void MapInvoices(this IEndpointRouteBuilder api)
    {
        var invoices = api.MapGroup("/invoices").WithTags("invoices");
        invoices.MapGet("", ListAsync).Produces<InvoiceList>().ProducesProblem(400).WithName("listInvoices").WithSummary("List invoices, newest periods first").WithDescription("Filters: caller, status (draft, open, paid, past_due, uncollectible, void).");
        invoices.MapGet("/{id}", ShowAsync).Produces<InvoiceView>().ProducesProblem(404).WithName("getInvoice").WithSummary("An invoice").WithDescription("format=html is a page to print, format=csv a table of its lines.");
        invoices.MapPost("/{id}/pay", PayAsync).Produces<InvoiceView>().ProducesProblem(404).ProducesProblem(409).WithName("payInvoice").WithSummary("Say that an invoice was paid").WithDescription("One that Stripe collects is marked there as paid another way. Said again, it changes nothing.");
        invoices.MapPost("/{id}/void", VoidAsync).Produces<InvoiceView>().ProducesProblem(400).ProducesProblem(404).ProducesProblem(409).WithName("voidInvoice").WithSummary("An invoice was sent by mistake: nobody owes it any more");
        invoices.MapPost("/{id}/uncollectible", GiveUpAsync).Produces<InvoiceView>().ProducesProblem(400).ProducesProblem(404).ProducesProblem(409).WithName("giveUpInvoice").WithSummary("An invoice will not be paid: it is a loss, unless it is paid after all");
        invoices.MapPost("/{id}/credit-notes", CreditAsync).Produces<InvoiceView>().ProducesProblem(400).ProducesProblem(404).ProducesProblem(409).WithName("creditInvoice").WithSummary("Take something back of an invoice")
            .WithDescription("Wants an Idempotency-Key: one key is one credit note. Of an open invoice less is to be paid; of a paid one it goes back to its customer. All together never exceed what was charged.");
        var callers = api.MapGroup("/callers/{name}").WithTags("invoices");
        callers.MapGet("/billing", FactsAsync).Produces<BillingBody>().ProducesProblem(404).WithName("getBilling").WithSummary("Who pays a caller's invoices");
        callers.MapPut("/billing", PutAsync).Produces<BillingBody>().ProducesProblem(400).ProducesProblem(404).WithName("putBilling").WithSummary("Say who pays a caller's invoices, and how to reach them");
        callers.MapPost("/portal", PortalAsync).Produces<PortalView>().ProducesProblem(400).ProducesProblem(404).ProducesProblem(409).WithName("openPortal").WithSummary("A page of Stripe's where the caller sees its invoices and changes how it pays");
    }

    private static async Task<Results<Ok<InvoiceList>, ProblemHttpResult>> ListAsync(string? caller, string? status, int? limit, InvoiceStore store, CancellationToken ct)
    {
        var wanted = InvoiceStore.StatusOf(status);
        if (status is not null && wanted is null) return AdminProblem.Malformed("status is one of draft, open, paid, past_due, uncollectible, void.");
        List<InvoiceView> views = [];
        foreach (var invoice in await store.ListAsync(caller, wanted, Math.Clamp(limit ?? 50, 1, 500), ct)) views.Add(await ViewAsync(store, invoice, ct));
        return TypedResults.Ok(new InvoiceList(views));
    }

    private static async Task<Results<Ok<InvoiceView>, ContentHttpResult, ProblemHttpResult>> ShowAsync(string id, string? format, InvoiceStore store, CustomerStore customers, CatalogSource catalog, CancellationToken ct)
    {
        if (await store.FindAsync(id, ct) is not { } invoice) return AdminProblem.NotFound("invoice");
        if (format == "csv") return TypedResults.Content(InvoicePage.Csv(invoice), "text/csv; charset=utf-8");
        if (format != "html") return TypedResults.Ok(await ViewAsync(store, invoice, ct));
        var facts = (await customers.FindAsync(invoice.Caller, ct))?.Facts ?? BillingFacts.None;
        var from = catalog.Current.Settings.Get<BillingSettings>()?.From ?? [];
        return TypedResults.Content(InvoicePage.Html(invoice, await store.NotesAsync(id, ct), facts, from, catalog.Current.Gateway.Sandbox), "text/html; charset=utf-8");
    }

    private static Task<Results<Ok<InvoiceView>, ProblemHttpResult>> PayAsync(string id, PaidBody body, InvoiceStore store, InvoiceDesk desk, StripeInvoicer stripe, CancellationToken ct)
    {
        var rail = body.Rail ?? "bank";
        return rail is "" or { Length: > 32 } || !rail.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-') ? Task.FromResult<Results<Ok<InvoiceView>, ProblemHttpResult>>(AdminProblem.Malformed("rail: 1 to 32 lower-case letters, digits and hyphens, such as bank."))
            : EndAsync(id, "pay", store, stripe, () => desk.PaidAsync(id, rail, body.Reference, ct), ct);
    }

    private static Task<Results<Ok<InvoiceView>, ProblemHttpResult>> VoidAsync(string id, ReasonBody body, InvoiceStore store, InvoiceDesk desk, StripeInvoicer stripe, CancellationToken ct) =>
        Reason(body.Reason) is { } reason ? EndAsync(id, "void", store, stripe, () => desk.VoidAsync(id, reason, ct), ct) : NoReason();

    private static Task<Results<Ok<InvoiceView>, ProblemHttpResult>> GiveUpAsync(string id, ReasonBody body, InvoiceStore store, InvoiceDesk desk, StripeInvoicer stripe, CancellationToken ct) =>
        Reason(body.Reason) is { } reason ? EndAsync(id, "mark_uncollectible", store, stripe, () => desk.GiveUpAsync(id, reason, ct), ct) : NoReason();

    private static async Task<Results<Ok<InvoiceView>, ProblemHttpResult>> EndAsync(string id, string verb, InvoiceStore store, StripeInvoicer stripe, Func<ValueTask<bool>> end, CancellationToken ct)
    {
        if (await store.FindAsync(id, ct) is not { } invoice) return AdminProblem.NotFound("invoice");
        // What is paid another way keeps the operator's word for how: ours is written first, and Stripe's answer changes nothing of it.
        if (verb == "pay" && !await end()) return Ended(invoice);
        if (invoice is { StripeInvoice: not null, Status: InvoiceStatus.Open or InvoiceStatus.PastDue } && await stripe.OrderAsync(invoice, verb, ct) is { } why) return AdminProblem.Of(502, "verifier-down", "Stripe did not do it", why);
        if (verb != "pay" && !await end()) return Ended(invoice);
        return TypedResults.Ok(await ViewAsync(store, (await store.FindAsync(id, ct))!, ct));
    }

    private static async Task<Results<Ok<InvoiceView>, ProblemHttpResult>> CreditAsync(string id, CreditNoteBody body, HttpRequest request, InvoiceStore store, InvoiceDesk desk, StripeInvoicer stripe, CancellationToken ct)
    {
        var keys = request.Headers["Idempotency-Key"];
        if (keys.Count != 1 || StructuredFields.ParseStringOrToken(keys.ToString()) is not { Length: > 0 and <= 64 } key || !key.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')) return AdminProblem.Malformed("Idempotency-Key is wanted: 1 to 64 letters, digits, '-', '_' and '.'.");
        if (Reason(body.Reason) is not { } reason) return await NoReason();
        if (await store.FindAsync(id, ct) is not { } invoice) return AdminProblem.NotFound("invoice");
        if (!Money.TryParse(body.Amount, out var amount) || amount.Currency != invoice.Currency || amount.IsZero || InvoiceMaker.Coins(amount) != amount) return AdminProblem.Malformed($"amount: write whole coins above zero in {invoice.Currency}, such as 0.10 {invoice.Currency}.");
        if (await desk.WriteNoteAsync(id, amount, reason, key, ct) is not { } note) return AdminProblem.Of(409, "refund-exceeds", "That is more than is left of it", $"{invoice.Charged} was charged, {invoice.Credited} has been credited; a draft or void invoice is not credited, and a key is one credit note.");
        await stripe.TellNoteAsync(invoice, note, ct);
        return TypedResults.Ok(await ViewAsync(store, (await store.FindAsync(id, ct))!, ct));
    }

    private static async Task<Results<Ok<BillingBody>, ProblemHttpResult>> FactsAsync(string name, CustomerStore customers, CallerDesk desk, CatalogSource catalog, CancellationToken ct)
    {
        if (await desk.FindAsync(catalog.Current, name, ct) is null) return AdminProblem.NotFound("caller");
        var known = await customers.FindAsync(name, ct);
        var f = known?.Facts ?? BillingFacts.None;
        return TypedResults.Ok(new BillingBody(f.Name, f.Email, f.Line1, f.City, f.PostalCode, f.Country, f.TaxId, f.Customer ?? known?.Stripe));
    }

    private static async Task<Results<Ok<BillingBody>, ProblemHttpResult>> PutAsync(string name, BillingBody body, CustomerStore customers, CallerDesk desk, CatalogSource catalog, CancellationToken ct)
    {
        if (await desk.FindAsync(catalog.Current, name, ct) is null) return AdminProblem.NotFound("caller");
        string?[] all = [body.Name, body.Email, body.Line1, body.City, body.PostalCode, body.Country, body.TaxId];
        if (all.Any(f => f is { Length: 0 or > 200 })) return AdminProblem.Malformed("Each has 1 to 200 characters.");
        if (body.Country is { } country && (country.Length != 2 || !country.All(char.IsAsciiLetterUpper))) return AdminProblem.Malformed("country: two capitals, such as DE.");
        if (body.Customer is { } customer && !(customer.StartsWith("cus_", StringComparison.Ordinal) && customer.Length <= 64 && customer.All(c => char.IsAsciiLetterOrDigit(c) || c == '_'))) return AdminProblem.Malformed("customer: it begins with cus_.");
        await customers.PutAsync(name, new BillingFacts(body.Name, body.Email, body.Line1, body.City, body.PostalCode, body.Country, body.TaxId, body.Customer), ct);
        return TypedResults.Ok(body);
    }

    private static async Task<Results<Ok<PortalView>, ProblemHttpResult>> PortalAsync(string name, PortalBody body, StripeInvoicer stripe, CallerDesk desk, CatalogSource catalog, CancellationToken ct)
    {
        if (await desk.FindAsync(catalog.Current, name, ct) is null) return AdminProblem.NotFound("caller");
        var back = body.ReturnUrl ?? catalog.Current.Gateway.Url.GetLeftPart(UriPartial.Authority) + Turnpike.Billing.Owned.InvoicesApi.Path + "/portal";
        if (!Uri.TryCreate(back, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https")) return AdminProblem.Malformed("returnUrl: an http:// or https:// URL.");
        var (portal, why) = await stripe.PortalAsync(name, back, ct);
        return portal is not null ? TypedResults.Ok(new PortalView(portal)) : AdminProblem.Of(409, "no-portal", "There is no such page", why);
    }

    private static ProblemHttpResult Ended(Invoice invoice) => AdminProblem.Of(409, "invoice-ended", "The invoice cannot become that any more", $"It is {InvoiceStore.Text(invoice.Status).Replace('_', ' ')}.");

    private static string? Reason(string? text) => string.IsNullOrWhiteSpace(text) || text.Length > MostReason ? null : text.Trim();

    private static Task<Results<Ok<InvoiceView>, ProblemHttpResult>> NoReason() => Task.FromResult<Results<Ok<InvoiceView>, ProblemHttpResult>>(AdminProblem.Malformed($"reason: say why, in at most {MostReason} characters."));

    private static async ValueTask<InvoiceView> ViewAsync(InvoiceStore store, Invoice invoice, CancellationToken ct) => InvoiceView.Of(invoice, await store.NotesAsync(invoice.Id, ct));
}
