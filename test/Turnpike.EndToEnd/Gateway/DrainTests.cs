using System.Net;
using System.Text.Json.Nodes;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Gateway;

/// <summary>SIGTERM on the real process: what is under way ends well, or is cut at the deadline with nothing taken.</summary>
public sealed class DrainTests(Chain chain) : IAsyncLifetime
{
    private PaidApi api = null!;

    public async ValueTask InitializeAsync() => api = await PaidApi.StartAsync(chain);

    public ValueTask DisposeAsync() => api.DisposeAsync();

    [Fact]
    public async Task A_call_under_way_is_answered_a_new_one_is_not_taken_and_the_exit_is_clean()
    {
        var token = await api.TokenAsync("1.00 USD");
        // The upstream takes a second and a half: a long call is not cut early.
        api.Upstream.Mood = UpstreamMood.Slow;
        var paid = api.CallAsync("/forecast/rome", headers: ("Authorization", $"Bearer {token}"));
        await api.Upstream.ArrivalAsync();
        var stopped = api.Gateway.StopAsync();
        var late = await Late();
        (late is null or HttpStatusCode.ServiceUnavailable).ShouldBeTrue($"a new call was answered {late}");
        (await paid).Status.ShouldBe(HttpStatusCode.OK);
        (await stopped).ShouldBe(0);
        await ClosedBooksAsync();
    }

    [Fact]
    public async Task A_call_that_does_not_end_is_cut_at_the_deadline_and_its_money_goes_back()
    {
        await api.Gateway.KillAsync();
        var text = await File.ReadAllTextAsync(api.Gateway.Config);
        await File.WriteAllTextAsync(api.Gateway.Config, text.Replace("\ngateway:\n", "\ngateway:\n  drain: 1s\n", StringComparison.Ordinal));
        await api.Gateway.StartAgainAsync();
        var token = await api.TokenAsync("1.00 USD");
        api.Upstream.Mood = UpstreamMood.Hanging;
        var paid = api.CallAsync("/forecast/rome", headers: ("Authorization", $"Bearer {token}"));
        await api.Upstream.ArrivalAsync();
        (await api.Gateway.StopAsync()).ShouldBe(0);
        await Should.ThrowAsync<HttpRequestException>(paid);
        await ClosedBooksAsync();
        await api.Gateway.StartAgainAsync();
        (await api.CallAsync("/balance", headers: ("Authorization", $"Bearer {token}"))).Json["available"]!["amount"]!.GetValue<string>().ShouldBe("1.00");
    }

    private async Task<HttpStatusCode?> Late()
    {
        await Task.Delay(300);
        try { return (await api.CallAsync("/status")).Status; }
        catch (HttpRequestException) { return null; }
    }

    private async Task ClosedBooksAsync()
    {
        var (code, said) = await api.Gateway.RunAsync("ledger", "verify", "--json");
        code.ShouldBe(0, said);
        JsonNode.Parse(said)!["openHolds"]!.GetValue<long>().ShouldBe(0, said);
        await api.BooksBalanceAsync();
    }
}
