using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Payments.Doubts;
using Turnpike.Storage;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Payments.Doubts;

/// <summary>Calls are over, and the database did not say what became of their last word: the settler ends what is there.</summary>
public sealed class DoubtTests : IDisposable
{
    private static readonly Money Price = new(10_000_000, "USD");
    private readonly TestGate gate = new();

    public void Dispose() => gate.Dispose();

    [Fact]
    public async Task A_hold_nobody_answered_for_is_given_back_while_the_node_lives()
    {
        var hold = await HeldAsync("r1");
        await gate.Of<Settler>().RoundAsync(default);
        (await StatusAsync()).ShouldBe(HoldStatus.Held, "a call has it in hand, as far as is known");
        gate.Of<InHand>().Leave(hold, delivered: false);
        await gate.Of<Settler>().RoundAsync(default);
        (await StatusAsync()).ShouldBe(HoldStatus.Released);
        gate.Of<InHand>().Doubts.ShouldBeEmpty();
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task One_that_was_never_written_is_forgotten()
    {
        gate.Of<InHand>().Leave(NewHold("r1"), delivered: false);
        await gate.Of<Settler>().RoundAsync(default);
        gate.Of<InHand>().Doubts.ShouldBeEmpty();
        (await gate.Ledger.FindAsync("h", default)).ShouldBeNull();
    }

    [Fact]
    public async Task A_later_hold_of_the_same_id_is_left_to_its_call()
    {
        gate.Of<InHand>().Leave(NewHold("r1"), delivered: false);
        await HeldAsync("r2");
        await gate.Of<Settler>().RoundAsync(default);
        (await StatusAsync()).ShouldBe(HoldStatus.Held);
        gate.Of<InHand>().Doubts.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_was_settled_is_credited_unless_its_answer_was_delivered(bool delivered)
    {
        var hold = await HeldAsync("r1");
        await gate.Ledger.CaptureAsync(new Capture("h", Price) { Reference = "r1" }, default);
        gate.Of<InHand>().Leave(hold, delivered);
        for (var i = 0; i < 2; i++) await gate.Of<Settler>().RoundAsync(default);
        (await gate.Ledger.FindAsync("h", default))!.Outcome.ShouldBe(delivered ? HoldOutcome.Delivered : HoldOutcome.Credited);
        (await gate.CreditAsync()).IsZero.ShouldBe(delivered);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_stream_that_passed_is_charged_what_it_came_to_also_when_the_database_missed_its_end()
    {
        var hold = await HeldAsync("r1");
        gate.Of<InHand>().Leave(hold, delivered: true, new Money(4_000_000, "USD"), [Loss.Overrun(hold, new Money(5_000_000, "USD"))]);
        for (var i = 0; i < 2; i++) await gate.Of<Settler>().RoundAsync(default);
        var ended = (await gate.Ledger.FindAsync("h", default))!;
        (ended.Status, ended.Outcome, ended.Captured.ToString()).ShouldBe((HoldStatus.Settled, HoldOutcome.Delivered, "0.004 USD"));
        (await gate.Ledger.VerifyAsync(default)).Totals.Single(t => t.Role == "loss").Sum.ToString().ShouldBe("-0.005 USD", "and what it came to beyond that, by the same act");
        (await gate.CreditAsync()).IsZero.ShouldBeTrue();
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task What_was_captured_is_asked_about_at_once()
    {
        var hold = await HeldAsync("r1");
        await gate.Ledger.CaptureAsync(new Capture("h", Price), default);
        gate.Of<InHand>().Leave(hold, delivered: false);
        await gate.Of<Settler>().RoundAsync(default);
        gate.Rail.Settlements.ShouldBe(1);
        (await StatusAsync()).ShouldBe(HoldStatus.Settled);
    }

    [Fact]
    public async Task An_answer_that_could_not_be_kept_is_not_paid_for_and_its_repeat_is_served()
    {
        var (token, database) = (await gate.TokenAsync("0.01 USD"), gate.Of<Database>());
        await database.WriteAsync(sql => sql.Run("create trigger full before insert on answers begin select raise(abort, 'full'); end"), default);
        await AskAsync(token);
        (await gate.Ledger.AvailableAsync(Turnpike.Tokens.Token.AccountOf(TestGate.IdOf(token)), "USD", default)).ShouldBe(Price, "nobody has to ask again for it");
        await database.WriteAsync(sql => sql.Run("drop trigger full"), default);
        (await AskAsync(token)).Status.ShouldBe(200, "there is a cent again");
        (await AskAsync(token)).Status.ShouldBe(200, "now it is kept");
        gate.Upstream.Requests.Count.ShouldBe(2);
        await gate.ShouldBalanceAsync();
    }

    private Task<Told> AskAsync(string token) => gate.GetAsync("/forecast/paris", ("Authorization", token), ("Idempotency-Key", "\"one\""));

    private static Hold NewHold(string receipt) => TestGate.OnChain("h", receipt);

    private async Task<Hold> HeldAsync(string receipt) => ((HoldResult.Held)await gate.Ledger.HoldAsync(NewHold(receipt), default)).State.Hold;

    private async Task<HoldStatus> StatusAsync() => (await gate.Ledger.FindAsync("h", default))!.Status;
}
