using Turnpike.Ledger;
using Turnpike.Tests.Gateway;
using Turnpike.Tests.Ledger;
using static Turnpike.Tests.Ledger.Some;
using static Turnpike.Tests.Simulation.Histories.BudgetObject;
using Ask = Turnpike.Tests.Simulation.Histories.BudgetObject.Ask;

namespace Turnpike.Tests.Simulation.Histories;

/// <summary>Budgets, single-use credentials and keys, asked by real threads at once: every history could have been one after the other.</summary>
public sealed class LedgerHistoryTests
{
    private const int Rounds = 60;

    public static TheoryData<string> All => Ledgers.All;

    [Theory, MemberData(nameof(All))]
    public async Task A_budget_and_its_single_use_ids_are_linearizable(string name)
    {
        using var open = Ledgers.Open(name);
        var random = new Random(402);
        for (var round = 0; round < Rounds; round++)
        {
            var account = $"token:{round}";
            await open.Ledger.PostAsync(TopUp($"t{round}", account, Usd(3)), default);
            var work = Enumerable.Range(0, 4).Select(_ => (IReadOnlyList<Ask>)[.. Enumerable.Range(0, 4).Select(_ => Some(random, round))]).ToList();
            var history = await Recorder.RecordAsync(work, ask => DoAsync(open.Ledger, account, ask));
            Linearizable.Check(history, new Budget(3, ""), Sequentially).ShouldBeTrue(string.Join('\n', history));
        }
        (await open.Ledger.VerifyAsync(default)).Findings.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_history_in_which_one_answer_was_another_is_rejected()
    {
        using var open = Ledgers.Open("memory");
        await open.Ledger.PostAsync(TopUp("t", "token:x", Usd(1)), default);
        var history = await Recorder.RecordAsync<Ask, string>([[new("hold", "a", 1)], [new("hold", "b", 1)]], ask => DoAsync(open.Ledger, "token:x", ask));
        Linearizable.Check(history, new Budget(1, ""), Sequentially).ShouldBeTrue();
        Linearizable.Check([.. history.Select(o => o with { Answer = "held" })], new Budget(1, ""), Sequentially).ShouldBeFalse("two holds on a budget for one");
        Linearizable.Check([.. history.Select(o => o with { Answer = "poor" })], new Budget(1, ""), Sequentially).ShouldBeFalse("a budget that pays nobody");
    }

    /// <summary>At the gate: one Idempotency-Key, one proof, presented by many at once.</summary>
    [Fact]
    public async Task A_key_at_the_gate_buys_one_answer_in_every_history()
    {
        using var gate = new TestGate();
        for (var round = 0; round < 20; round++)
        {
            var (token, number) = (await gate.TokenAsync("0.01 USD"), 0);
            gate.Upstream.Says(() => ScriptedUpstream.Text($"answer {Interlocked.Increment(ref number)}"));
            var work = Enumerable.Repeat<IReadOnlyList<string>>(["k", "k", "k"], 4).ToList();
            var history = await Recorder.RecordAsync(work, async key =>
            {
                var told = await gate.GetAsync("/forecast/paris", ("Authorization", token), ("Idempotency-Key", $"\"{key}{round}\""));
                return told.Status == 200 ? told.Body : told.Reason!;
            });
            // Nobody, then in flight for anybody, then the one answer for everybody for ever.
            Linearizable.Check<string, string, string>([.. history.Where(o => o.Answer != "in-flight")], "", static (state, _, answer) =>
                state == "" && answer == "answer 1" || state == answer ? answer : null).ShouldBeTrue(string.Join('\n', history));
        }
        await gate.ShouldBalanceAsync();
    }
}
