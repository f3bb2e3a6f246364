using System.Net;
using System.Text.Json;
using Turnpike.Billing.Invoices;
using Turnpike.Ledger;
using Turnpike.Tests.Admin;
using Turnpike.Tests.Billing.Stripe;

namespace Turnpike.Tests.Billing;

/// <summary>What callers see of their own bills, by the key they call with.</summary>
public sealed class OwnInvoicesTests
{
    private const string Admin = "/admin/v1/";
    private static readonly DateTimeOffset End = new(2026, 2, 1, 0, 0, 0, TimeSpan.Zero);

    private const string More = """
        plans: { account: { postpaid: { per: 1mo } } }
        billing: { from: [Example GmbH] }
        """;

    private static async Task<string> KeyAsync(RunningGateway gateway, string caller, string body = "{}")
    {
        (await gateway.AdminAsync(HttpMethod.Put, Admin + "callers/" + caller, """{"plan":"account","scopes":["invoices"]}""")).Status.ShouldBe(HttpStatusCode.Created);
        return RunningGateway.Json((await gateway.AdminAsync(HttpMethod.Post, $"{Admin}callers/{caller}/keys", body)).Body).GetProperty("key").GetString()!;
    }

    private static async Task<Invoice> BillAsync(RunningGateway gateway, string caller, int months = 0)
    {
        var (store, end, amount) = (new InvoiceStore(gateway.Database, TimeProvider.System), End.AddMonths(months), new Money(1_500_000_000, "USD"));
        var invoice = new Invoice(InvoiceMaker.IdOf(caller, "USD", end), caller, "USD", end.AddMonths(-1), end)
        {
            Lines = [new InvoiceLine("usage", "paid", 150, [], amount.Units)], Total = amount, Charged = amount, Carried = Money.Zero("USD"), Tax = Money.Zero("USD"), Credited = Money.Zero("USD"),
        };
        await store.AddAsync(invoice, default);
        await store.BookedAsync(invoice.Id, default);
        return invoice;
    }

    private static Task<bool> SendAsync(RunningGateway gateway, Invoice invoice, string? url = null) =>
        new InvoiceStore(gateway.Database, TimeProvider.System).OpenAsync(invoice.Id, Money.Zero("USD"), url, DateTimeOffset.MaxValue.AddYears(-1), default).AsTask();

    private static async Task<(HttpStatusCode Status, string Body)> SeeAsync(RunningGateway gateway, string path, string key, string header = "x-api-key")
    {
        using var answer = await gateway.CallAsync(path, headers: (header, key));
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_caller_sees_its_invoices_where_it_pays_them_and_what_will_be_on_the_next()
    {
        await using var gateway = await RunningGateway.StartAsync(more: More.Replace("account: {", "account: { includes: [], "));
        var key = await KeyAsync(gateway, "acme");
        var (sent, draft) = (await BillAsync(gateway, "acme"), await BillAsync(gateway, "acme", 1));
        await SendAsync(gateway, sent, "https://pay.example/i/1");
        using (var paid = await gateway.CallAsync("/paid", headers: ("x-api-key", key))) paid.StatusCode.ShouldBe(HttpStatusCode.OK);

        var own = RunningGateway.Json((await SeeAsync(gateway, "/invoices", key)).Body);
        var invoice = own.GetProperty("invoices").EnumerateArray().ShouldHaveSingleItem();
        (invoice.GetProperty("number").GetString(), invoice.GetProperty("status").GetString(), invoice.GetProperty("owed").GetProperty("amount").GetString(), invoice.GetProperty("url").GetString()).ShouldBe(("INV-000001", "open", "1.50", "https://pay.example/i/1"));
        own.GetProperty("unbilled").EnumerateArray().ShouldHaveSingleItem().GetProperty("amount").GetString().ShouldBe("0.01");
        RunningGateway.Json((await SeeAsync(gateway, "/invoices/" + sent.Id, key)).Body).GetProperty("lines")[0].GetProperty("calls").GetInt64().ShouldBe(150);
        (await SeeAsync(gateway, $"/invoices/{sent.Id}?format=html", key)).Body.ShouldContain("Pay this invoice");
        (await SeeAsync(gateway, $"/invoices/{sent.Id}?format=csv", key)).Body.ShouldContain("INV-000001,acme,");
        (await SeeAsync(gateway, "/invoices/" + draft.Id, key)).Status.ShouldBe(HttpStatusCode.NotFound, "it is not sent yet");
        RunningGateway.Json((await SeeAsync(gateway, "/invoices?status=paid", key)).Body).GetProperty("invoices").GetArrayLength().ShouldBe(0);
        (await SeeAsync(gateway, "/invoices?status=late", key)).Body.ShouldContain("malformed-request");
        await new InvoiceStore(gateway.Database, TimeProvider.System).EndAsync(sent.Id, InvoiceStatus.Paid, "wire 1", default);
        var paidPage = (await SeeAsync(gateway, $"/invoices/{sent.Id}?format=html", key)).Body;
        (paidPage.Contains("Pay this invoice", StringComparison.Ordinal), paidPage.Contains("<td>To pay</td><td>0.00</td>", StringComparison.Ordinal), paidPage.Contains("<td>Paid</td><td>-1.50</td>", StringComparison.Ordinal)).ShouldBe((false, true, true), paidPage);
    }

    [Fact]
    public async Task Nobody_sees_the_invoices_of_another_nor_by_a_credential_that_opens_only_a_part()
    {
        await using var gateway = await RunningGateway.StartAsync(more: More);
        var (acme, other) = (await KeyAsync(gateway, "acme"), await KeyAsync(gateway, "other"));
        var invoice = await BillAsync(gateway, "acme");
        await SendAsync(gateway, invoice);
        (await SeeAsync(gateway, "/invoices/" + invoice.Id, acme)).Status.ShouldBe(HttpStatusCode.OK);
        var (status, body) = await SeeAsync(gateway, "/invoices/" + invoice.Id, other);
        status.ShouldBe(HttpStatusCode.NotFound);
        body.ShouldBe((await SeeAsync(gateway, "/invoices/inv_000000000000000000000000", other)).Body, "what is another's looks like what is not there");
        (await SeeAsync(gateway, "/invoices", other)).Body.ShouldNotContain(invoice.Id);
        (await SeeAsync(gateway, "/invoices", "")).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await SeeAsync(gateway, "/invoices", "Bearer " + await gateway.TokenAsync(), "Authorization")).Body.ShouldContain("credential-restricted");
        (await SeeAsync(gateway, "/invoices", await KeyAsync(gateway, "part", """{"operations":["paid"]}"""))).Body.ShouldContain("'invoices'");
        (await SeeAsync(gateway, "/invoices", await KeyAsync(gateway, "books", """{"operations":["open"],"scopes":["invoices"]}"""))).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task The_portal_is_opened_for_the_callers_own_customer_once_in_a_while_and_leads_back_to_a_page()
    {
        var stripe = new StripeDouble(RunningGateway.TokenSecret, RunningGateway.TokenSecret);
        await using var host = await StripeHost.StartAsync(stripe);
        await using var gateway = await RunningGateway.StartAsync(more: $$"""
            plans: { account: { postpaid: { per: 1mo } } }
            billing: { stripe: { secret-key: "${env:TOKENS}", webhook-secret: "${env:TOKENS}", api: "{{host.Url}}", account: acct_provider1 } }
            """);
        var (acme, other) = (await KeyAsync(gateway, "acme"), await KeyAsync(gateway, "other"));
        var (status, body, _) = await OpenAsync(gateway, acme);
        status.ShouldBe(HttpStatusCode.OK, body);
        var portal = stripe.Objects.All("billing_portal.session").ShouldHaveSingleItem();
        RunningGateway.Json(body).GetProperty("url").GetString().ShouldBe((string)portal["url"]!);
        ((string)portal["customer"]!, stripe.Objects.AccountOf((string)portal["id"]!)).ShouldBe(((string)stripe.Objects.All("customer").ShouldHaveSingleItem()["id"]!, "acct_provider1"));
        using (var back = await gateway.CallAsync(new Uri((string)portal["return_url"]!).PathAndQuery))
            (back.StatusCode, (await back.Content.ReadAsStringAsync()).Contains("<h1>Back from your billing page</h1>", StringComparison.Ordinal), back.Headers.CacheControl!.NoStore).ShouldBe((HttpStatusCode.OK, true, true));

        var again = await OpenAsync(gateway, acme);
        (again.Status, RunningGateway.Json(again.Body).GetProperty("reason").GetString(), again.Wait > TimeSpan.Zero).ShouldBe((HttpStatusCode.TooManyRequests, "too-many-calls", true));
        stripe.Down = true;
        var down = await OpenAsync(gateway, other);
        (down.Status, RunningGateway.Json(down.Body).GetProperty("reason").GetString()).ShouldBe((HttpStatusCode.ServiceUnavailable, "verifier-down"));
        (await OpenAsync(gateway, "")).Status.ShouldBe(HttpStatusCode.Unauthorized);
        RunningGateway.Json((await OpenAsync(gateway, await KeyAsync(gateway, "part", """{"operations":["paid"]}"""))).Body).GetProperty("reason").GetString().ShouldBe("credential-restricted");
    }

    [Fact]
    public async Task Where_invoices_are_our_own_there_is_no_portal()
    {
        await using var gateway = await RunningGateway.StartAsync(more: More);
        var (status, body, _) = await OpenAsync(gateway, await KeyAsync(gateway, "acme"));
        (status, RunningGateway.Json(body).GetProperty("reason").GetString()).ShouldBe((HttpStatusCode.NotFound, "not-found"));
    }

    private static async Task<(HttpStatusCode Status, string Body, TimeSpan? Wait)> OpenAsync(RunningGateway gateway, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(gateway.Public, "/invoices/portal"));
        request.Headers.Add("x-api-key", key);
        using var answer = await gateway.Http.SendAsync(request);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(), answer.Headers.RetryAfter?.Delta);
    }

    [Fact]
    public async Task Where_nobody_is_billed_the_path_is_whoevers_sells_it()
    {
        await using var gateway = await RunningGateway.StartAsync(more: "callers: { named: {} }");
        using (var answer = await gateway.CallAsync("/invoices")) RunningGateway.Json(await answer.Content.ReadAsStringAsync()).GetProperty("reason").GetString().ShouldBe("not-found");
        var config = (await File.ReadAllTextAsync(gateway.Config)).Replace("match: GET /open", "match: \"GET /invoices/{id}\"");
        Language.Loader.Load(config, "t.yaml", RunningGateway.Environment).ErrorLines.ShouldBeEmpty();
        Language.Loader.Load(config + "\n" + More, "t.yaml", RunningGateway.Environment).ErrorLines.ShouldHaveSingleItem().ShouldContain("'GET /invoices/{id}' clashes with our own /invoices");
    }
}
