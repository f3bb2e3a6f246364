using Turnpike.Audit;
using Turnpike.Storage;

namespace Turnpike.Tests.Gateway;

/// <summary>A flood on a store that does not keep up: the door closes before the memory is full, and every no is in the trail, to the unit.</summary>
public sealed class PressureTests
{
    private const string Signature = "PAYMENT-SIGNATURE";
    private const int Crowded = AuditTrail.MostQueued * 3 / 4;

    [Fact]
    public async Task A_flood_on_a_stuck_store_is_sent_away_while_who_paid_is_served_and_nothing_is_left_out()
    {
        using var gate = new TestGate();
        var proof = await gate.ProofAsync();
        var (held, goOn) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        gate.Upstream.Answer = async (request, _) =>
        {
            if (request.RequestUri!.AbsolutePath.StartsWith("/forecast", StringComparison.Ordinal)) { held.TrySetResult(); await goOn.Task; }
            return ScriptedUpstream.Text("sunny");
        };
        var inside = gate.GetAsync("/forecast/paris", (Signature, proof));
        await held.Task.WaitAsync(TimeSpan.FromMinutes(1));

        const int Most = 600;
        int terms = 0, away = 0;
        using (await StuckAsync(gate))
        {
            await FillAsync(gate, Crowded - 100);
            for (var i = 0; i < Most; i++)
            {
                var told = await gate.GetAsync($"/history/{i}");
                if (told.Status == 402) { terms++; continue; }
                told.Reason.ShouldBe("trail-full");
                told.Headers.RetryAfter.ToString().ShouldBe("1");
                // Who brings a payment is still heard: this one is refused for what it is.
                if (away++ == 0) (await gate.GetAsync("/forecast/paris", (Signature, "?"))).Reason.ShouldBe("malformed-credential");
            }
            terms.ShouldBeInRange(1, 101);
            away.ShouldBe(Most - terms);
        }
        goOn.SetResult();
        (await inside.WaitAsync(TimeSpan.FromMinutes(1))).Status.ShouldBe(200);

        await gate.Of<IAuditTrail>().FlushAsync(default);
        (await CountAsync(gate, "payment-required")).ShouldBe((terms + 1, terms + 1), "each of another target, and the first of the proof");
        var (rows, times) = await CountAsync(gate, "trail-full");
        times.ShouldBe(away);
        rows.ShouldBeLessThanOrEqualTo(Repeats.Apart + 1);
        (await CountAsync(gate, "malformed-credential")).ShouldBe((1, 1));
        (await gate.Of<IAuditTrail>().VerifyAsync(default)).Intact.ShouldBeTrue();
        (await gate.GetAsync("/history/paris")).Status.ShouldBe(402, "the door is open again");
    }

    [Fact]
    public async Task What_many_ask_at_once_of_a_stuck_store_waits_in_a_queue_that_is_bounded()
    {
        using var gate = new TestGate();
        var trail = gate.Of<AuditTrail>();
        var stuck = await StuckAsync(gate);
        await FillAsync(gate, AuditTrail.MostQueued - 100);
        var asked = Enumerable.Range(0, 16).Select(caller => Task.Run(async () =>
        {
            for (var i = 0; i < 50; i++) await gate.GetAsync($"/history/{caller}-{i}", (Signature, "?"));
        })).ToList();
        // A credential opens the door while there is a place; those who came in for the last one wait.
        for (var tries = 0; trail.Pressure != AuditPressure.Full && tries < 6_000; tries++) await Task.Delay(10);
        trail.Pressure.ShouldBe(AuditPressure.Full);
        (await gate.GetAsync("/history/paris", (Signature, "?"))).Reason.ShouldBe("trail-full");
        stuck.Dispose();
        await Task.WhenAll(asked).WaitAsync(TimeSpan.FromSeconds(60));
        await trail.FlushAsync(default);
        var (_, sentAway) = await CountAsync(gate, "trail-full");
        var (refused, times) = await CountAsync(gate, "malformed-credential");
        (refused, refused + sentAway).ShouldBe((times, 16 * 50 + 1));
    }

    [Fact]
    public async Task The_same_402_again_and_again_is_one_row_with_a_count()
    {
        using var gate = new TestGate();
        for (var i = 0; i < 200; i++) (await gate.GetAsync("/forecast/paris")).Status.ShouldBe(402);
        for (var i = 0; i < 100; i++) await gate.GetAsync("/nothing");
        for (var i = 0; i < 20; i++) await gate.GetAsync("/forecast/paris", (Signature, "?"));
        await gate.Of<IAuditTrail>().FlushAsync(default);
        (await CountAsync(gate, "payment-required")).ShouldBe((Repeats.Apart + 1, 200));
        (await CountAsync(gate, "not-found")).ShouldBe((Repeats.Apart + 1, 100));
        (await CountAsync(gate, "malformed-credential")).ShouldBe((20, 20), "a proof that was wrong stays by itself");
    }

    internal static async Task<Told> SentAwayAsync(TestGate gate)
    {
        using var stuck = await StuckAsync(gate);
        await FillAsync(gate, Crowded);
        return await gate.GetAsync("/forecast/paris");
    }

    private static async Task<(long Rows, long Times)> CountAsync(TestGate gate, string reason) => await gate.Of<Database>().ReadAsync(sql =>
        sql.First("select count(*), sum(coalesce(times, 1)) from audit where reason = $1", row => (row.Long(0), row.LongOrNull(1) ?? 0), reason), default);

    /// <summary>So many events wait.</summary>
    private static async Task FillAsync(TestGate gate, int events)
    {
        for (var i = 0; i < events; i++) await gate.Of<IAuditTrail>().RecordAsync(new AuditEvent { Kind = AuditKinds.Delivered, Correlation = $"c{i}" }, default);
    }

    /// <summary>A writer that does not come back until it is told to.</summary>
    private static async Task<IDisposable> StuckAsync(TestGate gate)
    {
        await gate.Of<IAuditTrail>().FlushAsync(default); // it is there before its first transaction
        var (begun, stuck) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new ManualResetEventSlim());
        var writing = Task.Run(async () => await gate.Of<Database>().WriteAsync(_ => { begun.TrySetResult(); stuck.Wait(TimeSpan.FromSeconds(120)); }, default));
        await begun.Task.WaitAsync(TimeSpan.FromMinutes(1));
        return new Loose(() => { stuck.Set(); writing.GetAwaiter().GetResult(); stuck.Dispose(); });
    }

    private sealed class Loose(Action let) : IDisposable
    {
        public void Dispose() => let();
    }
}
