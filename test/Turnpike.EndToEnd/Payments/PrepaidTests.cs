using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Payments;

/// <summary>Prepaid tokens as a person with curl uses them, issued by the command line and by the Admin API.</summary>
public sealed partial class PrepaidTests(PaidApiFixture fixture) : IClassFixture<PaidApiFixture>
{
    private PaidApi Api => fixture.Api;

    [Fact]
    public async Task A_token_from_the_command_line_pays()
    {
        var (code, said) = await Api.Gateway.RunAsync("tokens", "issue", "--budget", "0.02 USD");
        code.ShouldBe(0, said);
        var token = Token().Match(said).Value;
        token.ShouldNotBeEmpty(said);
        var answer = await SpendAsync("/forecast/paris", token);
        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Body);
        answer.Header("Turnpike-Cost").ShouldNotBeNull().ShouldContain("0.01");
        answer.Header("Turnpike-Remaining").ShouldNotBeNull().ShouldContain("0.01");
        answer.Header("Turnpike-Receipt").ShouldNotBeNull();
        answer.Header("Cache-Control").ShouldNotBeNull().ShouldContain("private");
        Api.Upstream.Calls.Single(c => c.Target == "/forecast/paris").Headers.Keys.ShouldNotContain("Authorization");
        (await SpendAsync("/forecast/rome", token)).Status.ShouldBe(HttpStatusCode.OK);
        var empty = await SpendAsync("/forecast/oslo", token);
        empty.Status.ShouldBe(HttpStatusCode.PaymentRequired);
        empty.Reason.ShouldBe("token-exhausted");
    }

    [Fact]
    public async Task A_hundred_concurrent_calls_on_a_budget_for_37_give_37_answers()
    {
        var token = await Api.TokenAsync("0.37 USD");
        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => SpendAsync($"/forecast/{i.ToString(CultureInfo.InvariantCulture)}", token)));
        answers.Count(a => a.Status == HttpStatusCode.OK).ShouldBe(37);
        answers.Count(a => a.Status == HttpStatusCode.PaymentRequired).ShouldBe(63);
        var balance = await SpendAsync("/balance", token);
        balance.Status.ShouldBe(HttpStatusCode.OK);
        await Api.BooksBalanceAsync();
    }

    [Fact]
    public async Task A_mistyped_token_is_402_with_a_reason()
    {
        var token = await Api.TokenAsync("0.10 USD");
        var wrong = token[..^1] + (token[^1] == 'a' ? 'b' : 'a');
        var answer = await SpendAsync("/forecast/paris", wrong);
        answer.Status.ShouldBe(HttpStatusCode.PaymentRequired);
        answer.Reason.ShouldBe("unknown-token");
    }

    [Fact]
    public async Task The_same_idempotency_key_is_charged_once_and_answered_twice()
    {
        var token = await Api.TokenAsync("0.01 USD");
        var first = await Api.CallAsync("/forecast/once", headers: [("Authorization", $"Bearer {token}"), ("Idempotency-Key", "k-1")]);
        var second = await Api.CallAsync("/forecast/once", headers: [("Authorization", $"Bearer {token}"), ("Idempotency-Key", "k-1")]);
        first.Status.ShouldBe(HttpStatusCode.OK, first.Body);
        (second.Status, second.Body).ShouldBe((first.Status, first.Body));
        Api.Upstream.Calls.Count(c => c.Target == "/forecast/once").ShouldBe(1);
    }

    [Fact]
    public async Task A_failing_upstream_costs_nothing()
    {
        await using var own = await PaidApi.StartAsync(Api.Chain);
        var token = await own.TokenAsync("0.01 USD");
        own.Upstream.Mood = UpstreamMood.Failing;
        ((int)(await own.CallAsync("/forecast/paris", headers: ("Authorization", $"Bearer {token}"))).Status).ShouldBeInRange(500, 599);
        own.Upstream.Mood = UpstreamMood.Well;
        (await own.CallAsync("/forecast/paris", headers: ("Authorization", $"Bearer {token}"))).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task The_admin_api_wants_its_key()
    {
        var answer = await Api.AdminAsync("GET", "/admin/v1/tokens");
        answer.Status.ShouldBe(HttpStatusCode.OK);
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        (await http.GetAsync(new Uri(Api.Gateway.Admin, "/admin/v1/tokens"))).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    private Task<Answered> SpendAsync(string path, string token) => Api.CallAsync(path, headers: ("Authorization", $"Bearer {token}"));

    [GeneratedRegex(@"tp_\w+_[\w-]+_[0-9a-z]+")]
    private static partial Regex Token();
}
