using Turnpike.Metering;
using Turnpike.Tests.Gateway;
using static Turnpike.Tests.Metering.MeteredGate;

namespace Turnpike.Tests.Metering;

/// <summary>What calls bring in beside what they cost the owner.</summary>
public sealed class MarginTests
{
    [Fact]
    public async Task What_was_paid_and_what_it_cost_are_told_by_operation_and_model()
    {
        using var gate = new TestGate(document: Chat + "\n      about: { match: GET /about, price: free, cost: 0.002 USD }\n      thing: { match: GET /thing, price: 0.01 USD, cost: { amount: 0.001 USD, per-unit: { requests: 0.002 USD } } }\n      plain: { match: GET /plain, price: 0.01 USD, usage: { files: 1 } }\n");
        var token = await gate.TokenAsync();
        await gate.GetAsync("/about");
        await gate.GetAsync("/thing", ("Authorization", token));
        await gate.GetAsync("/thing", ("Authorization", token));
        await gate.GetAsync("/plain", ("Authorization", token));
        await gate.Of<Turnpike.Storage.Database>().WriteAsync(static _ => { }, default);
        (await AskAsync(gate, "operation")).ShouldBe(["about USD 1/0 0.00-0.002=-0.002", "plain USD 1/1 0.01-0.00=0.01", "thing USD 2/0 0.02-0.006=0.014"]);
    }

    [Fact]
    public async Task A_models_own_cost_is_that_of_the_one_that_served_and_one_without_is_not_known()
    {
        using var gate = new TestGate(document: Chat.Replace("        accept: [prepaid]\n", "        accept: [prepaid]\n        cost: { per-million: { gpt-4o: { input_tokens: 2.00 USD, output_tokens: 8.00 USD } } }\n", StringComparison.Ordinal));
        var token = await gate.TokenAsync();
        foreach (var model in new[] { "gpt-4o", "gpt-4o-mini" })
        {
            gate.Upstream.Says(() => Stream(Delta("hello", model + "-2024-08-06"), LastChunk, "data: [DONE]"));
            await gate.SendAsync(Ask(token, $$"""{"model":"{{model}}","stream":true,"max_tokens":100}"""));
        }
        // 20 in at 2.00, 10 out at 8.00 for a million
        (await AskAsync(gate, "model")).ShouldBe(["gpt-4o-2024-08-06 USD 1/0 0.00014-0.00012=0.00002", "gpt-4o-mini-2024-08-06 USD 1/1 0.0000084-0.00=0.0000084"]);
    }

    [Fact]
    public async Task What_an_allowance_of_tokens_paid_is_a_call_that_brought_in_nothing_and_cost_all_the_same()
    {
        using var gate = new TestGate("plans: { free: { includes: [{ amount: 300 total_tokens, per: 1mo }] } }\ncallers: { tester: { plan: free, keys: [\"${env:AGENT_KEY}\"] } }\n",
            Chat.Replace("accept: [prepaid]", "accept: [plan, prepaid]\n        cost: 0.002 USD", StringComparison.Ordinal));
        gate.Upstream.Says(() => Stream(Delta("hello"), LastChunk, "data: [DONE]"));
        (await gate.SendAsync(new Ask("POST", "/v1/chat/completions", ("apikey", Catalog.Documents.Variables["AGENT_KEY"]), ("Content-Type", "application/json")) { Body = """{"model":"gpt-4o","stream":true,"max_tokens":100}""" })).Status.ShouldBe(200);
        (await AskAsync(gate, "caller")).ShouldBe(["tester USD 1/0 0.00-0.002=-0.002"]);
    }

    private static async Task<IReadOnlyList<string>> AskAsync(TestGate gate, string by) =>
        [.. (await gate.Of<MarginQueries>().AskAsync(DateTimeOffset.UnixEpoch, DateTimeOffset.MaxValue, [by], default)).Select(m => $"{m.Group[0]} {m.Currency} {m.Calls}/{m.WithoutCost} {m.Revenue.ToDecimal()}-{m.Cost.ToDecimal()}={m.Left.ToDecimal()}")];
}
