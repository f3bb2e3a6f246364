using System.Net;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Nodes;

/// <summary>SIGTERM, on a file: what is inside finishes or is cut, and nothing open is left behind.</summary>
public sealed class DrainTests(Chain chain)
{
    [Fact]
    public async Task Calls_inside_finish_the_door_is_closed_and_the_exit_code_is_0()
    {
        await using var api = await PaidApi.StartOnAsync(chain, null, ("gateway.drain", "60s"));
        var token = await api.TokenAsync("0.10 USD");
        api.Upstream.Mood = UpstreamMood.Hanging;
        var calls = Enumerable.Range(0, 5).Select(_ => SpendAsync(api, token)).ToList();
        foreach (var _ in calls) await api.Upstream.ArrivalAsync();
        api.Gateway.Terminate();
        await Until.HoldsAsync("it says that it goes", async () => (await api.AdminAsync("GET", "/health/ready")).Status == HttpStatusCode.ServiceUnavailable);
        await Until.HoldsAsync("the door is closed", () => Ports.IsClosedAsync(api.Gateway.Url.Port));
        api.Upstream.Release();
        foreach (var call in calls) (await call).Status.ShouldBe(HttpStatusCode.OK);
        (await api.Gateway.EndedAsync()).ShouldBe(0, api.Gateway.Log);
        (await api.Gateway.RunAsync("ledger", "verify", "--json")).Said.Replace(" ", "", StringComparison.Ordinal).ShouldContain("\"openHolds\":0");
        await api.BooksBalanceAsync();
    }

    [Fact]
    public async Task What_has_not_finished_at_the_deadline_is_cut_and_given_back()
    {
        await using var api = await PaidApi.StartOnAsync(chain, null, ("gateway.drain", "1s"));
        var token = await api.TokenAsync("0.01 USD");
        api.Upstream.Mood = UpstreamMood.Hanging;
        var call = SpendAsync(api, token);
        await api.Upstream.ArrivalAsync();
        api.Gateway.Terminate();
        await Should.ThrowAsync<HttpRequestException>(() => call);
        (await api.Gateway.EndedAsync()).ShouldBe(0, api.Gateway.Log);
        (await api.Gateway.RunAsync("ledger", "verify", "--json")).Said.Replace(" ", "", StringComparison.Ordinal).ShouldContain("\"openHolds\":0");
        api.Upstream.Mood = UpstreamMood.Well;
        await api.Gateway.StartAgainAsync();
        (await SpendAsync(api, token)).Status.ShouldBe(HttpStatusCode.OK);
        await api.BooksBalanceAsync();
    }

    [Fact]
    public async Task A_second_signal_stops_at_once()
    {
        await using var api = await PaidApi.StartOnAsync(chain, null, ("gateway.drain", "10m"));
        var token = await api.TokenAsync("0.01 USD");
        api.Upstream.Mood = UpstreamMood.Hanging;
        var call = SpendAsync(api, token);
        await api.Upstream.ArrivalAsync();
        api.Gateway.Terminate();
        await Until.HoldsAsync("it has heard", async () => (await api.AdminAsync("GET", "/health/ready")).Status == HttpStatusCode.ServiceUnavailable);
        api.Gateway.Terminate();
        await Should.ThrowAsync<HttpRequestException>(() => call.WaitAsync(Until.Patience));
        (await api.Gateway.EndedAsync()).ShouldNotBe(0);
        api.Upstream.Mood = UpstreamMood.Well;
        await api.Gateway.StartAgainAsync();
        (await SpendAsync(api, token)).Status.ShouldBe(HttpStatusCode.OK);
    }

    private static Task<Answered> SpendAsync(PaidApi api, string token) => api.CallAsync("/forecast/paris", headers: [("Authorization", $"Bearer {token}")]);
}
