using FsCheck;
using FsCheck.Fluent;
using Turnpike.Ledger;
using Turnpike.Tests.Storage;
using static Turnpike.Tests.Ledger.Some;

namespace Turnpike.Tests.Ledger;

/// <summary>Whatever is asked in whatever order, the database answers as the model does, and both balance.</summary>
public sealed class LedgerProperties
{
    /// <summary>One verb with its arguments folded into small numbers, so that ids and accounts collide often.</summary>
    internal sealed record Step(int Verb, int Id, int Account, int Amount, int Call);

    private static Gen<Step> Steps =>
        from verb in Gen.Choose(0, 9)
        from id in Gen.Choose(0, 5)
        from account in Gen.Choose(0, 3)
        from amount in Gen.Choose(0, 60)
        from call in Gen.Choose(0, 2)
        select new Step(verb, id, account, amount, call);

    [Fact]
    public async Task Random_commands_have_the_same_results_on_the_model_and_on_the_store()
    {
        using var stored = StoredLedger.Open(new TemporaryFolder());
        var round = 0;
        Prop.ForAll(Steps.ListOf().ToArbitrary(), steps => AgreeAsync(stored.Ledger, $"{++round}", [.. steps], together: false))
            .Check(Config.QuickThrowOnFailure.WithQuietOnSuccess(true).WithMaxTest(60).WithEndSize(60).WithReplay(402UL, 2026_11_21UL));
        (await stored.Ledger.VerifyAsync(default)).Findings.ShouldBeEmpty();
    }

    [Fact]
    public async Task Commands_written_in_one_batch_have_the_same_results_as_one_by_one()
    {
        using var stored = StoredLedger.Open(new TemporaryFolder());
        var round = 0;
        Prop.ForAll(Steps.ListOf().ToArbitrary(), steps => AgreeAsync(stored.Ledger, $"{++round}", [.. steps], together: true))
            .Check(Config.QuickThrowOnFailure.WithQuietOnSuccess(true).WithMaxTest(100).WithEndSize(100).WithReplay(402UL, 7UL));
        (await stored.Ledger.VerifyAsync(default)).Findings.ShouldBeEmpty();
    }

    // Ids carry the round, so that one database serves all rounds and none sees another's.
    private static async Task<bool> AgreeAsync(ILedger sql, string round, Step[] steps, bool together)
    {
        var model = new MemoryLedger(TimeProvider.System, "this");
        List<string> expected = [];
        foreach (var step in steps) expected.Add(await DoAsync(model, round, step));
        List<string> actual = [];
        if (together) actual.AddRange(await Task.WhenAll(steps.Select(step => DoAsync(sql, round, step))));
        else foreach (var step in steps) actual.Add(await DoAsync(sql, round, step));
        actual.ShouldBe(expected);

        for (var i = 0; i < 6; i++) Describe(await sql.FindAsync($"{round}:h{i}", default)).ShouldBe(Describe(await model.FindAsync($"{round}:h{i}", default)));
        for (var i = 0; i < 4; i++) (await sql.AvailableAsync($"token:{round}:{i}", "USD", default)).ShouldBe(await model.AvailableAsync($"token:{round}:{i}", "USD", default));
        (await model.VerifyAsync(default)).Findings.ShouldBeEmpty();
        return true;
    }

    private static async Task<string> DoAsync(ILedger ledger, string round, Step step)
    {
        var id = $"{round}:h{step.Id}";
        try
        {
            switch (step.Verb)
            {
                case 0 or 1: return Describe(await ledger.HoldAsync(NewHold(id, round, step), default));
                case 2: return Describe(await ledger.CaptureAsync(Capture(id, Usd(step.Amount), step.Call == 0 ? "tx" : null), default));
                case 3: await ledger.SettledAsync(id, $"tx{step.Call}", null, [], default); return "settled";
                case 4: await ledger.UnknownAsync(id, step.Call == 0 ? null : $"tx{step.Call}", [], default); return "unknown";
                case 5 or 6: await ledger.ReleaseAsync(id, "over", [], default); return "released";
                case 7: await ledger.CheckpointAsync(id, Usd(step.Amount), default); return "seen";
                case 8: return (await ledger.PostAsync(TopUp($"{round}:t{step.Id}:{step.Call}", $"token:{round}:{step.Account}", Usd(step.Amount)), default)).ToString();
                default: return (await ledger.PostAsync(new Transfer($"{round}:f{step.Id}", $"token:{round}:{step.Account}", $"token:{round}:{step.Call}x", Usd(step.Amount), "refund", true, step.Call == 1), default)).ToString();
            }
        }
        catch (LedgerException)
        {
            return "refused";
        }
    }

    private static Hold NewHold(string id, string round, Step step)
    {
        var amount = Usd(step.Amount);
        List<Leg> legs = [new Leg($"token:{round}:{step.Account}", "revenue:x", amount, Limited: step.Call > 0)];
        if (step.Amount % 3 == 1) legs.Add(new Leg($"token:{round}:{(step.Account + 1) % 4}", "external:cap", amount, Limited: true));
        if (step.Amount % 5 == 1) legs.Add(new Leg($"token:{round}:{step.Account}", "external:fee", Usd(1), Limited: true, Fixed: true));
        return Hold(id, legs, receipt: $"{id}:{step.Call}", binding: step.Amount % 7 == 0 ? "GET /other" : "GET /x");
    }

    private static string Describe(HoldResult result) => result switch
    {
        HoldResult.Held held => $"held {held.Again} {Describe(held.State)}",
        HoldResult.AlreadyUsed used => $"used {Describe(used.State)}",
        _ => result.ToString()!,
    };

    private static string Describe(HoldState? state) => state is null
        ? "none"
        : $"{state.Status} {state.Observed} {state.Captured} {state.Reference} {state.Note} {state.Hold.Receipt} {state.Hold.Binding} {string.Join(';', state.Hold.Legs)}";

}
