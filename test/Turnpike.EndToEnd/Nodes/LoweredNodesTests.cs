using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Turnpike.EndToEnd.Harness;
using Turnpike.EndToEnd.Metering;

namespace Turnpike.EndToEnd.Nodes;

/// <summary>Requests lowered to what is left of a plan, by two gateways that share a PostgreSQL, one of which is killed in between.</summary>
public sealed class LoweredNodesTests : IAsyncLifetime
{
    private const int Included = 4_000, Used = 12 + 20;
    private const string Key = "free-tier-key", Lowered = """{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"Tell me of the sea."}]}""";

    private ModelNodes nodes = null!;

    public async ValueTask InitializeAsync() => nodes = await ModelNodes.StartAsync(OfOnePlan, Until.Patience);

    public ValueTask DisposeAsync() => nodes.DisposeAsync();

    [Fact]
    public async Task Two_nodes_and_a_kill_never_give_more_than_is_left_and_lower_to_the_last_of_it()
    {
        var (model, a, b) = (nodes.Model, nodes.A, nodes.B);
        var together = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => AskAsync(nodes.At(i))));
        together.ShouldAllBe(told => told == HttpStatusCode.OK || told == HttpStatusCode.TooManyRequests);
        together.ShouldContain(HttpStatusCode.OK);
        await nodes.NothingIsHeldAsync();
        (await UsedAsync()).ShouldBe(Used * together.Count(told => told == HttpStatusCode.OK));

        var (before, said) = (await UsedAsync(), model.Said);
        (model.Words, model.Pause) = (1_000, TimeSpan.FromMilliseconds(50));
        var cut = AskAsync(a);
        await Until.HoldsAsync("it is in the middle", () => model.Said > said + 10);
        await a.KillAsync();
        await cut;
        (model.Words, model.Pause) = (20, TimeSpan.FromMilliseconds(2));
        (await AskAsync(b)).ShouldBeOneOf(HttpStatusCode.OK, HttpStatusCode.TooManyRequests);
        await a.StartAgainAsync();
        await nodes.NothingIsHeldAsync();
        (await UsedAsync()).ShouldBeInRange(before, before + Used + Lowered.Length + 1_000, "once, at the last checkpoint, and not for all that was held");

        for (var (left, i) = (Included - await UsedAsync(), 0); left > Lowered.Length; i++)
        {
            i.ShouldBeLessThan(Included / Used);
            (await AskAsync(nodes.At(i))).ShouldBe(HttpStatusCode.OK);
            JsonNode.Parse(model.Asked.Last().Body)!["max_tokens"]!.GetValue<int>().ShouldBe((int)Math.Min(1_000, left - Lowered.Length));
            await nodes.NothingIsHeldAsync();
            var now = Included - await UsedAsync();
            now.ShouldBeInRange(0, left - 1);
            left = now;
        }
        foreach (var node in (TurnpikeProcess[])[a, b]) (await AskAsync(node)).ShouldBe(HttpStatusCode.TooManyRequests);
        await b.BooksBalanceAsync();
    }

    /// <summary>One plan, without limits by the minute and without breakers: the same question again and again is what they are there for.</summary>
    private static string OfOnePlan(string document) =>
        document[..document.IndexOf("\nplans:", StringComparison.Ordinal)] + $$"""

        plans: { free: { includes: [{ amount: {{Included}} total_tokens, per: 1mo, when-used-up: wait }] } }
        callers: { tester: { plan: free, keys: ["${env:FREE_KEY}"] } }

        """;

    private async Task<HttpStatusCode> AskAsync(TurnpikeProcess gateway)
    {
        try { return (await nodes.AskAsync(gateway, Key, Lowered)).Status; }
        catch (Exception e) when (e is HttpRequestException or IOException) { return HttpStatusCode.BadGateway; } // it was killed
    }

    private async Task<long> UsedAsync() => long.Parse((await nodes.BalanceAsync(Key))["allowances"]![0]!["used"]!["amount"]!.GetValue<string>(), CultureInfo.InvariantCulture);
}
