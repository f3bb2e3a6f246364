using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Nodes;

/// <summary>A caller that has run away at one node has done so at the other, and after either was killed.</summary>
public sealed class RunawayTests(Chain chain)
{
    [Fact]
    public async Task What_trips_at_one_is_refused_by_the_other_within_a_second_and_by_both_after_a_kill()
    {
        await using var pair = await Pair.StartAsync(chain);
        await AppendAsync(pair, "\nbreakers: { loop: { watch: identical-requests, more-than: 10, within: 10m, for: 10m } }\n");
        await pair.A.AdminAsync("PUT", "/admin/v1/callers/agent", "{}");
        var key = (await pair.A.AdminAsync("POST", "/admin/v1/callers/agent/keys", "{}")).Json["key"]!.GetValue<string>();
        var answers = new List<HttpStatusCode>();
        for (var i = 0; i < 12; i++) answers.Add((await CallAsync(pair.A, key)).Status);
        answers.Count(s => s == HttpStatusCode.OK).ShouldBe(10);
        await Until.WithinASecondAsync("the other refuses it", async () => await CallAsync(pair.B, key) is { Status: not HttpStatusCode.OK, Reason: "abnormal-usage" });
        await pair.A.Gateway.KillAsync();
        await pair.A.Gateway.StartAgainAsync();
        (await CallAsync(pair.A, key)).Reason.ShouldBe("abnormal-usage");
        (await pair.B.AdminAsync("DELETE", "/admin/v1/breakers/loop/agent")).Status.ShouldBe(HttpStatusCode.NoContent);
        await Until.WithinASecondAsync("it is forgiven", async () => (await pair.A.AdminAsync("GET", "/admin/v1/breakers")).Body.Contains("agent", StringComparison.Ordinal) == false);
        for (var i = 0; i < 10; i++) (await CallAsync(pair.A, key)).Status.ShouldBe(HttpStatusCode.OK, "it begins anew");
        (await CallAsync(pair.A, key)).Reason.ShouldBe("abnormal-usage");
    }

    [Fact]
    public async Task What_happened_is_told_once_and_counted_once_by_two_nodes()
    {
        ConcurrentQueue<(string Id, string Body)> taken = [];
        var asked = 0;
        await using var operators = await LoopbackHost.StartAsync(app => app.MapPost("/hook", async (HttpContext http) =>
        {
            using var reader = new StreamReader(http.Request.Body);
            var body = await reader.ReadToEndAsync();
            // The first attempt finds nobody: it is tried again, by whichever node, under the same id.
            if (Interlocked.Increment(ref asked) == 1) return Results.StatusCode(503);
            taken.Enqueue((http.Request.Headers["webhook-id"].ToString(), body));
            return Results.Ok();
        }));
        await using var pair = await Pair.StartAsync(chain);
        await AppendAsync(pair, $$"""

            breakers: { loop: { watch: identical-requests, more-than: 10, within: 10m, for: 10m } }
            notify: { url: "{{operators.Url.GetLeftPart(UriPartial.Authority)}}/hook", secret: "${env:TURNPIKE_TOKEN_SECRET}" }
            """);
        await pair.A.AdminAsync("PUT", "/admin/v1/callers/agent", "{}");
        var key = (await pair.A.AdminAsync("POST", "/admin/v1/callers/agent/keys", "{}")).Json["key"]!.GetValue<string>();
        for (var i = 0; i < 12; i++) await CallAsync(pair.A, key);
        await Until.HoldsAsync("it is told", () => !taken.IsEmpty);
        await Task.Delay(TimeSpan.FromSeconds(3)); // and not again
        asked.ShouldBe(2);
        taken.ShouldHaveSingleItem().Body.ShouldContain("breaker.tripped");
        // Whoever asks counts, both at once and again and again.
        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => (i % 2 == 0 ? pair.A : pair.B).AdminAsync("GET", "/admin/v1/callers/agent")));
        foreach (var one in new[] { await pair.A.AdminAsync("GET", "/admin/v1/callers/agent"), await pair.B.AdminAsync("GET", "/admin/v1/callers/agent") })
            (one.Json["reputation"]!["tripped"]!.GetValue<long>(), one.Json["reputation"]!["denied"]!.GetValue<long>()).ShouldBe((1, 2));
    }

    /// <summary>Adds to the document of both, and waits until both have read it.</summary>
    private static async Task AppendAsync(Pair pair, string text)
    {
        foreach (var node in (PaidApi[])[pair.A, pair.B])
        {
            var before = await VersionAsync(node);
            await File.AppendAllTextAsync(node.Gateway.Config, text);
            await Until.HoldsAsync("the new document is in force", async () => await VersionAsync(node) != before);
        }
    }

    private static async Task<string> VersionAsync(PaidApi at) => (await at.AdminAsync("GET", "/admin/v1/config")).Json["version"]!.GetValue<string>();

    private static Task<Answered> CallAsync(PaidApi api, string key) => api.CallAsync("/status", headers: [("Authorization", $"Bearer {key}")]);
}
