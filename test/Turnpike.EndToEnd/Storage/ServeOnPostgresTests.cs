using System.Globalization;
using System.Net;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Storage;

/// <summary>The real process with its books on PostgreSQL.</summary>
public sealed class ServeOnPostgresTests(Chain chain)
{
    [Fact]
    public async Task A_token_pays_is_exhausted_and_survives_a_kill()
    {
        await using var api = await PaidApi.StartOnAsync(chain, TemporaryDatabase.NewEmpty());
        var token = await api.TokenAsync("0.05 USD");
        (await SpendAsync(api, "/forecast/paris", token)).Status.ShouldBe(HttpStatusCode.OK);
        var again = await api.CallAsync("/forecast/once", headers: [("Authorization", $"Bearer {token}"), ("Idempotency-Key", "k-1")]);
        (await api.CallAsync("/forecast/once", headers: [("Authorization", $"Bearer {token}"), ("Idempotency-Key", "k-1")])).Body.ShouldBe(again.Body);
        await api.Gateway.KillAsync();
        await api.Gateway.StartAgainAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => SpendAsync(api, $"/forecast/{i.ToString(CultureInfo.InvariantCulture)}", token)));
        answers.Count(a => a.Status == HttpStatusCode.OK).ShouldBe(3);
        answers.Count(a => a.Status == HttpStatusCode.PaymentRequired).ShouldBe(17);
        await api.BooksBalanceAsync();
        api.Gateway.Log.ShouldNotContain("s@cret");
        api.Gateway.Log.ShouldNotContain("s%40cret");
        (await api.Gateway.StopAsync()).ShouldBe(0);
        await api.BooksBalanceAsync();
    }

    [Fact]
    public async Task The_command_line_issues_tokens_beside_a_running_gateway()
    {
        await using var api = await PaidApi.StartOnAsync(chain, TemporaryDatabase.NewEmpty());
        var (code, said) = await api.Gateway.RunAsync("tokens", "issue", "--budget", "0.01 USD", "--json");
        code.ShouldBe(0, said);
        var token = System.Text.Json.Nodes.JsonNode.Parse(said)!["token"]!.GetValue<string>();
        (await SpendAsync(api, "/forecast/paris", token)).Status.ShouldBe(HttpStatusCode.OK);
        await api.BooksBalanceAsync();
    }

    private static Task<Answered> SpendAsync(PaidApi api, string path, string token) => api.CallAsync(path, headers: [("Authorization", $"Bearer {token}")]);
}
