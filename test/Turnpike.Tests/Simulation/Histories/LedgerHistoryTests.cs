using Turnpike.Ledger;
using Turnpike.Tests.Gateway;
using Turnpike.Tests.Ledger;
using static Turnpike.Tests.Ledger.Some;

namespace Turnpike.Tests.Simulation.Histories;

/// <summary>Budgets, single-use credentials and keys, asked by real threads at once: every history could have been one after the other.</summary>
public sealed class LedgerHistoryTests
{
    private const int Rounds = 60;

    public static TheoryData<string> All => Ledgers.All;

    /// <summary>What a thread asks of a budget.</summary>
    private sealed record Ask(string Verb, string Id, long Cents = 0);

    /// <summary>A budget and its holds, sequentially: what is left, and where each hold stands.</summary>
    private sealed record Budget(long Left, string Holds)
    {
        public string? Of(string id) => Holds.Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault(h => h.StartsWith(id + "=", StringComparison.Ordinal))?[(id.Length + 1)..];

        public Budget With(string id, string state, long moved) =>
            new(Left + moved, string.Join(' ', Holds.Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(h => !h.StartsWith(id + "=", StringComparison.Ordinal)).Append($"{id}={state}").Order(StringComparer.Ordinal)));
    }

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

    private static Ask Some(Random random, int round)
    {
        var id = $"{round}:h{random.Next(3)}";
        return random.Next(6) switch
        {
            0 or 1 or 2 => new("hold", id, random.Next(1, 3)),
            3 => new("take", id),
            4 => new("release", id),
            _ => new("left", id),
        };
    }

    private static async Task<string> DoAsync(ILedger ledger, string account, Ask ask)
    {
        try
        {
            switch (ask.Verb)
            {
                case "hold":
                    return await ledger.HoldAsync(Hold(ask.Id, Usd(ask.Cents), account, receipt: $"{ask.Id}:{Guid.CreateVersion7()}"), default) switch
                    {
                        HoldResult.Held => "held",
                        HoldResult.AlreadyUsed used => "used " + used.State.Status,
                        _ => "poor",
                    };
                case "take": return "took " + (await ledger.CaptureAsync(Capture(ask.Id, Usd(1), "tx"), default)).Captured;
                case "release": await ledger.ReleaseAsync(ask.Id, "over", [], default); return "released";
                default: return "left " + await ledger.AvailableAsync(account, "USD", default);
            }
        }
        catch (LedgerException) { return "refused"; }
    }

    /// <summary>The specification, as small as it can be said.</summary>
    private static Budget? Sequentially(Budget budget, Ask ask, string? answer)
    {
        var known = budget.Of(ask.Id);
        var cents = known is null ? 0 : long.Parse(known[1..], System.Globalization.CultureInfo.InvariantCulture);
        switch (ask.Verb)
        {
            case "hold" when known is null || known[0] == 'r':
                if (budget.Left < ask.Cents) return answer == "poor" ? budget : null;
                return answer == "held" ? budget.With(ask.Id, "h" + ask.Cents, -ask.Cents) : null;
            case "hold": return answer == (known![0] == 'h' ? "used Held" : "used Settled") ? budget : null;
            case "take" when known is null || known[0] == 'r': return answer == "refused" ? budget : null;
            case "take":
                return answer == $"took {Usd(1)}" ? budget.With(ask.Id, "t1", known![0] == 'h' ? cents - 1 : 0) : null; // the rest goes back
            case "release" when known is null || known[0] == 't': return answer == "refused" ? budget : null;
            case "release": return answer == "released" ? budget.With(ask.Id, "r0", known![0] == 'h' ? cents : 0) : null;
            default: return answer == $"left {Usd(budget.Left)}" ? budget : null;
        }
    }
}
