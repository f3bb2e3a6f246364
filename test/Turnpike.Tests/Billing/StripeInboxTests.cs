using System.Text;
using System.Text.Json.Nodes;
using Turnpike.Audit;
using Turnpike.Billing;
using Turnpike.Billing.Disputes;
using Turnpike.Billing.Invoices;
using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Plans;
using Turnpike.Tests.Billing.Stripe;
using Turnpike.Tests.Gateway;
using Turnpike.Tokens;

namespace Turnpike.Tests.Billing;

/// <summary>Stripe's events as they really come: twice, out of order, late, about things nobody here knows.</summary>
public sealed class StripeInboxTests : IDisposable
{
    private readonly StripeDouble stripe = new("sk_test_hush", "whsec_hush");
    private readonly TestGate gate = new(document: """
        payments:
          prepaid:
            secret: "${env:TURNPIKE_TOKEN_SECRET}"
            bundles: [{ price: 5.00 USD, budget: 5.00 USD }]
            checkout: { stripe: { secret-key: "${env:STRIPE_SECRET_KEY}", webhook-secret: "${env:STRIPE_WEBHOOK_SECRET}", api: "${env:STRIPE_API}", account: acct_provider1, application-fee: 5% } }
        billing: { stripe: { secret-key: "${env:STRIPE_SECRET_KEY}", webhook-secret: "${env:STRIPE_WEBHOOK_SECRET}", api: "${env:STRIPE_API}", account: acct_billing } }
        services: { s: { upstream: "${env:UPSTREAM}", operations: { data: { match: GET /data, price: 0.25 USD } } } }
        plans: { account: { postpaid: { per: 1mo } } }
        """);

    public StripeInboxTests() => gate.Sites["127.0.0.1"] = stripe.Handle;

    public void Dispose() => gate.Dispose();

    private StripeCheckoutSettings Checkout => gate.Of<CurrentPayments>()()!.Prepaid!.Checkout!;

    private StripeBilling Billing => gate.Of<Turnpike.Catalog.Loading.CatalogSource>().Current.Settings.Get<BillingSettings>()!.Stripe!;

    private async Task<bool> TellAsync(string type, JsonNode about, string? id = null)
    {
        var (body, _) = stripe.Event(type, about, gate.Time.GetUtcNow(), id, stripe.Objects.All((string)about["object"]!).Contains(about) ? stripe.Objects.AccountOf((string)about["id"]!) : "acct_provider1");
        return await gate.Of<StripeInbox>().ToldAsync(Checkout, Billing, StripeEvent.Parse(Encoding.UTF8.GetBytes(body)).ShouldNotBeNull(), default);
    }

    private async Task<(Purchase Order, string Intent)> BoughtAsync()
    {
        var sale = gate.Of<TokenSale>();
        var (order, session) = await sale.BeginAsync(Checkout, "data", new Bundle(new Money(5_000_000_000, "USD"), new Money(5_000_000_000, "USD"), null, null), null, "https://api.example/buy/data", default);
        stripe.Objects.Pay(session.ShouldNotBeNull().Id);
        (await TellAsync("checkout.session.completed", stripe.Objects[session.Id])).ShouldBeTrue();
        return ((await sale.LookAsync(Checkout, session.Id, default))!, (string)stripe.Objects[session.Id]["payment_intent"]!);
    }

    private async Task<TokenStatus> StatusAsync(Purchase order) => (await gate.Of<TokenDesk>().FindAsync(order.Token, default))!.Status;

    private async Task<string> LeftAsync(Purchase order) => (await gate.Ledger.AvailableAsync("token:" + order.Token, "USD", default)).ToString();

    [Fact]
    public async Task Every_request_of_a_sale_is_one_that_Stripes_own_document_knows()
    {
        await BoughtAsync();
        var asked = stripe.Requests.First(r => r.Path == "/v1/checkout/sessions");
        (asked.Account, (string?)asked.Form["payment_intent_data"]!["application_fee_amount"]).ShouldBe(("acct_provider1", "25"));
    }

    [Fact]
    public async Task A_dispute_freezes_and_winning_it_thaws_in_whatever_order_both_are_told()
    {
        foreach (var backwards in (bool[])[false, true])
        {
            var (order, intent) = await BoughtAsync();
            var dispute = stripe.Objects.Dispute(intent);
            var opened = dispute.DeepClone();
            if (!backwards)
            {
                await TellAsync("charge.dispute.created", opened);
                await TellAsync("charge.dispute.funds_withdrawn", opened);
                (await StatusAsync(order)).ShouldBe(TokenStatus.Frozen);
            }
            dispute["status"] = "won";
            await TellAsync("charge.dispute.closed", dispute);
            await TellAsync("charge.dispute.created", opened);
            (await StatusAsync(order)).ShouldBe(TokenStatus.Active, backwards ? "what happened before is told after" : "told again");
            (await LeftAsync(order)).ShouldBe("5.00 USD");
        }
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_lost_dispute_is_booked_once_however_often_it_is_told()
    {
        var (order, intent) = await BoughtAsync();
        var dispute = stripe.Objects.Dispute(intent);
        await TellAsync("charge.dispute.created", dispute);
        dispute["status"] = "lost";
        await TellAsync("charge.dispute.closed", dispute, "evt_lost");
        await TellAsync("charge.dispute.closed", dispute, "evt_lost");
        await TellAsync("charge.dispute.closed", dispute);
        (await StatusAsync(order)).ShouldBe(TokenStatus.Revoked);
        (await PostpaidTests.SumAsync(gate, "external")).ShouldBe(0, "5.00 came and 5.00 went");
        (await PostpaidTests.SumAsync(gate, "token")).ShouldBe(0);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task The_evidence_tells_every_call_with_its_receipt_and_is_submitted_once()
    {
        var (order, intent) = await BoughtAsync();
        var bearer = "Bearer " + gate.Of<CurrentPayments>()()!.Prepaid!.Text.Of(order.Token);
        for (var i = 0; i < 3; i++) (await gate.GetAsync("/data", ("Authorization", bearer))).Status.ShouldBe(200);
        var id = (string)stripe.Objects.Dispute(intent)["id"]!;
        await TellAsync("charge.dispute.created", stripe.Objects[id]);
        var dispute = (await gate.Of<DisputeStore>().FindAsync(id, default)).ShouldNotBeNull();
        (await gate.Of<DisputeDesk>().SubmitAsync(dispute, "It was used.", default)).ShouldBeNull();
        var evidence = stripe.Objects[id]["evidence"]!;
        ((string)evidence["access_activity_log"]!).Split('\n').Count(l => l.Contains("GET /data, 0.25 USD, delivered, r_", StringComparison.Ordinal)).ShouldBe(3);
        ((string)evidence["refund_refusal_explanation"]!).ShouldBe("It was used.");
        ((string)stripe.Objects[id]["status"]!).ShouldBe("under_review");
        (await gate.Of<DisputeDesk>().SubmitAsync((await gate.Of<DisputeStore>().FindAsync(id, default))!, null, default)).ShouldNotBeNull();
    }

    [Fact]
    public async Task A_refund_in_Stripes_dashboard_takes_the_same_off_the_token_once()
    {
        var (order, intent) = await BoughtAsync();
        var charge = stripe.Objects.RefundInDashboard(intent, 200);
        await TellAsync("charge.refunded", charge, "evt_r");
        await TellAsync("charge.refunded", charge, "evt_r");
        await TellAsync("charge.refunded", charge);
        (await LeftAsync(order)).ShouldBe("3.00 USD");
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task Our_refund_reaches_Stripe_once_with_the_fee_and_its_own_word_of_it_changes_nothing()
    {
        var (order, intent) = await BoughtAsync();
        order = (await gate.Of<PurchaseStore>().FindAsync(order.Id, default))!;
        stripe.Fail("/v1/refunds", StripeFault.Before);
        (await gate.Of<PurchaseRefunds>().RefundAsync(order, new Money(2_000_000_000, "USD"), "asked", "k", default)).ShouldNotBeNull();
        for (var i = 0; i < 2; i++) (await gate.Of<PurchaseRefunds>().RefundAsync(order, new Money(2_000_000_000, "USD"), "asked", "k", default)).ShouldBeNull();
        var refund = stripe.Requests.Last(r => r is { Method: "POST", Path: "/v1/refunds" });
        ((string?)refund.Form["refund_application_fee"], refund.Account).ShouldBe(("true", "acct_provider1"));
        stripe.Objects.All("refund").ShouldHaveSingleItem();
        await TellAsync("charge.refunded", stripe.Objects.ChargeOf(intent));
        (await LeftAsync(order)).ShouldBe("3.00 USD");
        (await gate.Of<PurchaseRefunds>().RefundAsync(order, null, "the rest", "k2", default)).ShouldBeNull();
        (await LeftAsync(order)).ShouldBe("0.00 USD");
        (await StatusAsync(order)).ShouldBe(TokenStatus.Revoked);
        (await gate.Of<PurchaseRefunds>().RefundAsync(order, new Money(1_000_000_000, "USD"), "more", "k3", default)).ShouldNotBeNull();
        (await PostpaidTests.SumAsync(gate, "external")).ShouldBe(0);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task What_nobody_here_knows_is_answered_well_and_kept_nowhere()
    {
        (await TellAsync("customer.subscription.created", new JsonObject { ["id"] = "sub_1", ["object"] = "subscription" })).ShouldBeTrue();
        (await TellAsync("invoice.paid", new JsonObject { ["id"] = "in_stranger", ["object"] = "invoice" })).ShouldBeTrue();
        (await TellAsync("charge.succeeded", new JsonObject { ["id"] = "ch_1", ["object"] = "charge", ["payment_intent"] = "pi_1" }, "evt_s")).ShouldBeTrue();
        (await gate.Of<PurchaseStore>().WaitingAsync("pi_1", default)).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_invoice_paid_at_Stripe_is_paid_here_and_a_refund_there_becomes_a_credit_note()
    {
        await PostpaidTests.CallAsync(gate, await PostpaidTests.KeyAsync(gate), 4);
        PostpaidTests.NextMonth(gate);
        await gate.Of<Biller>().RoundAsync(default);
        var invoice = await PostpaidTests.OneAsync(gate);
        stripe.Objects.PayInvoice(invoice.StripeInvoice!);
        stripe.Fail("/v1/invoices", StripeFault.Before);
        (await TellAsync("invoice.paid", stripe.Objects[invoice.StripeInvoice!], "evt_p")).ShouldBeFalse("Stripe could not be asked: it shall tell it again");
        (await TellAsync("invoice.paid", stripe.Objects[invoice.StripeInvoice!], "evt_p")).ShouldBeTrue();
        (await PostpaidTests.OneAsync(gate)).Status.ShouldBe(InvoiceStatus.Paid);
        var intent = (string)stripe.Objects[invoice.StripeInvoice!]["payment_intent"]!;
        var charge = stripe.Objects.RefundInDashboard(intent, 40);
        await TellAsync("charge.refunded", charge);
        await TellAsync("charge.refunded", charge);
        (await gate.Of<InvoiceStore>().NotesAsync(invoice.Id, default)).ShouldHaveSingleItem().Amount.ToString().ShouldBe("0.40 USD");
        (await PostpaidTests.SumAsync(gate, "external")).ShouldBe(-600_000_000);
        var dispute = stripe.Objects.Dispute(intent, 60);
        await TellAsync("charge.dispute.created", dispute);
        await gate.Of<InvoiceDesk>().RememberAsync(default);
        gate.Of<Arrears>().Has("acme").ShouldBeTrue("nothing more on account while a payment is disputed");
        (await gate.Of<DisputeDesk>().SubmitAsync((await gate.Of<DisputeStore>().FindAsync((string)dispute["id"]!, default))!, null, default)).ShouldBeNull("the account that sent the invoice takes the evidence");
        ((string)dispute["evidence"]!["access_activity_log"]!).Split('\n').Count(l => l.Contains("GET /data", StringComparison.Ordinal)).ShouldBe(4);
        dispute["status"] = "lost";
        await TellAsync("charge.dispute.closed", dispute);
        await TellAsync("charge.dispute.closed", dispute);
        (await PostpaidTests.SumAsync(gate, "external")).ShouldBe(0);
        (await PostpaidTests.SumAsync(gate, "loss")).ShouldBe(-600_000_000);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public void The_double_answers_a_key_as_before_and_refuses_it_for_something_else()
    {
        StripeReplied Ask(string form, string key = "k") => stripe.Answer("POST", "/v1/customers", name => name switch { "Authorization" => "Basic c2tfdGVzdF9odXNoOg==", "Idempotency-Key" => key, "Stripe-Version" => StripeCalls.Version, _ => null }, form);
        var first = Ask("name=a");
        Ask("name=a").ShouldBe(first with { Replayed = true });
        (Ask("name=b").Status, Ask("name=b").Body.Contains("idempotency_error", StringComparison.Ordinal)).ShouldBe((400, true));
        Ask("nonsense=1", "k2").Body.ShouldContain("Received unknown parameter: nonsense");
        Ask("address[planet]=earth", "k3").Body.ShouldContain("address[planet]");
    }

    /// <summary>Events lost, doubled, and in any order, each as it was when it happened: what is lost is told again, as Stripe does for days.</summary>
    [Fact]
    public async Task However_its_webhooks_are_delivered_the_books_come_to_the_same()
    {
        var expected = "";
        for (var seed = 0; seed < 12; seed++)
        {
            using var world = new StripeInboxTests();
            var end = await world.StoryAsync(seed == 0 ? null : new Random(seed));
            if (seed == 0) expected = end;
            else end.ShouldBe(expected, $"seed {seed}");
        }
        expected.ShouldBe("one Revoked 0.00 USD; two Active 3.00 USD; external -3.00 USD, loss 0.00 USD");
    }

    private async Task<string> StoryAsync(Random? weather)
    {
        var sale = gate.Of<TokenSale>();
        List<(Purchase Order, string Session)> sold = [];
        for (var i = 0; i < 2; i++)
        {
            var (order, session) = await sale.BeginAsync(Checkout, "data", new Bundle(new Money(5_000_000_000, "USD"), new Money(5_000_000_000, "USD"), null, null), null, "https://api.example/buy/data", default);
            sold.Add((order, session!.Id));
            stripe.Objects.Pay(session.Id, "pm_card_chargeDeclined").ShouldBeNull();
            stripe.Objects.Pay(session.Id).ShouldNotBeNull();
        }
        string IntentOf(int i) => (string)stripe.Objects[sold[i].Session]["payment_intent"]!;
        var lost = stripe.Objects.Payments.Dispute(IntentOf(0));
        stripe.Objects.Payments.Close((string)lost["id"]!, "lost");
        stripe.Objects.RefundInDashboard(IntentOf(1), 100);
        stripe.Objects.RefundInDashboard(IntentOf(1), 100);
        List<StripeTold> waiting = [.. stripe.Objects.Events];
        if (weather is not null)
        {
            waiting.AddRange(waiting.Where(_ => weather.Next(3) == 0).ToList());
            waiting = [.. waiting.OrderBy(_ => weather.Next())];
        }
        for (var round = 0; waiting.Count > 0; round++, gate.Time.Pass(TimeSpan.FromMinutes(10)))
        {
            round.ShouldBeLessThan(50, "it is never taken");
            List<StripeTold> again = [];
            foreach (var told in waiting)
            {
                var (body, _) = stripe.Event(told, gate.Time.GetUtcNow());
                if (weather?.Next(4) == 0 || !await gate.Of<StripeInbox>().ToldAsync(Checkout, Billing, StripeEvent.Parse(Encoding.UTF8.GetBytes(body))!, default)) again.Add(told);
            }
            waiting = again;
        }
        await gate.ShouldBalanceAsync();
        async Task<string> ToldAsync(int i) => $"{await StatusAsync(sold[i].Order)} {await LeftAsync(sold[i].Order)}";
        return $"one {await ToldAsync(0)}; two {await ToldAsync(1)}; external {new Money(await PostpaidTests.SumAsync(gate, "external"), "USD")}, loss {new Money(await PostpaidTests.SumAsync(gate, "loss"), "USD")}";
    }
}
