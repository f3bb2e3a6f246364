using Microsoft.Extensions.Logging.Abstractions;
using Turnpike.Audit;
using Turnpike.Billing;
using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Storage;
using Turnpike.Tests.Gateway;
using Turnpike.Tests.Ledger;
using Turnpike.Tokens;

namespace Turnpike.Tests.Billing;

/// <summary>Money that goes back to who bought a token: what Stripe tells of it may come at once, late, in any order, and twice.</summary>
public sealed class TokenReversalTests : IDisposable
{
    private static readonly Money Price = new(5_000_000_000, "USD");
    private readonly TestGate gate = new();
    private readonly PurchaseStore store;
    private readonly TokenSale sale;
    private int orders;

    public TokenReversalTests()
    {
        store = new PurchaseStore(gate.Of<Database>(), gate.Time);
        sale = new TokenSale(store, new StripeCheckout(gate.Of<HttpClients>()), gate.Of<TokenDesk>(), gate.Of<Turnpike.Billing.Disputes.TokenReclaim>(), gate.Ledger, gate.Of<IAuditTrail>(), gate.Time, NullLogger<TokenSale>.Instance);
    }

    public void Dispose() => gate.Dispose();

    private static StripeCheckoutSettings Settings => new(new Secret("sk"), [new Secret("whsec")], new Uri("http://stripe.test"), null, 0);

    /// <summary>A token that was bought and paid; its payment has the number of its order.</summary>
    private async Task<(string Intent, string Account)> BoughtAsync(bool known = true)
    {
        var number = ++orders;
        var order = new Purchase($"buy_{number}", "forecast", Price, Price, null, null, TokenText.NewId(), TopUp: false);
        await store.AddAsync(order, default);
        await gate.Of<TokenDesk>().IssueAsync(new TokenOrder(Price), "external:stripe", order.Token);
        if (known) await store.SetStatusAsync(order.Id, PurchaseStatus.Paid, $"pi_{number}", default);
        return ($"pi_{number}", "token:" + order.Token);
    }

    private Task<bool> ToldAsync(string id, string type, string intent, long cents, string? status = null) =>
        sale.ToldAsync(Settings, new StripeEvent(id, type) { Intent = intent, Amount = cents, Status = status }, default).AsTask();

    private async Task<decimal> LeftAsync(string account) => (await gate.Ledger.AvailableAsync(account, "USD", default)).Units / 1_000_000_000m;

    [Fact]
    public async Task Two_refunds_told_at_once_take_back_what_went_back_and_no_more()
    {
        for (var round = 0; round < 20; round++)
        {
            var (intent, account) = await BoughtAsync();
            string[] ids = [$"evt_{round}a", $"evt_{round}b"];
            async Task InsistAsync(string id, long cents)
            {
                while (!await ToldAsync(id, "charge.refunded", intent, cents)) gate.Time.Pass(TimeSpan.FromSeconds(1));
            }
            await Task.WhenAll(Task.Run(() => InsistAsync(ids[0], 100)), Task.Run(() => InsistAsync(ids[1], 200)));
            (await LeftAsync(account)).ShouldBe(3m, "2.00 of 5.00 went back");
        }
        await gate.ShouldBalanceAsync();
    }

    /// <summary>Its first refund was half booked when the process died; Stripe tells of the second before it tells of the first again.</summary>
    [Fact]
    public async Task A_refund_half_booked_is_not_booked_again_within_the_next()
    {
        var (intent, account) = await BoughtAsync();
        await ToldAsync("evt_1", "charge.refunded", intent, 100);
        await gate.Of<Database>().WriteAsync(sql => sql.Run("update stripe_events set done = 0 where id = 'evt_1'"), default);
        (await ToldAsync("evt_2", "charge.refunded", intent, 200)).ShouldBeFalse("it is told again when the first is through");
        (await ToldAsync("evt_1", "charge.refunded", intent, 100)).ShouldBeTrue();
        (await ToldAsync("evt_2", "charge.refunded", intent, 200)).ShouldBeTrue();
        (await LeftAsync(account)).ShouldBe(3m);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_dispute_of_what_a_refund_left_ends_the_token()
    {
        var (intent, account) = await BoughtAsync();
        await ToldAsync("evt_1", "charge.refunded", intent, 100);
        await ToldAsync("evt_2", "charge.dispute.closed", intent, 400, "lost");
        (await LeftAsync(account)).ShouldBe(0m);
        (await gate.Of<TokenDesk>().FindAsync(account["token:".Length..], default))!.Status.ShouldBe(TokenStatus.Revoked);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_token_replaced_while_its_payment_is_disputed_is_frozen_whichever_comes_first()
    {
        for (var round = 0; round < 40; round++)
        {
            var (intent, account) = await BoughtAsync();
            var order = (await store.FindAsync($"buy_{orders}", default))!;
            await Task.WhenAll(
                Task.Run(async () => { for (var i = 0; i < 3; i++) await sale.RotateAsync(order, default); }),
                Task.Run(() => ToldAsync($"evt_{round}", "charge.dispute.created", intent, 500)));
            (await CurrentAsync(order)).Status.ShouldBe(TokenStatus.Frozen, $"round {round}");
            (await sale.RotateAsync(order, default)).ShouldBeFalse("what is frozen is not replaced");
            (await LeftAsync(account)).ShouldBe(5m, "the money never moves");
        }
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_dispute_told_after_the_token_was_replaced_holds_what_took_its_place_and_lets_it_go_when_it_is_won()
    {
        var (intent, account) = await BoughtAsync();
        var order = (await store.FindAsync("buy_1", default))!;
        (await sale.RotateAsync(order, default)).ShouldBeTrue();
        var next = await CurrentAsync(order);
        (next.Id == order.Token, next.Account).ShouldBe((false, account));
        await ToldAsync("evt_1", "charge.dispute.created", intent, 500);
        (await CurrentAsync(order)).Status.ShouldBe(TokenStatus.Frozen);
        await ToldAsync("evt_2", "charge.dispute.closed", intent, 500, "won");
        (await CurrentAsync(order)).ShouldSatisfyAllConditions(t => t.Status.ShouldBe(TokenStatus.Active), t => t.Id.ShouldBe(next.Id));
        (await gate.Of<TokenDesk>().FindAsync(order.Token, default))!.Status.ShouldBe(TokenStatus.Revoked, "the one that was replaced stays so");
    }

    [Fact]
    public async Task What_goes_back_is_taken_from_whatever_token_has_it_by_then()
    {
        var (intent, account) = await BoughtAsync();
        var order = (await store.FindAsync("buy_1", default))!;
        for (var i = 0; i < 3; i++) await sale.RotateAsync(order, default);
        await ToldAsync("evt_1", "charge.refunded", intent, 200);
        (await LeftAsync(account)).ShouldBe(3m);
        (await CurrentAsync(order)).Status.ShouldBe(TokenStatus.Active);
        await ToldAsync("evt_2", "charge.refunded", intent, 500);
        (await LeftAsync(account)).ShouldBe(0m);
        (await CurrentAsync(order)).Status.ShouldBe(TokenStatus.Revoked);
        await gate.ShouldBalanceAsync();
    }

    /// <summary>The attack: have everything held by slow calls in the moment of the refund, and spend it when they have ended.</summary>
    [Fact]
    public async Task What_calls_held_while_a_part_was_refunded_buys_nothing_when_it_comes_back()
    {
        var (intent, account) = await BoughtAsync();
        var order = (await store.FindAsync("buy_1", default))!;
        await gate.Ledger.HoldAsync(Some.Hold("slow", Price, from: account), default);
        await ToldAsync("evt_1", "charge.refunded", intent, 200);
        await gate.Ledger.ReleaseAsync("slow", "undelivered", [], default);
        (await LeftAsync(account)).ShouldBe(5m);
        (await CurrentAsync(order)).Status.ShouldBe(TokenStatus.Frozen);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_top_up_that_was_ordered_before_the_token_was_replaced_is_the_new_ones_to_spend_and_its_dispute_freezes_that()
    {
        var (_, account) = await BoughtAsync();
        var first = (await store.FindAsync("buy_1", default))!;
        var added = new Purchase("buy_2", "forecast", Price, Price, null, null, first.Token, TopUp: true);
        await store.AddAsync(added, default);
        await sale.RotateAsync(first, default);
        await sale.DeliverAsync(added, "external:stripe", default);
        await store.SetStatusAsync(added.Id, PurchaseStatus.Paid, "pi_2", default);
        (await gate.Of<TokenDesk>().LeftAsync(await CurrentAsync(first), default)).Money.ToString().ShouldBe("10.00 USD");
        (await gate.Of<TokenDesk>().LeftAsync((await gate.Of<TokenDesk>().FindAsync(first.Token, default))!, default)).Money.IsZero.ShouldBeTrue("nobody counts it twice");
        await ToldAsync("evt_1", "charge.dispute.created", "pi_2", 500);
        (await CurrentAsync(first)).Status.ShouldBe(TokenStatus.Frozen);
        (await LeftAsync(account)).ShouldBe(10m);
    }

    [Fact]
    public async Task A_call_on_its_way_while_its_token_is_replaced_gives_back_to_the_new_one()
    {
        var token = await gate.TokenAsync("1.00 USD");
        var (started, finish) = (new TaskCompletionSource(), new TaskCompletionSource());
        gate.Upstream.Answer = async (_, _) =>
        {
            started.SetResult();
            await finish.Task;
            return new HttpResponseMessage(System.Net.HttpStatusCode.BadGateway);
        };
        var call = gate.GetAsync("/forecast/paris", ("Authorization", token));
        await started.Task.WaitAsync(TimeSpan.FromMinutes(1));
        var desk = gate.Of<TokenDesk>();
        var next = (await desk.SucceedAsync((await desk.FindAsync(TestGate.IdOf(token), default))!, "test", default))!;
        (await desk.LeftAsync(next, default)).Money.ToString().ShouldBe("0.99 USD");
        finish.SetResult();
        await call;
        (await desk.LeftAsync(next, default)).Money.ToString().ShouldBe("1.00 USD");
        (await gate.GetAsync("/forecast/paris", ("Authorization", token))).Reason.ShouldBe("token-revoked");
        await gate.ShouldBalanceAsync();
    }

    private async Task<Token> CurrentAsync(Purchase order) => (await gate.Of<TokenDesk>().CurrentAsync(order.Token, default))!;

    /// <summary>Stripe was answered 200 for each of them, so nobody tells them again.</summary>
    [Fact]
    public async Task What_was_told_before_its_order_was_known_and_what_a_dead_process_left_is_booked_by_the_next_round()
    {
        var (_, account) = await BoughtAsync(known: false);
        (await ToldAsync("evt_1", "charge.refunded", "pi_1", 100)).ShouldBeTrue();
        (await ToldAsync("evt_2", "charge.refunded", "pi_1", 300)).ShouldBeTrue();
        await sale.CatchUpAsync(default);
        (await LeftAsync(account)).ShouldBe(5m, "nobody knows whose payment it is");
        await store.SetStatusAsync("buy_1", PurchaseStatus.Paid, "pi_1", default); // and here the process died
        await sale.CatchUpAsync(default);
        await sale.CatchUpAsync(default);
        (await LeftAsync(account)).ShouldBe(2m);
        (await store.WaitingAsync("pi_1", default)).ShouldBeEmpty();
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_dispute_told_before_its_order_is_known_to_be_paid_keeps_its_outcome()
    {
        await BoughtAsync(known: false);
        await ToldAsync("evt_1", "charge.dispute.closed", "pi_1", 500, "lost");
        (await store.WaitingAsync("pi_1", default)).Single().Status.ShouldBe("lost");
    }

    /// <summary>Two tokens of one owner; the first bought with a payment of its own.</summary>
    private async Task<(string Intent, string Account, string Other)> TwoAsync()
    {
        var number = ++orders;
        var order = new Purchase($"buy_{number}", "forecast", Price, Price, null, null, TokenText.NewId(), TopUp: false);
        await store.AddAsync(order, default);
        await gate.Of<TokenDesk>().IssueAsync(new TokenOrder(Price) { Owner = "acme" }, "external:stripe", order.Token);
        await store.SetStatusAsync(order.Id, PurchaseStatus.Paid, $"pi_{number}", default);
        return ($"pi_{number}", "token:" + order.Token, "token:" + await OwnAsync());
    }

    private async Task<string> OwnAsync() => TestGate.IdOf(await gate.TokenAsync("1.00 USD", order => order with { Owner = "acme" }));

    private async Task<string?> MoveAsync(string from, string to, long cents, string id) =>
        (await gate.Of<TokenHandover>().MoveAsync(from["token:".Length..], to["token:".Length..], new Money(cents * 10_000_000, "USD"), id, default))?.Reason.Code;

    private async Task<TokenStatus> StatusAsync(string account) => (await gate.Of<TokenDesk>().FindAsync(account["token:".Length..], default))!.Status;

    /// <summary>The attack: buy, move the money on, over two tokens, and take the payment back.</summary>
    [Fact]
    public async Task A_dispute_freezes_every_token_its_money_was_moved_to_and_losing_it_takes_the_money_from_there()
    {
        var (intent, account, other) = await TwoAsync();
        var third = "token:" + await OwnAsync();
        (await MoveAsync(account, other, 450, "k1")).ShouldBeNull();
        (await MoveAsync(other, third, 300, "k2")).ShouldBeNull();
        await ToldAsync("evt_1", "charge.dispute.created", intent, 500);
        (await StatusAsync(account), await StatusAsync(other), await StatusAsync(third)).ShouldBe((TokenStatus.Frozen, TokenStatus.Frozen, TokenStatus.Frozen));
        (await MoveAsync(third, "token:" + await OwnAsync(), 100, "k3")).ShouldBe("token-frozen");
        await ToldAsync("evt_2", "charge.dispute.closed", intent, 500, "lost");
        (await StatusAsync(account), await StatusAsync(other), await StatusAsync(third)).ShouldBe((TokenStatus.Revoked, TokenStatus.Active, TokenStatus.Active), "what went back was found, and the rest is theirs");
        (await LeftAsync(account), await LeftAsync(other) + await LeftAsync(third)).ShouldBe((0m, 2m), "each keeps its own 1.00");
        (await gate.Ledger.VerifyAsync(default)).Totals.Where(t => t.Role == "loss").Sum(t => t.Sum.Units).ShouldBe(0);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task What_was_spent_of_moved_money_keeps_its_token_frozen_and_no_more_is_taken_than_came_that_way()
    {
        var (intent, account, other) = await TwoAsync();
        (await MoveAsync(account, other, 200, "k1")).ShouldBeNull();
        await gate.Ledger.HoldAsync(Some.Hold("slow", new Money(3 * Money.Nano, "USD"), from: account), default);
        await gate.Ledger.CaptureAsync(new Capture("slow", new Money(3 * Money.Nano, "USD")) { Reference = "spent" }, default);
        await ToldAsync("evt_1", "charge.refunded", intent, 500);
        (await LeftAsync(account), await LeftAsync(other)).ShouldBe((0m, 1m), "2.00 came that way, and its own 1.00 stays");
        (await StatusAsync(account), await StatusAsync(other)).ShouldBe((TokenStatus.Revoked, TokenStatus.Frozen), "an operator has to look");
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_dispute_that_is_won_thaws_all_of_them_but_what_an_operator_or_another_dispute_holds()
    {
        var (intent, account, other) = await TwoAsync();
        var (_, second, _) = await TwoAsync();
        var held = "token:" + await OwnAsync();
        (await MoveAsync(account, other, 100, "k1")).ShouldBeNull();
        (await MoveAsync(account, held, 100, "k2")).ShouldBeNull();
        (await MoveAsync(second, other, 100, "k3")).ShouldBeNull();
        await gate.Of<TokenDesk>().SetStatusAsync(held["token:".Length..], TokenStatus.Frozen, "an operator", default);
        await ToldAsync("evt_1", "charge.dispute.created", intent, 500);
        await ToldAsync("evt_2", "charge.dispute.created", "pi_2", 500);
        await ToldAsync("evt_3", "charge.dispute.closed", intent, 500, "won");
        (await StatusAsync(account), await StatusAsync(other), await StatusAsync(held)).ShouldBe((TokenStatus.Active, TokenStatus.Frozen, TokenStatus.Frozen));
        await ToldAsync("evt_4", "charge.dispute.closed", "pi_2", 500, "won");
        (await StatusAsync(other), await StatusAsync(held)).ShouldBe((TokenStatus.Active, TokenStatus.Frozen));
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task Money_that_was_moved_before_it_was_bought_is_none_of_the_payments()
    {
        var (_, account, other) = await TwoAsync();
        (await MoveAsync(account, other, 300, "k1")).ShouldBeNull();
        gate.Time.Pass(TimeSpan.FromHours(1));
        var added = new Purchase("buy_later", "forecast", Price, Price, null, null, account["token:".Length..], TopUp: true) { Created = gate.Time.GetUtcNow() };
        await store.AddAsync(added, default);
        await sale.DeliverAsync(added, "external:stripe", default);
        await store.SetStatusAsync(added.Id, PurchaseStatus.Paid, "pi_later", default);
        await ToldAsync("evt_1", "charge.dispute.created", "pi_later", 500);
        (await StatusAsync(account), await StatusAsync(other)).ShouldBe((TokenStatus.Frozen, TokenStatus.Active));
        await ToldAsync("evt_2", "charge.dispute.closed", "pi_later", 500, "lost");
        (await StatusAsync(account), await LeftAsync(account), await LeftAsync(other)).ShouldBe((TokenStatus.Active, 2m, 4m), "a top-up that went back leaves the token to its other money");
        await gate.ShouldBalanceAsync();
    }

    /// <summary>The attack: have the move and the freeze meet.</summary>
    [Fact]
    public async Task A_move_in_the_moment_of_the_dispute_is_refused_or_followed()
    {
        for (var round = 0; round < 40; round++)
        {
            var (intent, account, other) = await TwoAsync();
            var third = "token:" + await OwnAsync();
            await Task.WhenAll(
                Task.Run(async () => { await MoveAsync(account, other, 400, $"a{round}"); await MoveAsync(other, third, 400, $"b{round}"); }),
                Task.Run(() => ToldAsync($"evt_{round}", "charge.dispute.created", intent, 500)));
            foreach (var (place, own) in new[] { (account, 0m), (other, 1m), (third, 1m) })
                if (await LeftAsync(place) > own) (await StatusAsync(place)).ShouldBe(TokenStatus.Frozen, $"round {round}: {place} has money of it");
        }
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_reversal_that_a_crash_broke_off_between_its_tokens_is_finished_by_the_next_round_and_takes_nothing_twice()
    {
        var (intent, account, other) = await TwoAsync();
        (await MoveAsync(account, other, 400, "k1")).ShouldBeNull();
        await ToldAsync("evt_1", "charge.dispute.closed", intent, 500, "lost");
        await gate.Of<Database>().WriteAsync(sql => sql.Run("update stripe_events set done = 0 where id = 'evt_1'"), default);
        await sale.CatchUpAsync(default);
        (await LeftAsync(account), await LeftAsync(other), await StatusAsync(other)).ShouldBe((0m, 1m, TokenStatus.Active));
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_whole_refund_of_the_first_purchase_leaves_the_token_to_what_was_added_since()
    {
        var (intent, account) = await BoughtAsync();
        var first = (await store.FindAsync("buy_1", default))!;
        var added = new Purchase("buy_later", "forecast", Price, Price, null, null, first.Token, TopUp: true) { Created = gate.Time.GetUtcNow() };
        await store.AddAsync(added, default);
        await sale.DeliverAsync(added, "external:stripe", default);
        await store.SetStatusAsync(added.Id, PurchaseStatus.Paid, "pi_later", default);
        await ToldAsync("evt_1", "charge.refunded", intent, 500);
        (await StatusAsync(account), await LeftAsync(account)).ShouldBe((TokenStatus.Active, 5m));
        await ToldAsync("evt_2", "charge.refunded", "pi_later", 500);
        (await StatusAsync(account), await LeftAsync(account)).ShouldBe((TokenStatus.Active, 0m), "it may be topped up again");
        (await gate.Ledger.VerifyAsync(default)).Totals.Where(t => t.Role == "loss").Sum(t => t.Sum.Units).ShouldBe(0);
        await gate.ShouldBalanceAsync();
    }

    /// <summary>The attack: keep calling while a refund is booked. What is spent then is as if it had been spent before Stripe told us.</summary>
    [Fact]
    public async Task What_is_spent_between_booking_and_taking_is_in_the_books_as_a_loss_and_stops_the_token()
    {
        var (intent, account) = await BoughtAsync();
        // The refund of 2.00 is booked, and nothing is taken yet.
        await gate.Ledger.PostAsync(new Transfer($"reverse:{intent}:0", "loss:disputed", "external:stripe", new Money(2 * Money.Nano, "USD"), "refunded", LimitedFrom: false, LimitedTo: false), default);
        await gate.Ledger.HoldAsync(Some.Hold("quick", new Money(4 * Money.Nano, "USD"), from: account), default);
        await gate.Ledger.CaptureAsync(new Capture("quick", new Money(4 * Money.Nano, "USD")) { Reference = "spent" }, default);
        (await ToldAsync("evt_1", "charge.refunded", intent, 200)).ShouldBeTrue();
        (await StatusAsync(account), await LeftAsync(account)).ShouldBe((TokenStatus.Frozen, 0m));
        (await gate.Ledger.VerifyAsync(default)).Totals.Where(t => t.Role == "loss").Sum(t => t.Sum.Units).ShouldBe(-Money.Nano, "5.00 bought, 4.00 spent, 2.00 went back");
        await gate.ShouldBalanceAsync();
    }
}
