using System.Text;
using Turnpike.Audit;
using Turnpike.Ledger;
using Turnpike.Limits.Incidents;
using Turnpike.Tests.Gateway;
using Turnpike.Tests.Metering;

namespace Turnpike.Tests.Access;

/// <summary>The switch for when something goes wrong.</summary>
public sealed class IncidentRuleTests
{
    private const string Signature = "PAYMENT-SIGNATURE", Target = "/forecast/paris";

    private static async Task SetAsync(TestGate gate, string scope, string mode) =>
        await gate.Of<IncidentBoard>().SetAsync(scope, Incident.ReadMode(mode)!.Value, "We are looking into it.", default);

    [Theory]
    [InlineData("installation", "closed", "GET", "/status", "closed")]
    [InlineData("service:weather", "closed", "GET", "/forecast/paris", "closed")]
    [InlineData("operation:status", "closed", "GET", "/status", "closed")]
    [InlineData("operation:status", "closed", "GET", "/forecast/paris", "payment-required")]
    [InlineData("service:other", "closed", "GET", "/status", null)]
    [InlineData("installation", "read-only", "POST", "/reports", "read-only")]
    [InlineData("installation", "read-only", "GET", "/forecast/paris", "payment-required")]
    [InlineData("installation", "paid-only", "GET", "/status", "paid-only")]
    [InlineData("installation", "paid-only", "GET", "/forecast/paris", "payment-required")]
    [InlineData("installation", "no-new-payments", "GET", "/forecast/paris", "no-new-payments")]
    [InlineData("installation", "no-new-payments", "GET", "/status", null)]
    public async Task What_is_switched_off_is_503_with_a_reason_and_the_rest_goes_on(string scope, string mode, string method, string target, string? reason)
    {
        using var gate = new TestGate();
        await SetAsync(gate, scope, mode);
        var told = await gate.SendAsync(new Ask(method, target));
        told.Reason.ShouldBe(reason);
        if (reason == mode) (told.Status, told.Json.GetProperty("detail").GetString()).ShouldBe((503, "We are looking into it."));
        await SetAsync(gate, scope, "normal");
        (await gate.SendAsync(new Ask(method, target))).Status.ShouldNotBe(503);
    }

    [Fact]
    public async Task No_new_payment_is_taken_and_what_was_paid_is_still_answered()
    {
        using var gate = new TestGate();
        var (paid, fresh) = (await gate.ProofAsync(), await gate.ProofAsync());
        (await gate.GetAsync(Target, (Signature, paid))).Status.ShouldBe(200);
        await SetAsync(gate, "installation", "no-new-payments");
        (await gate.GetAsync(Target, (Signature, paid))).Status.ShouldBe(200);
        (await gate.GetAsync(Target, (Signature, fresh))).Reason.ShouldBe("no-new-payments");
        (await gate.GetAsync(Target, ("Authorization", await gate.TokenAsync()))).Reason.ShouldBe("no-new-payments");
        gate.Rail.Settlements.ShouldBe(1);
        await SetAsync(gate, "installation", "normal");
        (await gate.GetAsync(Target, (Signature, fresh))).Status.ShouldBe(200);
    }

    [Fact]
    public async Task What_is_closed_while_the_upstream_works_is_not_sold_and_the_money_goes_back()
    {
        using var gate = new TestGate();
        var token = await gate.TokenAsync("1.00 USD");
        gate.Upstream.Answer = async (_, _) => { await SetAsync(gate, "service:weather", "closed"); return ScriptedUpstream.Text("too late"); };
        var told = await gate.GetAsync(Target, ("Authorization", token));
        (told.Reason, told.Body.Contains("too late", StringComparison.Ordinal)).ShouldBe(("closed", false));
        (await gate.Ledger.AvailableAsync("token:" + TestGate.IdOf(token), "USD", default)).ShouldBe(new Money(Money.Nano, "USD"));
    }

    [Fact]
    public async Task A_rail_that_is_switched_off_is_neither_offered_nor_taken()
    {
        using var gate = new TestGate();
        var proof = await gate.ProofAsync();
        await SetAsync(gate, "rail:x402", "closed");
        (await gate.GetAsync(Target, (Signature, proof))).Reason.ShouldBe("no-new-payments");
        var terms = await gate.GetAsync(Target);
        terms.Json.GetProperty("offers").EnumerateArray().Select(o => o.GetProperty("protocol").GetString()).ShouldNotContain("x402");
        (await gate.GetAsync(Target, ("Authorization", await gate.TokenAsync()))).Status.ShouldBe(200);
    }

    [Fact]
    public async Task An_open_stream_is_cut()
    {
        using var gate = new TestGate();
        gate.Upstream.Answer = (_, _) => Task.FromResult(new HttpResponseMessage { Content = new Endless(() => SetAsync(gate, "operation:status", "closed")) });
        (await gate.GetAsync("/status")).Aborted.ShouldBeTrue();
        gate.Upstream.Says(() => ScriptedUpstream.Text("sunny"));
        (await gate.GetAsync("/status")).Reason.ShouldBe("closed");
    }

    [Fact]
    public async Task An_open_stream_that_is_paid_by_use_is_cut_and_charged_for_what_passed()
    {
        using var gate = new TestGate(document: MeteredGate.Chat);
        var token = await gate.TokenAsync("1.00 USD");
        var words = string.Join(' ', Enumerable.Repeat("word", 100));
        gate.Upstream.Answer = (_, _) => Task.FromResult(Events(MeteredGate.Delta(words), () => SetAsync(gate, "operation:chat", "closed"), MeteredGate.Delta(words)));
        (await gate.SendAsync(MeteredGate.Ask(token, """{"model":"gpt-4o","stream":true,"max_tokens":1000,"messages":[{"role":"user","content":"go on"}]}"""))).Aborted.ShouldBeTrue();
        var left = await gate.Ledger.AvailableAsync("token:" + TestGate.IdOf(token), "USD", default);
        var taken = Money.Nano - left.Units;
        // A hundred words are at least eighty tokens, at 10 USD a million; the second hundred did not pass, and the thousand that were held go back.
        taken.ShouldBeInRange(80 * 10_000, 190 * 10_000);
        await gate.Of<IAuditTrail>().FlushAsync(default);
        (await gate.Of<IAuditTrail>().ReadAsync(new AuditFilter(Kind: AuditKinds.Settled), default)).ShouldHaveSingleItem().Event.Amount.ShouldBe(new Money(taken, "USD").ToString());
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task An_open_stream_of_one_price_is_cut_and_its_price_goes_back_whole()
    {
        using var gate = new TestGate();
        var token = await gate.TokenAsync("1.00 USD");
        gate.Upstream.Answer = (_, _) => Task.FromResult(new HttpResponseMessage { Content = new Endless(() => SetAsync(gate, "operation:forecast", "closed")) });
        (await gate.GetAsync(Target, ("Authorization", token))).Aborted.ShouldBeTrue();
        (await gate.Ledger.AvailableAsync("token:" + TestGate.IdOf(token), "USD", default)).ShouldBe(new Money(Money.Nano, "USD"));
        await gate.Of<IAuditTrail>().FlushAsync(default);
        (await gate.Of<IAuditTrail>().ReadAsync(new AuditFilter(Kind: AuditKinds.Credited), default)).ShouldHaveSingleItem().Event.Amount.ShouldBe("0.01 USD");
        await gate.ShouldBalanceAsync();
    }

    private static HttpResponseMessage Events(string first, Func<Task> between, string second)
    {
        var answer = new HttpResponseMessage { Content = new Endless(between, first + "\n\n", second + "\n\n") };
        answer.Content.Headers.ContentType = new("text/event-stream");
        return answer;
    }

    [Fact]
    public async Task It_survives_a_restart_and_is_audited()
    {
        using var before = new TestGate();
        await SetAsync(before, "installation", "closed");
        using var gate = before.Restart();
        await gate.Of<IncidentBoard>().StartAsync(default);
        (await gate.GetAsync("/status")).Reason.ShouldBe("closed");
        var happened = (await gate.Of<IAuditTrail>().ReadAsync(new AuditFilter(Kind: AuditKinds.IncidentSet), default)).ShouldHaveSingleItem().Event;
        (happened.Reference, happened.Reason, happened.Detail).ShouldBe(("installation", "closed", "We are looking into it."));
        await gate.Of<IncidentBoard>().StopAsync(default);
    }

    /// <summary>Two pieces, one a read, with something happening between them.</summary>
    private sealed class Endless(Func<Task> between, string first = "first", string second = "second") : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context)
        {
            await stream.WriteAsync(Encoding.UTF8.GetBytes(first));
            await between();
            await stream.WriteAsync(Encoding.UTF8.GetBytes(second));
        }

        protected override Task<Stream> CreateContentReadStreamAsync() => Task.FromResult<Stream>(new Reader(first, between, second));

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }

        private sealed class Reader(string first, Func<Task> between, string second) : MemoryStream
        {
            private int reads;

            public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
            {
                if (buffer.IsEmpty) return 0;
                if (++reads == 2) await between();
                cancellationToken.ThrowIfCancellationRequested();
                return reads > 2 ? 0 : Encoding.UTF8.GetBytes(reads == 1 ? first : second, buffer.Span);
            }
        }
    }
}
