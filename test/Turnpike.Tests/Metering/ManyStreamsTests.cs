using Turnpike.Ledger;
using Turnpike.Tests.Gateway;
using static Turnpike.Tests.Metering.MeteredGate;

namespace Turnpike.Tests.Metering;

/// <summary>Many streams at once on one budget that is too small for them.</summary>
public sealed class ManyStreamsTests
{
    private const int Streams = 1_000;
    private const string Body = """{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"Tell me of the sea."}],"max_tokens":20}""";

    [Fact]
    public async Task A_thousand_streams_on_a_budget_that_ends_halfway_take_it_to_the_nano_and_no_further()
    {
        using var gate = new TestGate(document: Chat);
        gate.Upstream.Says(() => Stream([.. Enumerable.Repeat(Delta("sixsix"), 40), LastChunk, "data: [DONE]"]));
        // Each costs 0.00014 USD in the end, and holds more until then.
        var budget = new Money(Streams / 2 * 140_000L, "USD");
        var token = await gate.TokenAsync(budget.ToString());
        var answers = await Task.WhenAll(Enumerable.Range(0, Streams).Select(_ => Task.Run(() => gate.SendAsync(Ask(token, Body)))));
        foreach (var answer in answers)
        {
            if (answer.Status == 402) { answer.Reason.ShouldBe("token-exhausted"); continue; }
            answer.Status.ShouldBe(200);
            answer.Aborted.ShouldBeFalse();
            answer.Body.ShouldEndWith("data: [DONE]\n\n", Case.Sensitive, "ended as its client understands");
        }
        var left = await gate.Ledger.AvailableAsync("token:" + TestGate.IdOf(token), "USD", default);
        var charged = (await gate.Ledger.ListAsync(new HoldFilter(Most: Streams), default)).Where(h => h.Status == HoldStatus.Settled).Sum(h => h.Captured.Units);
        (left.Units >= 0, charged + left.Units).ShouldBe((true, budget.Units));
        answers.Count(a => a.Status == 200).ShouldBeInRange(1, Streams - 1);
        await gate.ShouldBalanceAsync();
    }
}
