using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Turnpike.EndToEnd.Harness;
using Turnpike.EndToEnd.Metering;
using Turnpike.EndToEnd.Storage;

namespace Turnpike.EndToEnd.Nodes;

/// <summary>Requests lowered to what is left of a plan, by two gateways that share a PostgreSQL, one of which is killed in between.</summary>
public sealed class LoweredNodesTests : IAsyncLifetime
{
    private const int Included = 4_000, Used = 12 + 20;
    private const string Key = "free-tier-key";

    private readonly HttpClient http = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = Until.Patience };
    private LlmStandIn model = null!;
    private TurnpikeProcess a = null!, b = null!;

    public async ValueTask InitializeAsync()
    {
        model = await LlmStandIn.StartAsync();
        var (store, upstream) = (TemporaryDatabase.NewEmpty(), ("LLM_UPSTREAM", model.Url.ToString().TrimEnd('/')));
        a = await TurnpikeProcess.StartOnAsync("llm.yaml", store, OfOnePlan, ("gateway.node", "a"), upstream);
        b = await TurnpikeProcess.StartOnAsync("llm.yaml", store, OfOnePlan, ("gateway.node", "b"), ("gateway.url", a.Url.GetLeftPart(UriPartial.Authority)), upstream);
    }

    public async ValueTask DisposeAsync()
    {
        await a.DisposeAsync();
        await b.DisposeAsync();
        await model.DisposeAsync();
        http.Dispose();
    }

    [Fact]
    public async Task Two_nodes_and_a_kill_never_give_more_than_is_left_and_lower_to_the_last_of_it()
    {
        var together = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => AskAsync(i % 2 == 0 ? a : b)));
        together.ShouldAllBe(told => told == HttpStatusCode.OK || told == HttpStatusCode.TooManyRequests);
        together.ShouldContain(HttpStatusCode.OK);
        await NothingIsHeldAsync();
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
        await NothingIsHeldAsync();
        (await UsedAsync()).ShouldBeInRange(before, before + Used + Lowered.Length + 1_000, "once, at the last checkpoint, and not for all that was held");

        for (var (left, i) = (Included - await UsedAsync(), 0); left > Lowered.Length; i++)
        {
            i.ShouldBeLessThan(Included / Used);
            (await AskAsync(i % 2 == 0 ? a : b)).ShouldBe(HttpStatusCode.OK);
            JsonNode.Parse(model.Asked.Last().Body)!["max_tokens"]!.GetValue<int>().ShouldBe((int)Math.Min(1_000, left - Lowered.Length));
            await NothingIsHeldAsync();
            var now = Included - await UsedAsync();
            now.ShouldBeInRange(0, left - 1);
            left = now;
        }
        foreach (var node in (TurnpikeProcess[])[a, b]) (await AskAsync(node)).ShouldBe(HttpStatusCode.TooManyRequests);
        await b.BooksBalanceAsync();
    }

    private const string Lowered = """{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"Tell me of the sea."}]}""";

    /// <summary>One plan, without limits by the minute and without breakers: the same question again and again is what they are there for.</summary>
    private static string OfOnePlan(string document) =>
        document[..document.IndexOf("\nplans:", StringComparison.Ordinal)] + $$"""

        plans: { free: { includes: [{ amount: {{Included}} total_tokens, per: 1mo, when-used-up: wait }] } }
        callers: { tester: { plan: free, keys: ["${env:FREE_KEY}"] } }

        """;

    private async Task<HttpStatusCode> AskAsync(TurnpikeProcess gateway)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(gateway.Url, "/v1/chat/completions")) { Content = new StringContent(Lowered, new MediaTypeHeaderValue("application/json")) };
        request.Headers.Authorization = new("Bearer", Key);
        try
        {
            using var answer = await http.SendAsync(request);
            await answer.Content.ReadAsStringAsync();
            return answer.StatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or IOException) { return HttpStatusCode.BadGateway; } // it was killed
    }

    private Task NothingIsHeldAsync() => Until.HoldsAsync("its hold ends", async () =>
        JsonNode.Parse(await GetAsync(new Uri(b.Admin, "/admin/v1/payments?status=held"), Checkout.Variables()["TURNPIKE_ADMIN_KEY"]))!["payments"]!.AsArray().Count == 0);

    private async Task<long> UsedAsync() =>
        long.Parse(JsonNode.Parse(await GetAsync(new Uri(b.Url, "/balance"), Key))!["allowances"]![0]!["used"]!["amount"]!.GetValue<string>(), CultureInfo.InvariantCulture);

    private async Task<string> GetAsync(Uri url, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.Authorization = new("Bearer", key);
        using var answer = await http.SendAsync(request);
        return await answer.Content.ReadAsStringAsync();
    }
}
