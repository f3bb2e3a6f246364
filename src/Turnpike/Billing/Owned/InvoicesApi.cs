using Turnpike.Billing.Invoices;
using Turnpike.Catalog;
using Turnpike.Catalog.Loading;
using Turnpike.Gateway.Own;
using Turnpike.Ledger;
using Turnpike.Plans;

namespace Turnpike.Billing.Owned;

/// <summary>
/// <c>GET /invoices</c>: what a caller was billed, what it owes, where it pays, and what will be on the next one; and Stripe's page
/// for its customer. Always the caller's whose key it is, whatever is asked for.
/// </summary>
internal static class InvoicesApi
{
    /// <summary>The scope by which a key that opens only a part may look at the bills as well.</summary>
    public const string Scope = "invoices";

    public const string Path = "/invoices";

    private const int Most = 100;

    public static void MapInvoices(this IEndpointRouteBuilder app)
    {
        var invoices = app.MapGroup(Path).WithMetadata(new OpenWhere(catalog => IsOpen(catalog.Settings))).AddEndpointFilter(BuyApi.Private);
        invoices.MapGet("", ListAsync);
        invoices.MapGet("/{id}", ShowAsync);
        invoices.MapPost("/portal", PortalAsync);
        invoices.MapGet("/portal", (CatalogSource catalog) => BuyAnswers.Page(InvoicePage.Back(catalog.Current.Gateway.Sandbox), 200));
    }

    /// <summary>Only where somebody is billed are the paths ours: many an API has its own.</summary>
    public static bool IsOpen(SettingsBag settings) => settings.Get<BillingSettings>() is not null || settings.Get<PlanSettings>()?.Plans.Values.Any(p => p.Postpaid is not null) == true;

    private static async Task<IResult> ListAsync(HttpContext http, string? status, InvoiceStore store, UnbilledStore unbilled, CancellationToken ct)
    {
        var (caller, refused) = await ReadAsync(http, ct);
        if (caller is null) return refused!;
        var wanted = InvoiceStore.StatusOf(status);
        if (status is not null && wanted is null or InvoiceStatus.Draft) return OwnPath.Problem(Reasons.MalformedRequest, "status is one of open, paid, past_due, uncollectible, void.");
        var own = (await store.ListAsync(caller, wanted, Most, ct)).Where(i => i.Number is not null);
        List<(DateTimeOffset End, Money Amount)> next = [];
        foreach (var account in await unbilled.AccountsAsync(caller, ct))
            foreach (var (currency, units) in await unbilled.OwedAsync(account, ct))
                if (units != 0 && Postpaid.Read(account) is { } read) next.Add((read.End, new Money(units, currency)));
        return BuyAnswers.Json(200, json => OwnInvoice.Write(json, [.. own], next));
    }

    private static async Task<IResult> ShowAsync(string id, string? format, HttpContext http, InvoiceStore store, CustomerStore customers, CatalogSource catalog, CancellationToken ct)
    {
        var (caller, refused) = await ReadAsync(http, ct);
        if (caller is null) return refused!;
        // Somebody else's is not there: nobody learns by asking which ids exist.
        if (await store.FindAsync(id, ct) is not { Number: not null } invoice || invoice.Caller != caller) return OwnPath.Problem(Reasons.NotFound, "You have no such invoice.");
        if (format == "csv") return Results.Content(InvoicePage.Csv(invoice), "text/csv; charset=utf-8");
        var notes = await store.NotesAsync(id, ct);
        if (format != "html") return BuyAnswers.Json(200, json => OwnInvoice.Write(json, invoice, notes));
        var facts = (await customers.FindAsync(caller, ct))?.Facts ?? BillingFacts.None;
        return BuyAnswers.Page(InvoicePage.Html(invoice, notes, facts, catalog.Current.Settings.Get<BillingSettings>()?.From ?? [], catalog.Current.Gateway.Sandbox), 200);
    }

    private static async Task<IResult> PortalAsync(HttpContext http, PortalDesk portal, CancellationToken ct)
    {
        var (caller, refused) = await ReadAsync(http, ct);
        if (caller is null) return refused!;
        var opened = await portal.OpenAsync(caller, ct);
        if (opened.Wait is { } wait) http.Response.Headers.RetryAfter = $"{wait}";
        return opened.Refused is { } reason ? OwnPath.Problem(reason, opened.Detail!) : BuyAnswers.Json(200, json =>
        {
            json.WriteStartObject();
            json.WriteString("url", opened.Url);
            json.WriteEndObject();
        });
    }

    /// <summary>The caller who asks. What it owes, and where it lives, is not told to a key that opens only a part of what it has, nor to one that was found in public.</summary>
    private static async ValueTask<(string? Caller, IResult? Refused)> ReadAsync(HttpContext http, CancellationToken ct)
    {
        var own = await OwnPath.ReadAsync(http, "invoices", ct);
        if (own.Refused is { } refused) return (null, refused);
        if (own.Call?.Principal is not { } principal) return (null, OwnPath.Problem(Reasons.CredentialRestricted, "A token is paid for and has no invoices: present the key of a caller."));
        var rules = principal.Rules;
        var part = rules.Operations.Count + rules.Methods.Count + rules.Models.Count + rules.Scopes.Count > 0 && !rules.Scopes.Contains(Scope, StringComparer.Ordinal);
        return part || rules.SpendsNothing ? (null, OwnPath.Problem(Reasons.CredentialRestricted, rules.SpendsNothing ? "It was found in public: ask for a new one." : $"It opens only a part; give it the scope '{Scope}', or use another key.")) : (principal.Caller.Name, null);
    }
}
