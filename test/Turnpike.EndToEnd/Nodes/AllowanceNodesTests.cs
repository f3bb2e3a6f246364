using System.Net;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Nodes;

/// <summary>What is left of a plan, as two nodes over one PostgreSQL tell it.</summary>
public sealed class AllowanceNodesTests(Chain chain)
{
    private const int Included = 60;

    [Fact]
    public async Task Each_answer_tells_what_is_left_after_all_that_either_node_took_and_no_more_is_given()
    {
        await using var pair = await Pair.StartAsync(chain);
        PaidApi[] nodes = [pair.A, pair.B];
        foreach (var node in nodes)
        {
            await File.AppendAllTextAsync(node.Gateway.Config, $"\nplans: {{ pro: {{ includes: [{{ amount: {Included} requests, per: 1mo, when-used-up: wait }}] }} }}\n");
            // A plan nobody sells is refused: so this is the sign that the document is in force at this node.
            await WaitAsync(async () => (await node.AdminAsync("PUT", "/admin/v1/callers/agent", """{"plan":"pro"}""")).Status is HttpStatusCode.OK or HttpStatusCode.Created);
        }
        var key = (await pair.A.AdminAsync("POST", "/admin/v1/callers/agent/keys", "{}")).Json["key"]!.GetValue<string>();

        for (var taken = 1; taken <= 10; taken++) Left(await CallAsync(nodes[taken % 2], key)).ShouldBe(Included - taken, "one after the other, at one and at the other");
        var together = await Task.WhenAll(Enumerable.Range(0, 30).Select(i => CallAsync(nodes[i % 2], key)));
        together.ShouldAllBe(a => a.Status == HttpStatusCode.OK);
        together.Select(Left).ShouldAllBe(left => left >= Included - 40 && left < Included - 10);
        Left(await CallAsync(pair.B, key)).ShouldBe(Included - 41);

        var rest = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => CallAsync(nodes[i % 2], key)));
        rest.Count(a => a.Status == HttpStatusCode.OK).ShouldBe(Included - 41, "exactly what was left, whoever gave it");
        rest.Where(a => a.Status != HttpStatusCode.OK).ShouldAllBe(a => a.Status == HttpStatusCode.TooManyRequests && a.Header("Retry-After") != null);
        foreach (var node in nodes) (await CallAsync(node, key)).Status.ShouldBe(HttpStatusCode.TooManyRequests);
    }

    private static Task<Answered> CallAsync(PaidApi node, string key) => node.CallAsync("/forecast/paris", headers: [("apikey", key)]);

    /// <summary>The item of the allowance: <c>"requests/1mo";r=59;t=…</c>.</summary>
    private static int Left(Answered answer)
    {
        var told = answer.Header("RateLimit").ShouldNotBeNull(answer.Body);
        told.ShouldStartWith("\"requests/1mo\";r=");
        answer.Header("RateLimit-Policy").ShouldNotBeNull().ShouldStartWith($"\"requests/1mo\";q={Included};w=");
        return int.Parse(told["\"requests/1mo\";r=".Length..].Split(';')[0], System.Globalization.CultureInfo.InvariantCulture);
    }

    private static async Task WaitAsync(Func<Task<bool>> isSo)
    {
        for (var wait = 0; !await isSo(); wait++)
        {
            wait.ShouldBeLessThan(300);
            await Task.Delay(100);
        }
    }
}
