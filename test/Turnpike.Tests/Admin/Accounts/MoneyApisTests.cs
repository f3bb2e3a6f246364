using System.Net;
using System.Text;
using System.Text.Json;
using Turnpike.Admin;
using Turnpike.Admin.Accounts;
using Turnpike.Admin.Cli.Accounts;
using Turnpike.Billing.Invoices;
using Turnpike.Ledger;
using Turnpike.Tests.Billing.Stripe;

namespace Turnpike.Tests.Admin.Accounts;

/// <summary>What an operator sees and orders of invoices, statements, disputes and refunds, over HTTP.</summary>
public sealed class MoneyApisTests
{
    private const string Api = "/admin/v1/";
    private static readonly DateTimeOffset End = new(2026, 2, 1, 0, 0, 0, TimeSpan.Zero);

    private static async Task<(int Status, JsonElement Json)> SendAsync(RunningGateway gateway, HttpMethod method, string path, string? body = null, params (string Name, string Value)[] headers)
    {
        var (status, text) = await gateway.AdminAsync(method, Api + path, body, RunningGateway.Key, headers);
        return ((int)status, RunningGateway.Json(text));
    }

    private static Task<(int Status, JsonElement Json)> PostAsync(RunningGateway gateway, string path, string body, string? key = null) =>
        SendAsync(gateway, HttpMethod.Post, path, body, key is null ? [] : [("Idempotency-Key", $"\"{key}\"")]);

    private static string? Reason((int Status, JsonElement Json) answer) => answer.Json.TryGetProperty("reason", out var reason) ? reason.GetString() : null;

    /// <summary>An invoice of one call that was sent, with what stands behind it in the books.</summary>
    private static async Task<string> BilledAsync(RunningGateway gateway, int months)
    {
        var (store, end, amount) = (new InvoiceStore(gateway.Database, TimeProvider.System), End.AddMonths(months), new Money(1_500_000_000, "USD"));
        var invoice = new Invoice(InvoiceMaker.IdOf("named", "USD", end), "named", "USD", end.AddMonths(-1), end)
        {
            Lines = [new InvoiceLine("usage", "paid", 150, [], amount.Units)], Total = amount, Charged = amount, Carried = Money.Zero("USD"), Tax = Money.Zero("USD"), Credited = Money.Zero("USD"),
            DueAfter = TimeSpan.FromDays(30), // whoever sends it first: this test, or the biller, which begins with the gateway
        };
        await gateway.Ledger.PostAsync(new Transfer("used:" + invoice.Id, Turnpike.Plans.Postpaid.Invoiced("named"), "revenue:paid", amount, "test", LimitedFrom: false, LimitedTo: false), default);
        await store.AddAsync(invoice, default);
        await store.BookedAsync(invoice.Id, default);
        await store.OpenAsync(invoice.Id, Money.Zero("USD"), null, DateTimeOffset.MaxValue.AddYears(-1), default);
        return invoice.Id;
    }

    [Fact]
    public async Task Invoices_are_listed_paid_credited_given_up_and_voided_each_once_and_refused_with_a_reason()
    {
        await using var gateway = await RunningGateway.StartAsync(more: "callers: { named: {} }\nplans: { account: { postpaid: { per: 1mo } } }");
        var (paid, lost, wrong) = (await BilledAsync(gateway, 0), await BilledAsync(gateway, 1), await BilledAsync(gateway, 2));
        (await SendAsync(gateway, HttpMethod.Get, "invoices?caller=named&status=open")).Json.GetProperty("invoices").GetArrayLength().ShouldBe(3);
        Reason(await SendAsync(gateway, HttpMethod.Get, "invoices?status=late")).ShouldBe("malformed-request");
        (await SendAsync(gateway, HttpMethod.Get, "invoices/inv_none")).Status.ShouldBe(404);
        (await gateway.GetAsync(Api + $"invoices/{paid}?format=html")).Body.ShouldContain("<td>To pay</td><td>1.50</td>");
        (await gateway.GetAsync(Api + $"invoices/{paid}?format=csv")).Body.ShouldContain("INV-000001,named,");

        (await PostAsync(gateway, $"invoices/{paid}/credit-notes", """{"amount":"0.50 USD","reason":"slow"}""")).Status.ShouldBe(400, "a key is wanted");
        foreach (var _ in (int[])[1, 2]) (await PostAsync(gateway, $"invoices/{paid}/credit-notes", """{"amount":"0.50 USD","reason":"slow"}""", "a")).Json.GetProperty("owed").GetProperty("amount").GetString().ShouldBe("1.00");
        Reason(await PostAsync(gateway, $"invoices/{paid}/credit-notes", """{"amount":"1.01 USD","reason":"slow"}""", "b")).ShouldBe("refund-exceeds");
        Reason(await PostAsync(gateway, $"invoices/{paid}/pay", """{"rail":"Bank!"}""")).ShouldBe("malformed-request");
        var (_, told) = await PostAsync(gateway, $"invoices/{paid}/pay", """{"reference":"wire 4711"}""");
        (told.GetProperty("status").GetString(), told.GetProperty("owed").GetProperty("amount").GetString(), told.GetProperty("creditNotes").GetArrayLength()).ShouldBe(("paid", "0.00", 1));
        Reason(await PostAsync(gateway, $"invoices/{paid}/void", """{"reason":"mistake"}""")).ShouldBe("invoice-ended");

        (await PostAsync(gateway, $"invoices/{lost}/uncollectible", "{}")).Status.ShouldBe(400, "why?");
        (await PostAsync(gateway, $"invoices/{lost}/uncollectible", """{"reason":"insolvent"}""")).Json.GetProperty("status").GetString().ShouldBe("uncollectible");
        (await PostAsync(gateway, $"invoices/{wrong}/void", """{"reason":"mistake"}""")).Json.GetProperty("status").GetString().ShouldBe("void");
        (await gateway.Ledger.VerifyAsync(default)).Findings.ShouldBeEmpty();
        var (_, statement) = await SendAsync(gateway, HttpMethod.Get, "statements?from=2020-01-01T00:00:00Z&to=2100-01-01T00:00:00Z");
        statement.GetProperty("rails").EnumerateArray().Single(r => r.GetProperty("rail").GetString() == "bank").GetProperty("taken").GetString().ShouldBe("1.00");
        statement.GetProperty("losses").EnumerateArray().Single().GetProperty("amount").GetString().ShouldBe("1.50");
        Reason(await SendAsync(gateway, HttpMethod.Get, "statements?from=2026-01-01T00:00:00Z")).ShouldBe("malformed-request");
        (await gateway.GetAsync(Api + "statements?from=2020-01-01T00:00:00Z&to=2100-01-01T00:00:00Z&format=csv")).Body.ShouldContain(",taken,bank,USD,1.00");
        (await gateway.GetAsync(Api + "ledger/export?from=2020-01-01T00:00:00Z&to=2100-01-01T00:00:00Z&format=beancount")).Body.ShouldContain("Assets:External:Bank");
        Reason(await SendAsync(gateway, HttpMethod.Get, "ledger/export?format=xml")).ShouldBe("malformed-request");
    }

    [Fact]
    public async Task Who_pays_is_said_and_shown_and_without_Stripe_there_is_no_portal()
    {
        await using var gateway = await RunningGateway.StartAsync();
        foreach (var wrong in (string[])["""{"country":"de"}""", """{"customer":"acme"}""", """{"name":""}"""]) (await SendAsync(gateway, HttpMethod.Put, "callers/named/billing", wrong)).Status.ShouldBe(400, wrong);
        (await SendAsync(gateway, HttpMethod.Put, "callers/named/billing", """{"name":"Acme GmbH","country":"DE","taxId":"DE1"}""")).Status.ShouldBe(200);
        (await SendAsync(gateway, HttpMethod.Get, "callers/named/billing")).Json.GetProperty("name").GetString().ShouldBe("Acme GmbH");
        (await SendAsync(gateway, HttpMethod.Get, "callers/nobody/billing")).Status.ShouldBe(404);
        Reason(await PostAsync(gateway, "callers/named/portal", "{}")).ShouldBe("no-portal");
    }

    [Fact]
    public async Task A_bought_token_is_refunded_and_a_dispute_answered_at_Stripe_once()
    {
        var stripe = new StripeDouble(RunningGateway.TokenSecret, RunningGateway.TokenSecret);
        await using var host = await StripeHost.StartAsync(stripe);
        await using var gateway = await RunningGateway.StartAsync(payments: $$"""
            payments: { prepaid: { secret: "${env:TOKENS}", bundles: [{ price: 5.00 USD, budget: 5.00 USD }], checkout: { stripe: { secret-key: "${env:TOKENS}", webhook-secret: "${env:TOKENS}", api: "{{host.Url}}", account: acct_provider1, application-fee: 5% } } } }
            """);
        var (token, intent) = await BuyAsync(gateway, stripe);
        using (var call = await gateway.CallAsync("/paid", token)) call.StatusCode.ShouldBe(HttpStatusCode.OK);
        var id = (await SendAsync(gateway, HttpMethod.Get, "tokens?limit=1")).Json.GetProperty("tokens")[0].GetProperty("id").GetString()!;
        Reason(await PostAsync(gateway, $"tokens/{id}/refund", """{"reason":"as agreed"}""")).ShouldBe("malformed-request", "a key is wanted");
        foreach (var _ in (int[])[1, 2])
            (await PostAsync(gateway, $"tokens/{id}/refund", """{"reason":"as agreed","amount":"2.00 USD"}""", "a")).Json.GetProperty("left").GetProperty("amount").GetString().ShouldBe("2.99", "the same order is the same refund");
        var refund = stripe.Requests.Single(r => r.Path == "/v1/refunds" && r.Method == "POST");
        ((string?)refund.Form["amount"], (string?)refund.Form["refund_application_fee"], refund.Account).ShouldBe(("200", "true", "acct_provider1"), "the fee goes back with it");
        Reason(await PostAsync(gateway, $"tokens/{id}/refund", """{"reason":"more","amount":"9.00 USD"}""", "b")).ShouldBe("refund-refused");

        var dispute = stripe.Objects.Dispute(intent, 300);
        await TellAsync(gateway, stripe, "charge.dispute.created");
        using (var frozen = await gateway.CallAsync("/paid", token)) frozen.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await SendAsync(gateway, HttpMethod.Get, "disputes")).Json.GetProperty("disputes").EnumerateArray().ShouldHaveSingleItem().GetProperty("status").GetString().ShouldBe("needs_response");
        var at = "disputes/" + (string)dispute["id"]!;
        (await SendAsync(gateway, HttpMethod.Get, at)).Json.GetProperty("evidence").GetProperty("access_activity_log").GetString()!.ShouldContain("GET /paid");
        (await PostAsync(gateway, at + "/evidence", """{"words":"It was delivered."}""")).Json.GetProperty("status").GetString().ShouldBe("under_review");
        ((string?)dispute["evidence"]!["refund_refusal_explanation"], (string?)dispute["status"]).ShouldBe(("It was delivered.", "under_review"));
        Reason(await PostAsync(gateway, at + "/evidence", "{}")).ShouldBe("evidence-refused");
        (await SendAsync(gateway, HttpMethod.Get, "disputes/dp_none")).Status.ShouldBe(404);
        stripe.Objects.Payments.Close((string)dispute["id"]!, "won");
        await TellAsync(gateway, stripe, "charge.dispute.closed");
        using (var free = await gateway.CallAsync("/paid", token)) free.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await gateway.Ledger.VerifyAsync(default)).Findings.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_was_bought_with_test_money_goes_back_as_test_money_once_and_never_more_than_was_paid()
    {
        await using var gateway = await RunningGateway.StartAsync(sandbox: true);
        var (token, id, page) = await BuyWithTestMoneyAsync(gateway, "0.05 USD");
        (await BuyWithTestMoneyAsync(gateway, "0.03 USD", token)).Id.ShouldBe(id, "topped up");
        using (var call = await gateway.CallAsync("/paid", token)) call.StatusCode.ShouldBe(HttpStatusCode.OK);
        foreach (var _ in (int[])[1, 2])
        {
            var (status, part) = await PostAsync(gateway, $"tokens/{id}/refund", """{"reason":"as agreed","amount":"0.0125 USD"}""", "a");
            (status, part.GetProperty("sandbox").GetBoolean(), part.GetProperty("status").GetString(), part.GetProperty("left").GetProperty("amount").GetString()).ShouldBe((200, true, "active", "0.0575"), "the same order is the same refund");
        }
        using (var shown = await gateway.CallAsync(page)) RunningGateway.Json(await shown.Content.ReadAsStringAsync()).GetProperty("refunded").GetProperty("amount").GetString().ShouldBe("0.0125");
        Reason(await PostAsync(gateway, $"tokens/{id}/refund", """{"reason":"more","amount":"0.04 USD"}""", "b")).ShouldBe("refund-refused", "0.0375 is left of its price");
        Reason(await PostAsync(gateway, $"tokens/{id}/refund", """{"reason":"no","purchase":"buy_other"}""", "b")).ShouldBe("not-found");
        var added = (await SendAsync(gateway, HttpMethod.Get, $"tokens/{id}/purchases")).Json.GetProperty("purchases")[1].GetProperty("id").GetString();
        (await PostAsync(gateway, $"tokens/{id}/refund", $$"""{"reason":"the top-up, too","purchase":"{{added}}"}""", "c")).Json.GetProperty("left").GetProperty("amount").GetString().ShouldBe("0.0275");
        foreach (var key in (string[])["d", "d"])
            (await PostAsync(gateway, $"tokens/{id}/refund", """{"reason":"all of it"}""", key)).Json.GetProperty("left").GetProperty("amount").GetString().ShouldBe("0.00", "what is left, though more was paid");
        Reason(await PostAsync(gateway, $"tokens/{id}/refund", """{"reason":"more"}""", "e")).ShouldBe("refund-refused");
        var purchases = (await SendAsync(gateway, HttpMethod.Get, $"tokens/{id}/purchases")).Json.GetProperty("purchases").EnumerateArray();
        purchases.Select(p => $"{p.GetProperty("price").GetProperty("amount")} {p.GetProperty("refunded").GetProperty("amount")} {p.GetProperty("sandbox")}").ShouldBe(["0.05 0.04 True", "0.03 0.03 True"]);
        var events = (await SendAsync(gateway, HttpMethod.Get, "audit?kind=purchase.reversed")).Json.GetProperty("events").EnumerateArray();
        events.Select(e => $"{e.GetProperty("amount").GetString()} {e.GetProperty("detail").GetString()}").ShouldBe(["0.0125 USD refunded, test money", "0.03 USD refunded, test money", "0.0275 USD refunded, test money"], ignoreOrder: true);
        var rail = (await SendAsync(gateway, HttpMethod.Get, "statements?from=2020-01-01T00:00:00Z&to=2100-01-01T00:00:00Z")).Json.GetProperty("rails").EnumerateArray().ShouldHaveSingleItem();
        (rail.GetProperty("rail").GetString(), rail.GetProperty("taken").GetString(), rail.GetProperty("givenBack").GetString()).ShouldBe(("sandbox", "0.08", "0.07"), "one call was paid for");
        (await gateway.Ledger.VerifyAsync(default)).Findings.ShouldBeEmpty();
    }

    /// <summary>The attack: many refunds at once, each of which alone fits into what was paid.</summary>
    [Fact]
    public async Task Refunds_of_test_money_that_come_at_once_give_back_what_was_paid_and_end_the_token_even_a_replaced_one()
    {
        await using var gateway = await RunningGateway.StartAsync(sandbox: true);
        var (_, id, _) = await BuyWithTestMoneyAsync(gateway, "0.05 USD");
        (await PostAsync(gateway, $"tokens/{id}/rotate", """{"reason":"seen in a log"}""")).Status.ShouldBe(200);
        var answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => PostAsync(gateway, $"tokens/{id}/refund", """{"reason":"again","amount":"0.01 USD"}""", "k" + i)));
        answers.Count(a => a.Status == 200).ShouldBe(5);
        for (var tries = 0; await StatusAsync(gateway, id) != "revoked"; tries++, await Task.Delay(50)) tries.ShouldBeLessThan(2_400, "what was decided is never booked");
        (await SendAsync(gateway, HttpMethod.Get, $"tokens/{id}/purchases")).Json.GetProperty("purchases").EnumerateArray().Single().GetProperty("refunded").GetProperty("amount").GetString().ShouldBe("0.05");
        var rail = (await SendAsync(gateway, HttpMethod.Get, "statements?from=2020-01-01T00:00:00Z&to=2100-01-01T00:00:00Z")).Json.GetProperty("rails").EnumerateArray().ShouldHaveSingleItem();
        (rail.GetProperty("taken").GetString(), rail.GetProperty("givenBack").GetString()).ShouldBe(("0.05", "0.05"));
        (await gateway.Ledger.VerifyAsync(default)).Findings.ShouldBeEmpty();
    }

    private static async Task<string?> StatusAsync(RunningGateway gateway, string token) => (await SendAsync(gateway, HttpMethod.Get, $"tokens/{token}")).Json.GetProperty("status").GetString();

    [Fact]
    public async Task The_command_line_lists_shows_and_pays_invoices_and_writes_the_books()
    {
        await using var gateway = await RunningGateway.StartAsync(more: "callers: { named: {} }\nplans: { account: { postpaid: { per: 1mo } } }");
        var id = await BilledAsync(gateway, 0);
        var (config, environment) = (gateway.Config, RunningGateway.Environment);
        (await SaidAsync((o, e) => InvoicesCommand.ListAsync(config, environment, "named", "open", false, o, e, default))).ShouldBe((0, "INV-000001  named  2026-01-01 to 2026-02-01  1.50 USD  open\n"));
        (await SaidAsync((o, e) => InvoicesCommand.PostAsync(config, environment, id, "pay", new PaidBody(Reference: "wire 4711"), AdminJson.Default.PaidBody, null, false, o, e, default))).Said.ShouldContain("credited 0.00, owed 0.00");
        (await SaidAsync((o, e) => InvoicesCommand.ShowAsync(config, environment, id, "html", false, o, e, default))).Said.ShouldContain("Status: paid");
        (await SaidAsync((o, e) => InvoicesCommand.ShowAsync(config, environment, "inv_none", null, false, o, e, default))).Code.ShouldBe(3);
        (await SaidAsync((o, e) => StatementsCommand.ShowAsync(config, environment, "2020-01-01", "2100-01-01", true, false, o, e, default))).Said.ShouldContain(",taken,bank,USD,1.50");
        (await SaidAsync((o, e) => StatementsCommand.ExportAsync(config, environment, "2020-01-01", "2100-01-01", true, o, e, default))).Said.ShouldContain("Income:Revenue:Paid  -1.50 USD");
        (await SaidAsync((o, e) => StatementsCommand.ShowAsync(config, environment, "yesterday", null, false, false, o, e, default))).Code.ShouldBe(2);
    }

    private static async Task<(int Code, string Said)> SaidAsync(Func<TextWriter, TextWriter, Task<int>> run)
    {
        using var output = new StringWriter { NewLine = "\n" };
        return (await run(output, TextWriter.Null), output.ToString());
    }

    private static async Task<(string Token, string Id, string Page)> BuyWithTestMoneyAsync(RunningGateway gateway, string budget, string? token = null)
    {
        using var order = await gateway.Http.PostAsync(new Uri(gateway.Public, "/buy/paid"), new StringContent($$"""{"budget":"{{budget}}"{{(token is null ? "" : $",\"token\":\"{token}\"")}}}""", Encoding.UTF8, "application/json"));
        order.StatusCode.ShouldBe(HttpStatusCode.Created);
        var sold = RunningGateway.Json(await order.Content.ReadAsStringAsync());
        var id = (await SendAsync(gateway, HttpMethod.Get, "tokens?limit=1")).Json.GetProperty("tokens")[0].GetProperty("id").GetString()!;
        return (token ?? sold.GetProperty("token").GetString()!, id, new Uri(sold.GetProperty("done").GetString()!).PathAndQuery);
    }

    private static async Task<(string Token, string Intent)> BuyAsync(RunningGateway gateway, StripeDouble stripe)
    {
        using var order = await gateway.Http.PostAsync(new Uri(gateway.Public, "/buy/paid"), new StringContent("""{"bundle":1}""", Encoding.UTF8, "application/json"));
        order.StatusCode.ShouldBe(HttpStatusCode.Created);
        var session = (string)stripe.Objects.All("checkout.session").ShouldHaveSingleItem()["id"]!;
        stripe.Objects.Pay(session);
        using var done = await gateway.CallAsync("/buy/paid/done?session_id=" + session);
        return (RunningGateway.Json(await done.Content.ReadAsStringAsync()).GetProperty("token").GetString()!, (string)stripe.Objects[session]["payment_intent"]!);
    }

    /// <summary>The last event of this kind arrives, signed.</summary>
    private static async Task TellAsync(RunningGateway gateway, StripeDouble stripe, string type)
    {
        var (body, signature) = stripe.Event(stripe.Objects.Events.Last(e => e.Type == type), TimeProvider.System.GetUtcNow());
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(gateway.Public, "/webhooks/stripe")) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.TryAddWithoutValidation("Stripe-Signature", signature);
        using var answer = await gateway.Http.SendAsync(request);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
    }
}
