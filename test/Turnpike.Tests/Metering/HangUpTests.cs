using Turnpike.Audit;
using Turnpike.Gateway.Metered;
using Turnpike.Ledger;
using Turnpike.Storage;
using Turnpike.Tests.Gateway;
using static Turnpike.Tests.Metering.MeteredGate;

namespace Turnpike.Tests.Metering;

/// <summary>Callers who leave before the end: what was done then stands in the trail, beside what was charged for it.</summary>
public sealed class HangUpTests
{
    private const string Streaming = """{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"Tell me of the sea."}],"max_tokens":100}""";

    /// <summary>What the upstream tells in the end.</summary>
    private const long All = 140_000;

    /// <summary>The question and the one piece that passed, where nobody hears the end.</summary>
    private static readonly long Begun = (Streaming.Length + 3) / 4 * 2_500 + 10_000;

    [Theory]
    [InlineData("{ do: drain, for: 1s }", "hang-up=cut")]
    [InlineData("cancel", "hang-up=cancelled")]
    public async Task An_answer_that_is_broken_off_is_charged_by_what_passed_and_the_trail_says_why(string rule, string told)
    {
        using var gate = New(rule);
        (await LeaveAsync(gate, goesOn: false)).ShouldBe((Begun, told));
    }

    [Fact]
    public async Task An_answer_that_is_read_to_its_end_is_charged_by_what_the_upstream_tells_and_the_trail_says_so()
    {
        using var gate = New("{ do: drain, for: 1h }");
        (await LeaveAsync(gate, goesOn: true)).ShouldBe((All, "hang-up=drained"));
    }

    [Fact]
    public async Task Where_too_many_are_read_on_already_the_next_is_broken_off_until_one_of_them_has_ended()
    {
        using var gate = New("drain");
        Stack<IDisposable> places = [];
        while (gate.Of<Drains>().TryBegin() is { } place) places.Push(place);
        places.Count.ShouldBe(256);
        (await LeaveAsync(gate, goesOn: false)).ShouldBe((Begun, "hang-up=no-place"));
        places.Pop().Dispose();
        for (var i = 0; i < 2; i++) (await LeaveAsync(gate, goesOn: true)).ShouldBe((All, "hang-up=drained"), "a place is given back each time");
    }

    [Fact]
    public async Task Of_who_stays_to_the_end_nothing_is_said()
    {
        using var gate = New("drain");
        gate.Upstream.Says(() => Stream(Delta("four"), LastChunk, "data: [DONE]"));
        await gate.SendAsync(Ask(await gate.TokenAsync(), Streaming));
        (await LastAsync(gate)).ShouldBe((All, null));
    }

    [Fact]
    public async Task Who_leaves_before_the_first_byte_pays_nothing_and_the_trail_says_so()
    {
        using var gate = New("cancel");
        using var leaving = new CancellationTokenSource();
        gate.Upstream.Answer = async (_, ct) =>
        {
            await leaving.CancelAsync();
            await Task.Delay(Timeout.Infinite, ct);
            throw new InvalidOperationException();
        };
        await gate.SendAsync(Ask(await gate.TokenAsync(), Streaming) with { Leaves = leaving.Token });
        (await LastAsync(gate, AuditKinds.Undelivered)).ShouldBe((0, "hang-up=cancelled"));
    }

    [Theory]
    [InlineData("sun", "hang-up=drained")]
    [InlineData("sunny", null)]
    public async Task An_answer_at_a_fixed_price_that_is_paid_is_read_to_its_end_and_who_has_all_of_it_did_not_leave(string first, string? told)
    {
        using var gate = new TestGate();
        (await LeaveAsync(gate, new Ask("GET", "/prepaid", ("Authorization", await gate.TokenAsync())), goesOn: true, (inside, silence) =>
        {
            var answer = new HttpResponseMessage { Content = new StreamContent(new OpenStream([first], inside, silence, "sunny"[first.Length..])) };
            answer.Content.Headers.ContentLength = 5;
            return answer;
        })).ShouldBe((10_000_000, told));
    }

    private static TestGate New(string rule) => new(document: Chat.Replace("on-hang-up: drain", "on-hang-up: " + rule, StringComparison.Ordinal));

    private static async Task<(long Charged, string? Left)> LeaveAsync(TestGate gate, bool goesOn) =>
        await LeaveAsync(gate, Ask(await gate.TokenAsync(), Streaming), goesOn, (inside, silence) => Open(inside, silence, LastChunk + "\n\ndata: [DONE]\n\n"));

    /// <summary>The caller leaves when the first piece has passed; the upstream goes on then, or says nothing more.</summary>
    private static async Task<(long Charged, string? Left)> LeaveAsync(TestGate gate, Ask ask, bool goesOn, Func<TaskCompletionSource, Task, HttpResponseMessage> answer)
    {
        var (inside, silence) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        using var leaving = new CancellationTokenSource();
        gate.Upstream.Says(() => answer(inside, silence.Task));
        var asked = gate.SendAsync(ask with { Leaves = leaving.Token });
        await Task.WhenAny(inside.Task, asked);
        await leaving.CancelAsync();
        if (goesOn) silence.SetResult();
        await asked;
        return await LastAsync(gate);
    }

    /// <summary>What was taken for the last call, in billionths of a dollar, and what the trail says of its caller's leaving.</summary>
    private static async Task<(long Charged, string? Left)> LastAsync(TestGate gate, string kind = AuditKinds.Delivered)
    {
        await gate.Of<Database>().WriteAsync(static _ => { }, default); // what was to be written with the next transaction
        await gate.ShouldBalanceAsync();
        var last = (await gate.Ledger.ListAsync(new HoldFilter(), default)).MaxBy(h => h.Sequence)!;
        var detail = (await gate.Of<IAuditTrail>().ReadAsync(new AuditFilter(Kind: kind, Reference: last.Hold.Receipt), default)).ShouldHaveSingleItem().Event.Detail;
        return (last.Captured.Units, detail?.Split(", ").SingleOrDefault(part => part.StartsWith("hang-up", StringComparison.Ordinal)));
    }
}
