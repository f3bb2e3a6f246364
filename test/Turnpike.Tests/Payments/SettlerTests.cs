using Microsoft.Extensions.Logging.Abstractions;
using Turnpike.Ledger;
using Turnpike.Payments.Doubts;
using Turnpike.Payments.Refunds;
using Turnpike.Payments;
using Turnpike.Storage;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Payments;

/// <summary>A new process over the books of one that died.</summary>
public sealed class SettlerTests : IDisposable
{
    private TestGate gate = new();

    public void Dispose() => gate.Dispose();

    private static Hold NewHold(string id) => TestGate.OnChain(id, "r_" + id);

    private async Task CrashAsync(string id, bool captured = false, bool settled = false)
    {
        await gate.Ledger.HoldAsync(NewHold(id), default);
        if (captured || settled) await gate.Ledger.CaptureAsync(new Capture(id, new Money(10_000_000, "USD")), default);
        if (settled) await gate.Ledger.SettledAsync(id, "0xpaid", "10000", [], default);
        gate = gate.Restart();
    }

    private Settler Settler => gate.Of<Settler>();

    [Fact]
    public async Task What_was_only_held_is_released()
    {
        await CrashAsync("h");
        await Settler.RecoverAsync(default);
        (await gate.Ledger.FindAsync("h", default)).ShouldNotBeNull().Status.ShouldBe(HoldStatus.Released);
        gate.Rail.Settlements.ShouldBe(0);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task What_was_captured_is_collected_and_credited_once_however_often_it_is_recovered()
    {
        await CrashAsync("h", captured: true);
        for (var i = 0; i < 2; i++)
        {
            await Settler.RecoverAsync(default);
            await Settler.RoundAsync(default);
        }
        gate = gate.Restart();
        await Settler.RecoverAsync(default);
        await Settler.RoundAsync(default);
        var state = (await gate.Ledger.FindAsync("h", default)).ShouldNotBeNull();
        (state.Status, state.Outcome).ShouldBe((HoldStatus.Settled, HoldOutcome.Credited));
        (await gate.CreditAsync()).ToString().ShouldBe("0.01 USD");
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task What_was_settled_and_maybe_not_delivered_is_credited_once()
    {
        await CrashAsync("h", settled: true);
        await Settler.RecoverAsync(default);
        await Settler.RecoverAsync(default);
        (await gate.CreditAsync()).ToString().ShouldBe("0.01 USD");
        gate.Rail.Settlements.ShouldBe(0);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task What_the_rail_refuses_afterwards_is_released()
    {
        await CrashAsync("h", captured: true);
        gate.Rail.Settle = static _ => new(new Settlement.Failed("expired", "Too late."));
        await Settler.RecoverAsync(default);
        await Settler.RoundAsync(default);
        (await gate.Ledger.FindAsync("h", default)).ShouldNotBeNull().Status.ShouldBe(HoldStatus.Released);
        (await gate.CreditAsync()).IsZero.ShouldBeTrue();
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_rail_that_stays_silent_or_throws_is_asked_less_and_less_often()
    {
        await CrashAsync("h", captured: true);
        gate.Rail.Settle = static _ => throw new IOException("silence");
        await Settler.RecoverAsync(default);
        for (var second = 0; second < 15; second++)
        {
            await Settler.RoundAsync(default);
            gate.Time.Pass(TimeSpan.FromSeconds(1));
        }
        gate.Rail.Settlements.ShouldBe(4, "at once, and after 2, 4 and 8 seconds");
        (await gate.Ledger.FindAsync("h", default)).ShouldNotBeNull().Status.ShouldBe(HoldStatus.Unknown);
    }

    [Fact]
    public async Task Two_that_fell_silent_together_are_not_asked_together_for_ever()
    {
        for (var i = 0; i < 8; i++)
        {
            await gate.Ledger.HoldAsync(NewHold("h" + i), default);
            await gate.Ledger.CaptureAsync(new Capture("h" + i, new Money(10_000_000, "USD")), default);
            await gate.Ledger.UnknownAsync("h" + i, null, [], default);
        }
        using var settler = new Settler(gate.Of<PaymentRegistry>(), gate.Ledger, gate.Of<CashierReturns>(), gate.Of<Turnpike.Payments.Buying.CashierPurchases>(), gate.Of<Turnpike.Metering.UsageStore>(), gate.Of<Turnpike.Payments.Metered.PeriodCount>(), gate.Of<InHand>(), gate.Time, new Random(7), NullLogger<Settler>.Instance);
        var asked = new Dictionary<string, List<int>>();
        var second = 0;
        gate.Rail.Settle = state =>
        {
            (asked.TryGetValue(state.Hold.Id, out var times) ? times : asked[state.Hold.Id] = []).Add(second);
            return new(new Settlement.Unknown(null, "silence"));
        };
        for (; second < 60; second++, gate.Time.Pass(TimeSpan.FromSeconds(1))) await settler.RoundAsync(default);
        asked.Values.ShouldAllBe(times => times[0] == 0);
        asked.Values.Select(times => string.Join(' ', times)).Distinct().Count().ShouldBeGreaterThan(4);
        foreach (var times in asked.Values)
            for (var i = 1; i < times.Count; i++) (times[i] - times[i - 1]).ShouldBeInRange(1 << (i - 1), (3 << (i - 1)) + 1);
    }

    [Fact]
    public async Task A_delivered_answer_is_left_alone_after_a_restart()
    {
        (await gate.GetAsync("/forecast/paris", ("PAYMENT-SIGNATURE", await gate.ProofAsync()))).Status.ShouldBe(200);
        gate = gate.Restart();
        await Settler.RecoverAsync(default);
        (await gate.CreditAsync()).IsZero.ShouldBeTrue();
    }

    [Fact]
    public async Task A_clock_set_back_does_not_silence_the_settler()
    {
        await CrashAsync("h", captured: true);
        gate.Rail.Settle = static _ => throw new IOException("silence");
        await Settler.RecoverAsync(default);
        await Settler.RoundAsync(default);
        gate.Time.Jump(TimeSpan.FromHours(-1));
        gate.Time.Pass(TimeSpan.FromSeconds(3));
        await Settler.RoundAsync(default);
        gate.Rail.Settlements.ShouldBe(2);
    }

    [Fact]
    public async Task A_clock_set_forward_does_not_give_back_what_is_being_answered()
    {
        var (asked, told) = (new TaskCompletionSource(), new TaskCompletionSource());
        gate.Rail.Settle = async _ => { asked.TrySetResult(); await told.Task; return new Settlement.Settled("0xpaid", "10000"); };
        var call = gate.GetAsync("/forecast/paris", ("PAYMENT-SIGNATURE", await gate.ProofAsync()));
        await asked.Task.WaitAsync(TimeSpan.FromMinutes(1));
        gate.Time.Jump(TimeSpan.FromHours(1));
        var round = Settler.RoundAsync(default);
        told.SetResult();
        await round;
        (await call).Body.ShouldBe("sunny");
        gate.Rail.Settlements.ShouldBe(1);
        (await gate.CreditAsync()).IsZero.ShouldBeTrue("nobody has both the answer and its price");
    }

    [Fact]
    public async Task An_answer_whose_payment_another_node_has_given_back_is_withheld_and_bought_by_the_retry()
    {
        gate.Rail.Settle = async captured =>
        {
            var settled = await gate.Ledger.SettledAsync(captured.Hold.Id, "0xpaid", "10000", [], default);
            await gate.Ledger.CreditAsync(captured.Hold.Id, Undelivered.Credits(settled), default);
            return new Settlement.Settled("0xpaid", "10000");
        };
        var proof = await gate.ProofAsync();
        (await gate.GetAsync("/forecast/paris", ("PAYMENT-SIGNATURE", proof))).Reason.ShouldBe("in-flight");
        (await gate.GetAsync("/forecast/paris", ("PAYMENT-SIGNATURE", proof))).Body.ShouldBe("sunny");
        (await gate.CreditAsync()).IsZero.ShouldBeTrue();
        gate.Rail.Settlements.ShouldBe(1);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task An_answer_kept_in_the_moment_of_a_crash_is_not_given_again_beside_its_credit()
    {
        var proof = await gate.ProofAsync();
        (await gate.GetAsync("/forecast/paris", ("PAYMENT-SIGNATURE", proof))).Body.ShouldBe("sunny");
        await gate.Of<Database>().WriteAsync(static sql => sql.Script("update holds set outcome = 0"), default); // the answer was kept, and then it crashed
        gate = gate.Restart();
        await Settler.RecoverAsync(default);
        (await gate.CreditAsync()).ToString().ShouldBe("0.01 USD");
        gate.Upstream.Says(() => ScriptedUpstream.Text("rain"));
        (await gate.GetAsync("/forecast/paris", ("PAYMENT-SIGNATURE", proof))).Body.ShouldBe("rain", "it was bought with the credit");
        (await gate.CreditAsync()).IsZero.ShouldBeTrue();
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task What_the_cashier_is_collecting_right_now_is_not_touched()
    {
        await gate.Ledger.HoldAsync(NewHold("h"), default);
        await gate.Ledger.CaptureAsync(new Capture("h", new Money(10_000_000, "USD")), default);
        await Settler.RoundAsync(default);
        gate.Rail.Settlements.ShouldBe(0);
        gate.Time.Pass(TimeSpan.FromMinutes(2) + TimeSpan.FromSeconds(1));
        await Settler.RoundAsync(default);
        gate.Rail.Settlements.ShouldBe(1);
    }

    /// <summary>The store was away when it was to be given back, and the process lives on.</summary>
    [Fact]
    public async Task What_lies_held_in_nobodys_hand_is_given_back_while_the_process_lives()
    {
        await gate.Ledger.HoldAsync(NewHold("h"), default);
        await Settler.RoundAsync(default);
        gate.Time.Pass(TimeSpan.FromMinutes(1));
        await Settler.RoundAsync(default);
        (await gate.Ledger.FindAsync("h", default))!.Status.ShouldBe(HoldStatus.Held, "its call may be on its way");
        gate.Time.Pass(TimeSpan.FromMinutes(1));
        await Settler.RoundAsync(default);
        (await gate.Ledger.FindAsync("h", default))!.Status.ShouldBe(HoldStatus.Released);
    }

    [Fact]
    public async Task What_was_taken_and_lies_in_nobodys_hand_becomes_credit_while_the_process_lives()
    {
        await gate.Ledger.HoldAsync(NewHold("h"), default);
        await gate.Ledger.CaptureAsync(new Capture("h", new Money(10_000_000, "USD")) { Reference = "0xtx" }, default);
        await Settler.RoundAsync(default);
        gate.Time.Pass(TimeSpan.FromMinutes(2));
        await Settler.RoundAsync(default);
        (await gate.Ledger.FindAsync("h", default))!.Outcome.ShouldBe(HoldOutcome.Credited);
    }

    /// <summary>
    /// A node that slept between storing a charge and sending it: its heir has sent it meanwhile, so the rail says no to the sleeper.
    /// That no must not give back what the heir has collected.
    /// </summary>
    [Fact]
    public async Task A_no_from_the_rail_after_an_heir_has_asked_it_gives_nothing_back()
    {
        gate.Rail.Settle = async held =>
        {
            await gate.Ledger.UnknownAsync(held.Hold.Id, null, [], default);
            return new Settlement.Failed("idempotent_replayed", "The heir was first.");
        };
        var proof = await gate.ProofAsync();
        var told = await gate.GetAsync("/forecast/paris", ("PAYMENT-SIGNATURE", proof));
        (told.Status, told.Reason).ShouldBe((503, "settlement-unknown"));
        gate.Rail.Settle = static _ => new(new Settlement.Settled("0xheir"));
        await Settler.RoundAsync(default);
        var paid = (await gate.Ledger.ListAsync(new HoldFilter(), default)).Single();
        (paid.Status, paid.Outcome).ShouldBe((HoldStatus.Settled, HoldOutcome.Credited));
        await gate.ShouldBalanceAsync();
    }
}
