using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Payments.Refunds;
using Turnpike.Storage;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Payments.Refunds;

/// <summary>What an operator gives back: all of it or a part, never more than was taken, and whole again after a crash.</summary>
public sealed class RefundTests : IDisposable
{
    private TestGate gate = new();

    public void Dispose() => gate.Dispose();

    [Fact]
    public async Task All_of_it_goes_back_by_its_rail_as_a_movement_of_its_own()
    {
        var done = Done(await RefundAsync(await PaidAsync()));
        (done.Captured.ToString(), done.Reference, done.Hold.Method).ShouldBe(("0.01 USD", "0xback", "refund.scripted"));
        (await TotalsAsync()).ShouldBe("external 0.00 USD, refunded -0.01 USD, revenue 0.01 USD");
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task Parts_of_it_never_exceed_it_however_many_are_ordered_at_once()
    {
        var payment = await PaidAsync();
        var results = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => Task.Run(() => RefundAsync(payment, "0.0003 USD", key: "k" + i))));
        results.Count(r => r is RefundResult.Ordered).ShouldBe(33);
        results.OfType<RefundResult.Refused>().ShouldAllBe(r => r.Reason == "refund-exceeds");
        gate.Refunds.Sent.Count.ShouldBe(33);
        Done(await RefundAsync(payment, key: "rest")).Captured.ToString().ShouldBe("0.0001 USD");
        Refused(await RefundAsync(payment, key: "more")).ShouldBe("refund-exceeds");
        (await TotalsAsync()).ShouldBe("external 0.00 USD, refunded -0.01 USD, revenue 0.01 USD");
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task One_key_is_one_refund_however_often_and_by_how_many_it_is_ordered()
    {
        var payment = await PaidAsync();
        var results = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(() => RefundAsync(payment, "0.004 USD"))));
        results.ShouldAllBe(r => r is RefundResult.Ordered);
        results.Select(r => ((RefundResult.Ordered)r).State.Hold.Receipt).Distinct().Count().ShouldBe(1);
        gate.Refunds.Sent.Count.ShouldBe(1);
        Refused(await RefundAsync(payment, "0.005 USD")).ShouldBe("idempotency-mismatch");
        (await TotalsAsync()).ShouldContain("refunded -0.004 USD");
    }

    [Fact]
    public async Task As_credit_it_pays_the_payers_next_call()
    {
        Done(await RefundAsync(await PaidAsync(), how: RefundAs.Credit)).Hold.Method.ShouldBe("refund.credit");
        (await gate.CreditAsync()).ToString().ShouldBe("0.01 USD");
        var settlements = gate.Rail.Settlements;
        (await gate.GetAsync("/forecast/paris", ("PAYMENT-SIGNATURE", await gate.ProofAsync()))).Status.ShouldBe(200);
        gate.Rail.Settlements.ShouldBe(settlements);
        (await gate.CreditAsync()).IsZero.ShouldBeTrue();
        gate.Refunds.Sent.ShouldBeEmpty();
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_prepaid_call_goes_back_onto_its_tokens_budget()
    {
        var token = await gate.TokenAsync("0.01 USD");
        var payment = await PaymentAsync(await gate.GetAsync("/forecast/paris", ("Authorization", token)));
        (await gate.GetAsync("/forecast/paris", ("Authorization", token))).Status.ShouldBe(402);
        Refused(await RefundAsync(payment, how: RefundAs.Rail)).ShouldBe("rail-cannot-refund");
        Done(await RefundAsync(payment));
        (await gate.GetAsync("/forecast/paris", ("Authorization", token))).Status.ShouldBe(200);
        (await TotalsAsync()).ShouldBe("external -0.01 USD, refunded -0.01 USD, revenue 0.02 USD, token 0.00 USD");
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task What_the_rail_refuses_was_not_given_back_and_the_same_key_tries_again()
    {
        var payment = await PaidAsync();
        gate.Refunds.Settle = static _ => new Settlement.Failed("no_funds", "Empty.");
        Refused(await RefundAsync(payment)).ShouldBe("refund-refused");
        (await TotalsAsync()).ShouldBe("external -0.01 USD, refunded 0.00 USD, revenue 0.01 USD");
        gate.Refunds.Settle = static _ => new Settlement.Settled("0xback");
        Done(await RefundAsync(payment));
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task While_the_rail_is_silent_it_is_pending_reserved_and_asked_again_for_the_same()
    {
        var payment = await PaidAsync();
        gate.Refunds.Settle = static _ => throw new IOException("silence");
        Ordered(await RefundAsync(payment)).Status.ShouldBe(HoldStatus.Unknown);
        Ordered(await RefundAsync(payment)).Status.ShouldBe(HoldStatus.Unknown);
        Refused(await RefundAsync(payment, "0.001 USD", key: "other")).ShouldBe("refund-exceeds");
        await gate.Of<Settler>().RoundAsync(default);
        gate.Refunds.Settle = static _ => new Settlement.Settled("0xback");
        gate.Time.Pass(TimeSpan.FromMinutes(1));
        await gate.Of<Settler>().RoundAsync(default);
        Done(await RefundAsync(payment)).Reference.ShouldBe("0xback");
        gate.Refunds.Sent.Distinct().Count().ShouldBe(1);
        gate.Refunds.Sent.Count.ShouldBe(3);
        await gate.ShouldBalanceAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_crash_before_or_while_sending_leaves_an_order_that_is_carried_out_once(bool intended)
    {
        var payment = await PaidAsync();
        var down = new StorageUnavailableException("as a crash would leave it", new IOException());
        if (intended) gate.Refunds.DiesBefore = down;
        else gate.Refunds.Settle = _ => throw down;
        await Should.ThrowAsync<StorageUnavailableException>(() => RefundAsync(payment));
        var sent = gate.Refunds.Sent.ToList();
        gate = gate.Restart();
        for (var i = 0; i < 2; i++)
        {
            await gate.Of<Settler>().RecoverAsync(default);
            await gate.Of<Settler>().RoundAsync(default);
        }
        Done(await RefundAsync(payment)).Reference.ShouldBe("0xback");
        gate.Refunds.Sent.Concat(sent).Distinct().Count().ShouldBe(1);
        (await TotalsAsync()).ShouldBe("external 0.00 USD, refunded -0.01 USD, revenue 0.01 USD");
        (await gate.CreditAsync()).IsZero.ShouldBeTrue();
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task What_was_credited_because_it_was_not_delivered_is_paid_out_of_that_credit_and_no_second_time()
    {
        var payment = await UndeliveredAsync();
        Refused(await RefundAsync(payment, how: RefundAs.Credit)).ShouldBe("already-credited");
        Done(await RefundAsync(payment)).Reference.ShouldBe("0xback");
        (await gate.CreditAsync()).IsZero.ShouldBeTrue();
        (await TotalsAsync()).ShouldBe("credit 0.00 USD, external 0.00 USD, revenue 0.00 USD");
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task What_was_credited_and_spent_since_is_not_paid_out()
    {
        var payment = await UndeliveredAsync();
        (await gate.GetAsync("/forecast/paris", ("PAYMENT-SIGNATURE", await gate.ProofAsync()))).Status.ShouldBe(200);
        Refused(await RefundAsync(payment)).ShouldBe("credit-spent");
        gate.Refunds.Sent.ShouldBeEmpty();
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task While_its_answer_is_on_its_way_nothing_is_given_back_or_it_would_be_twice()
    {
        HoldState? inFlight = null;
        gate.Upstream.Answer = async (_, ct) =>
        {
            inFlight = (await gate.Ledger.ListAsync(new HoldFilter(), ct)).Single();
            Refused(await RefundAsync(inFlight)).ShouldBe("not-refundable");
            return new HttpResponseMessage { Content = new Pieces("half"u8.ToArray(), null) };
        };
        await gate.GetAsync("/early", ("PAYMENT-SIGNATURE", await gate.ProofAsync("/early")));
        inFlight.ShouldNotBeNull().Status.ShouldBe(HoldStatus.Settled);
        (await gate.CreditAsync()).ToString().ShouldBe("0.01 USD");
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task Of_nothing_nothing_is_given_back_and_of_a_refund_neither()
    {
        var refund = Done(await RefundAsync(await PaidAsync()));
        Refused(await RefundAsync(refund)).ShouldBe("not-refundable");
        gate.Rail.Settle = static _ => new(new Settlement.Unknown(null, "silence"));
        var unknown = await gate.GetAsync("/forecast/paris", ("PAYMENT-SIGNATURE", await gate.ProofAsync()));
        unknown.Status.ShouldBe(503);
        var state = (await gate.Ledger.ListAsync(new HoldFilter("unknown"), default)).Single();
        Refused(await RefundAsync(state)).ShouldBe("not-refundable");
        (await gate.Ledger.ListAsync(new HoldFilter(), default)).ShouldAllBe(p => !p.Hold.IsRefund, "refunds are no payments");
    }

    private async Task<HoldState> PaidAsync() => await PaymentAsync(await gate.GetAsync("/forecast/paris", ("PAYMENT-SIGNATURE", await gate.ProofAsync())));

    private async Task<HoldState> PaymentAsync(Told told)
    {
        told.Status.ShouldBe(200, told.Body);
        var receipt = told.Headers["Turnpike-Receipt"].ToString().Split('/')[^1];
        for (var wait = 0; wait < 6_000; wait++, await Task.Delay(10))
            if (await gate.Ledger.FindByReceiptAsync(receipt, default) is { Outcome: not HoldOutcome.Open } state) return state;
        throw new ShouldAssertException("It is never booked as delivered.");
    }

    private async Task<HoldState> UndeliveredAsync()
    {
        gate.Upstream.Says(() => new HttpResponseMessage { Content = new Pieces("half"u8.ToArray(), null) });
        await gate.GetAsync("/forecast/paris", ("PAYMENT-SIGNATURE", await gate.ProofAsync()));
        gate.Upstream.Says(() => ScriptedUpstream.Text("sunny"));
        var state = (await gate.Ledger.ListAsync(new HoldFilter(), default)).Single();
        state.Outcome.ShouldBe(HoldOutcome.Credited);
        return state;
    }

    private async Task<RefundResult> RefundAsync(HoldState payment, string? amount = null, RefundAs? how = null, string key = "k")
    {
        Money.TryParse(amount, out var some);
        return await gate.Of<CashierReturns>().RefundAsync(new RefundOrder(payment, amount is null ? null : some, how, "it was wrong", key), default);
    }

    /// <summary>The books by role, without those that only count.</summary>
    private async Task<string> TotalsAsync() =>
        string.Join(", ", (await gate.Ledger.VerifyAsync(default)).Totals.Where(t => t.Sum.Currency == "USD").Select(t => $"{t.Role} {t.Sum}"));

    private static HoldState Ordered(RefundResult result) => result.ShouldBeOfType<RefundResult.Ordered>().State;

    private static HoldState Done(RefundResult result)
    {
        var state = Ordered(result);
        (state.Status, state.Outcome).ShouldBe((HoldStatus.Settled, HoldOutcome.Delivered));
        return state;
    }

    private static string Refused(RefundResult result) => result.ShouldBeOfType<RefundResult.Refused>().Reason;
}
