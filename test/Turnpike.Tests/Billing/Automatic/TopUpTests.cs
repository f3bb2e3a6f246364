using Turnpike.Admin.Data;
using Turnpike.Audit;
using Turnpike.Billing;
using Turnpike.Billing.Automatic;
using Turnpike.Catalog;
using Turnpike.Payments;
using Turnpike.Storage;
using Turnpike.Storage.Nodes;
using Turnpike.Tests.Billing.Stripe;
using Turnpike.Tests.Gateway;
using Turnpike.Tests.Ledger;
using Turnpike.Tokens;
using Money = Turnpike.Ledger.Money;

namespace Turnpike.Tests.Billing.Automatic;

/// <summary>Tokens that are topped up by themselves: once for each time they run low, within what their buyer agreed to, whatever breaks.</summary>
public sealed class TopUpTests : IDisposable
{
    private static readonly TimeSpan Later = TimeSpan.FromMinutes(11);
    private readonly StripeDouble stripe = new("sk_test_hush", "whsec_hush");
    private TestGate gate = new(document: """
        payments:
          prepaid:
            secret: "${env:TURNPIKE_TOKEN_SECRET}"
            bundles: [{ price: 5.00 USD, budget: 6.00 USD }]
            automatic-top-up: { monthly: 100.00 USD }
            checkout: { stripe: { secret-key: "${env:STRIPE_SECRET_KEY}", webhook-secret: "${env:STRIPE_WEBHOOK_SECRET}", api: "${env:STRIPE_API}", account: acct_provider1, application-fee: 5% } }
        services: { s: { upstream: "${env:UPSTREAM}", operations: { data: { match: GET /data, price: 0.25 USD } } } }
        """);

    public TopUpTests() => gate.Sites["127.0.0.1"] = stripe.Handle;

    public void Dispose() => gate.Dispose();

    private StripeSaved Cards => stripe.Objects.Saved;

    private TopUps TopUps => gate.Of<TopUps>();

    private StripeCheckoutSettings Checkout => gate.Of<CurrentPayments>()()!.Prepaid!.Checkout!;

    private static Money Usd(long cents) => new(cents * 10_000_000, "USD");

    /// <summary>A token that was bought with a consent to have it charged again.</summary>
    private async Task<(Purchase Order, Mandate Mandate)> AgreedAsync(long below = 100, long monthly = 1000, Token? topUp = null)
    {
        var (sale, terms) = (gate.Of<TokenSale>(), new MandateTerms(Usd(500), Usd(600), null, null, Usd(below), Usd(monthly)));
        var (order, session) = await sale.BeginAsync(Checkout, "data", new Bundle(terms.Price, terms.Budget, null, null), topUp, "https://api.example/buy/data", default, terms.Told);
        await TopUps.AskAsync(order, terms, default);
        stripe.Objects.Pay(session.ShouldNotBeNull().Id);
        var paid = (await sale.LookAsync(Checkout, session.Id, default)).ShouldNotBeNull();
        return (paid, (await TopUps.OfAsync(paid, default)).ShouldNotBeNull());
    }

    private async Task SpendAsync(Purchase order, long cents)
    {
        var (id, account) = (Ids.New("h"), (await gate.Of<TokenDesk>().FindAsync(order.Token, default))!.Account);
        (await gate.Ledger.HoldAsync(Some.Hold(id, Usd(cents), from: account), default)).ShouldBeOfType<Turnpike.Ledger.HoldResult.Held>();
        await gate.Ledger.CaptureAsync(new Turnpike.Ledger.Capture(id, Usd(cents)) { Reference = "spent" }, default);
    }

    private async Task<string> LeftAsync(Purchase order) => (await gate.Of<TokenDesk>().LeftAsync((await gate.Of<TokenDesk>().CurrentAsync(order.Token, default))!, default)).Money.ToString();

    private async Task<Mandate> NowAsync(Mandate mandate) => (await gate.Of<MandateStore>().FindAsync(mandate.Id, default))!;

    private async Task RoundsAsync(int rounds = 3)
    {
        for (var i = 0; i < rounds; i++) await TopUps.RoundAsync(default);
    }

    private async Task<List<AuditEvent>> ToldAsync(string kind)
    {
        await gate.Of<IAuditTrail>().FlushAsync(default);
        return [.. (await gate.Of<IAuditTrail>().ReadAsync(new AuditFilter(Kind: kind), default)).Select(r => r.Event)];
    }

    [Fact]
    public async Task A_token_that_runs_low_is_topped_up_once_by_the_card_it_was_bought_with()
    {
        var (order, mandate) = await AgreedAsync();
        mandate.Status.ShouldBe(MandateStatus.Active);
        await RoundsAsync();
        (await LeftAsync(order), Cards.Taken).ShouldBe(("6.00 USD", 0), "there is enough");
        await SpendAsync(order, 501);
        await RoundsAsync();
        (await LeftAsync(order), Cards.Taken).ShouldBe(("6.99 USD", 1));
        var asked = stripe.Requests.Last(r => r.Path == "/v1/payment_intents");
        (asked.Account, (string?)asked.Form["amount"], (string?)asked.Form["application_fee_amount"], (string?)asked.Form["off_session"]).ShouldBe(("acct_provider1", "500", "25", "true"));
        (await gate.Of<MandateStore>().ChargesAsync(mandate.Id, 10, default)).Single().Status.ShouldBe(PurchaseStatus.Paid);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task Nothing_is_agreed_to_before_the_order_is_paid()
    {
        var terms = new MandateTerms(Usd(500), Usd(600), null, null, Usd(100), Usd(1000));
        var (order, session) = await gate.Of<TokenSale>().BeginAsync(Checkout, "data", new Bundle(terms.Price, terms.Budget, null, null), null, "https://api.example/buy/data", default, terms.Told);
        await TopUps.AskAsync(order, terms, default);
        await RoundsAsync();
        (await gate.Of<MandateStore>().FindByPurchaseAsync(order.Id, default))!.Status.ShouldBe(MandateStatus.Asked);
        stripe.Objects[session!.Id]["custom_text"]!["submit"]!["message"]!.ToString().ShouldBe(terms.Told, "Stripe's page says what is agreed to");
    }

    [Fact]
    public async Task A_consent_is_in_force_though_its_buyer_never_came_back_to_the_page()
    {
        var (sale, terms) = (gate.Of<TokenSale>(), new MandateTerms(Usd(500), Usd(600), null, null, Usd(100), Usd(1000)));
        var (order, session) = await sale.BeginAsync(Checkout, "data", new Bundle(terms.Price, terms.Budget, null, null), null, "https://api.example/buy/data", default, terms.Told);
        await TopUps.AskAsync(order, terms, default);
        stripe.Objects.Pay(session!.Id);
        await sale.LookAsync(Checkout, session.Id, default); // as a webhook makes it do
        await RoundsAsync(1);
        (await gate.Of<MandateStore>().FindByPurchaseAsync(order.Id, default))!.Status.ShouldBe(MandateStatus.Active);
    }

    /// <summary>The attack: have a month of top-ups charged in one hour.</summary>
    [Fact]
    public async Task No_month_is_charged_above_its_cap_and_the_next_one_goes_on()
    {
        var (order, mandate) = await AgreedAsync(monthly: 1200);
        for (var i = 0; i < 6; i++)
        {
            if (await LeftAsync(order) is not "0.50 USD") await SpendAsync(order, (long)((await gate.Ledger.AvailableAsync("token:" + order.Token, "USD", default)).Units / 10_000_000) - 50);
            await RoundsAsync();
        }
        Cards.Taken.ShouldBe(2, "two of 5.00 are within 12.00, and three are not");
        (await LeftAsync(order)).ShouldBe("0.50 USD");
        (await ToldAsync(AuditKinds.TopUpCapped)).Count.ShouldBe(1);
        (await NowAsync(mandate)).Status.ShouldBe(MandateStatus.Active);
        gate.Time.Pass(TimeSpan.FromDays(31));
        await RoundsAsync();
        Cards.Taken.ShouldBe(3);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task The_owners_own_bound_holds_for_what_was_agreed_before_it_was_lowered()
    {
        var (order, _) = await AgreedAsync(monthly: 2000);
        gate.Edit("monthly: 100.00 USD", "monthly: 5.00 USD");
        for (var i = 0; i < 3; i++)
        {
            await SpendAsync(order, (long)((await gate.Ledger.AvailableAsync("token:" + order.Token, "USD", default)).Units / 10_000_000));
            await RoundsAsync();
            if (i == 0) Cards.Taken.ShouldBe(1);
        }
        Cards.Taken.ShouldBe(1);
    }

    [Fact]
    public async Task Many_nodes_that_see_it_at_once_charge_it_once()
    {
        var (order, _) = await AgreedAsync(monthly: 10000);
        for (var round = 1; round <= 5; round++)
        {
            await SpendAsync(order, (long)((await gate.Ledger.AvailableAsync("token:" + order.Token, "USD", default)).Units / 10_000_000) - 10);
            await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => TopUps.RoundAsync(default))));
            await RoundsAsync();
            Cards.Taken.ShouldBe(round);
        }
        await gate.ShouldBalanceAsync();
    }

    [Theory]
    [InlineData(StripeFault.Before)]
    [InlineData(StripeFault.After)]
    [InlineData(StripeFault.Error)]
    [InlineData(StripeFault.RateLimit)]
    internal async Task What_nobody_answered_is_unknown_until_it_is_known_and_charged_once(StripeFault fault)
    {
        var (order, mandate) = await AgreedAsync();
        await SpendAsync(order, 550);
        stripe.Fail("/v1/payment_intents", fault);
        await RoundsAsync();
        (await NowAsync(mandate)).Pending.ShouldNotBeNull("nobody knows");
        (await LeftAsync(order)).ShouldBe("0.50 USD");
        gate = gate.Restart();
        gate.Sites["127.0.0.1"] = stripe.Handle;
        await RoundsAsync();
        Cards.Taken.ShouldBe(fault == StripeFault.After ? 1 : 0, "it is not asked again at once");
        gate.Time.Pass(Later);
        await RoundsAsync();
        (await LeftAsync(order), Cards.Taken, (await NowAsync(mandate)).Pending).ShouldBe(("6.50 USD", 1, null));
        await gate.ShouldBalanceAsync();
    }

    /// <summary>Forgotten now, what the card gives would come to nobody, and nobody would ask what became of it.</summary>
    [Fact]
    public async Task A_token_whose_card_is_being_charged_is_erased_when_the_charge_has_come_to_its_end()
    {
        var (order, mandate) = await AgreedAsync();
        await gate.Ledger.PostAsync(new Turnpike.Ledger.Transfer("spent", Token.AccountOf(order.Token), "revenue:data", Usd(550), "spent", LimitedFrom: true, LimitedTo: false), default);
        stripe.Fail("/v1/payment_intents", StripeFault.After);
        await RoundsAsync(1);
        var desk = new DataDesk(gate.Of<Database>(), gate.Of<AuditTrail>(), gate.Of<Revisions>());
        (await desk.EraseAsync(Subject.Of("token:" + order.Token)!, forfeit: true, default)).Denied!.Reason.ShouldBe("payments-open");
        (await TopUps.EndAsync(await NowAsync(mandate), "by an operator", default)).ShouldBeTrue();
        gate.Time.Pass(Later);
        await RoundsAsync();
        (Cards.Taken, await LeftAsync(order)).ShouldBe((1, "6.50 USD"), "what was taken is on the token before it is forgotten");
        (await desk.EraseAsync(Subject.Of("token:" + order.Token)!, forfeit: false, default)).Denied!.Reason.ShouldBe("balance-left");
        (await desk.EraseAsync(Subject.Of("token:" + order.Token)!, forfeit: true, default)).Erased!.Rows["mandates"].ShouldBe(1);
        (await gate.Of<MandateStore>().FindAsync(mandate.Id, default)).ShouldBeNull();
        await gate.ShouldBalanceAsync();
    }

    /// <summary>Charged, and the process died; when another looks, the idempotency key is known no more, nor is it found at first.</summary>
    [Fact]
    public async Task A_charge_whose_key_is_forgotten_is_found_by_its_name_and_never_made_again()
    {
        var (order, mandate) = await AgreedAsync();
        await SpendAsync(order, 550);
        stripe.Fail("/v1/payment_intents", StripeFault.After);
        await RoundsAsync(1);
        stripe.Forget();
        gate.Time.Pass(TimeSpan.FromDays(2));
        stripe.Down = true;
        await RoundsAsync();
        (await NowAsync(mandate)).Pending.ShouldNotBeNull();
        stripe.Down = false;
        gate.Time.Pass(Later);
        await RoundsAsync();
        (Cards.Taken, await LeftAsync(order)).ShouldBe((1, "6.50 USD"));
    }

    [Theory]
    [InlineData("insufficient_funds")]
    [InlineData("authentication_required")]
    public async Task A_card_that_is_refused_is_not_tried_again_until_its_owner_says_so(string answer)
    {
        var (order, mandate) = await AgreedAsync();
        await SpendAsync(order, 550);
        Cards.Answers.Enqueue(answer);
        await RoundsAsync();
        var paused = await NowAsync(mandate);
        (paused.Status, paused.Why, paused.Pending).ShouldBe((MandateStatus.Paused, answer, null));
        var told = (await ToldAsync(AuditKinds.TopUpPaused)).Single();
        (told.Reason, told.Detail!.EndsWith("/buy/data/automatic?id=" + mandate.Id, StringComparison.Ordinal)).ShouldBe((answer, true));
        stripe.Objects.All("payment_intent").Last()["status"]!.ToString().ShouldBe("canceled", "nobody confirms it later");
        gate.Time.Pass(Later);
        await RoundsAsync();
        Cards.Taken.ShouldBe(0);
        (await TopUps.ResumeAsync(paused, default)).ShouldBeTrue();
        await RoundsAsync();
        (await LeftAsync(order), Cards.Taken).ShouldBe(("6.50 USD", 1));
        (await gate.Of<MandateStore>().ChargedAsync(mandate, default)).ToString().ShouldBe("5.00 USD", "what was refused does not count");
    }

    [Fact]
    public async Task A_charge_that_is_being_processed_is_waited_for()
    {
        var (order, mandate) = await AgreedAsync();
        await SpendAsync(order, 550);
        Cards.Answers.Enqueue("processing");
        await RoundsAsync();
        gate.Time.Pass(Later);
        await RoundsAsync();
        (await NowAsync(mandate)).Pending.ShouldNotBeNull();
        Cards.Finish(paid: true);
        gate.Time.Pass(Later);
        await RoundsAsync();
        (await LeftAsync(order), Cards.Taken).ShouldBe(("6.50 USD", 1));
    }

    [Fact]
    public async Task What_was_switched_off_is_not_charged_not_even_what_was_ordered_and_not_sent()
    {
        var (order, mandate) = await AgreedAsync();
        await SpendAsync(order, 550);
        (await gate.Of<MandateStore>().CrossAsync(mandate.Id, Usd(10000), default)).Order.ShouldNotBeNull(); // and here the process died
        (await TopUps.EndAsync(mandate, "ended by its buyer", default)).ShouldBeTrue();
        (await TopUps.EndAsync(mandate, "ended by its buyer", default)).ShouldBeFalse();
        await RoundsAsync();
        (Cards.Taken, stripe.Requests.Count(r => r.Path == "/v1/payment_intents")).ShouldBe((0, 0));
        (await gate.Of<MandateStore>().ChargesAsync(mandate.Id, 10, default)).Single().Status.ShouldBe(PurchaseStatus.Ended);
        (await TopUps.ResumeAsync(mandate, default)).ShouldBeFalse("what has ended is agreed anew");
    }

    /// <summary>It was sent, nobody answered, and then it was switched off: sending it again could charge what had not arrived.</summary>
    [Fact]
    public async Task What_was_sent_before_it_was_switched_off_is_looked_for_and_not_sent_again()
    {
        var (order, mandate) = await AgreedAsync();
        await SpendAsync(order, 550);
        stripe.Fail("/v1/payment_intents", StripeFault.Before);
        await RoundsAsync();
        await TopUps.EndAsync(mandate, "ended by its buyer", default);
        for (var i = 0; i < 5; i++)
        {
            gate.Time.Pass(TimeSpan.FromHours(8));
            await RoundsAsync();
        }
        (Cards.Taken, (await NowAsync(mandate)).Pending, await LeftAsync(order)).ShouldBe((0, null, "0.50 USD"));
    }

    [Theory]
    [InlineData(TokenStatus.Frozen)]
    [InlineData(TokenStatus.Revoked)]
    internal async Task A_token_that_may_not_be_spent_is_not_topped_up(TokenStatus status)
    {
        var (order, _) = await AgreedAsync();
        await SpendAsync(order, 550);
        await gate.Of<TokenDesk>().SetStatusAsync(order.Token, status, "test", default);
        await RoundsAsync();
        Cards.Taken.ShouldBe(0);
        if (status == TokenStatus.Revoked) return;
        await gate.Of<TokenDesk>().SetStatusAsync(order.Token, TokenStatus.Active, "test", default);
        await RoundsAsync();
        Cards.Taken.ShouldBe(1);
    }

    /// <summary>The attack: have money given back, and the emptied token filled by itself.</summary>
    [Fact]
    public async Task A_token_whose_payment_went_back_is_not_topped_up_until_its_owner_says_so()
    {
        var (order, mandate) = await AgreedAsync();
        await SpendAsync(order, 450);
        await gate.Of<TokenSale>().ToldAsync(Checkout, new StripeEvent("evt_1", "charge.refunded") { Intent = order.Intent, Amount = 100 }, default);
        await RoundsAsync();
        (Cards.Taken, (await NowAsync(mandate)).Status, (await NowAsync(mandate)).Why).ShouldBe((0, MandateStatus.Paused, "reversed"));
    }

    [Fact]
    public async Task A_token_that_was_replaced_is_topped_up_as_before_and_its_dispute_freezes_what_took_its_place()
    {
        var (order, mandate) = await AgreedAsync();
        (await gate.Of<TokenSale>().RotateAsync(order, default)).ShouldBeTrue();
        await SpendAsync(order, 550);
        await RoundsAsync();
        (await LeftAsync(order), Cards.Taken).ShouldBe(("6.50 USD", 1));
        var charge = (await gate.Of<MandateStore>().ChargesAsync(mandate.Id, 10, default)).Single();
        var intent = (await gate.Of<PurchaseStore>().FindAsync(charge.Id, default))!.Intent!;
        await gate.Of<TokenSale>().ToldAsync(Checkout, new StripeEvent("evt_1", "charge.dispute.created") { Intent = intent, Amount = 500 }, default);
        (await gate.Of<TokenDesk>().CurrentAsync(order.Token, default))!.Status.ShouldBe(TokenStatus.Frozen);
    }

    [Fact]
    public async Task Agreeing_anew_takes_the_place_of_what_was_agreed_before_and_its_cap_counts_both()
    {
        var (order, first) = await AgreedAsync(monthly: 1000);
        await SpendAsync(order, 550);
        await RoundsAsync();
        var token = await gate.Of<TokenDesk>().CurrentAsync(order.Token, default);
        var (_, second) = await AgreedAsync(monthly: 900, topUp: token);
        ((await NowAsync(first)).Status, second.Status).ShouldBe((MandateStatus.Ended, MandateStatus.Active));
        await SpendAsync(order, 1200);
        await RoundsAsync();
        Cards.Taken.ShouldBe(1, "5.00 of this month's 9.00 were charged under the first");
        (await gate.Of<MandateStore>().FindByAccountAsync("token:" + order.Token, default))!.Id.ShouldBe(second.Id);
    }

    [Fact]
    public async Task Nothing_is_charged_while_the_owner_does_not_offer_it()
    {
        var (order, _) = await AgreedAsync();
        await SpendAsync(order, 550);
        gate.Edit("    automatic-top-up: { monthly: 100.00 USD }\n", "");
        await RoundsAsync();
        Cards.Taken.ShouldBe(0);
    }
}
