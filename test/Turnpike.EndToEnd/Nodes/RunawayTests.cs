using System.Net;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Nodes;

/// <summary>A caller that has run away at one node has done so at the other, and after either was killed.</summary>
public sealed class RunawayTests(Chain chain)
{
    [Fact]
    public async Task What_trips_at_one_is_refused_by_the_other_within_a_second_and_by_both_after_a_kill()
    {
        await using var pair = await Pair.StartAsync(chain);
        foreach (var node in (PaidApi[])[pair.A, pair.B])
            await File.AppendAllTextAsync(node.Gateway.Config, "\nbreakers: { loop: { watch: identical-requests, more-than: 10, within: 60s, for: 5m } }\n");
        await Task.Delay(TimeSpan.FromSeconds(2));
        await pair.A.AdminAsync("PUT", "/admin/v1/callers/agent", "{}");
        var key = (await pair.A.AdminAsync("POST", "/admin/v1/callers/agent/keys", "{}")).Json["key"]!.GetValue<string>();
        var answers = new List<HttpStatusCode>();
        for (var i = 0; i < 12; i++) answers.Add((await CallAsync(pair.A, key)).Status);
        answers.Count(s => s == HttpStatusCode.OK).ShouldBe(10);
        await Task.Delay(TimeSpan.FromSeconds(1));
        (await CallAsync(pair.B, key)).Reason.ShouldBe("abnormal-usage");
        await pair.A.Gateway.KillAsync();
        await pair.A.Gateway.StartAgainAsync();
        (await CallAsync(pair.A, key)).Reason.ShouldBe("abnormal-usage");
        (await pair.B.AdminAsync("DELETE", "/admin/v1/breakers/loop/agent")).Status.ShouldBe(HttpStatusCode.NoContent);
        await Task.Delay(TimeSpan.FromSeconds(1));
        (await CallAsync(pair.A, key)).Status.ShouldBe(HttpStatusCode.OK);
    }

    private static Task<Answered> CallAsync(PaidApi api, string key) => api.CallAsync("/status", headers: [("Authorization", $"Bearer {key}")]);
}
