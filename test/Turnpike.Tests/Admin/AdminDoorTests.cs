using System.Net;

namespace Turnpike.Tests.Admin;

/// <summary>Who gets in: the right key, and nobody else, and nobody through the callers' door.</summary>
public sealed class AdminDoorTests
{
    [Theory]
    [InlineData(null)]
    [InlineData("wrong")]
    [InlineData(RunningGateway.Key + "x")]
    [InlineData("")]
    public async Task Without_the_right_key_everything_below_admin_is_401_and_recorded(string? key)
    {
        await using var gateway = await RunningGateway.StartAsync();
        var (status, body) = await gateway.AdminAsync(HttpMethod.Get, "/admin/v1/tokens", key: key);
        status.ShouldBe(HttpStatusCode.Unauthorized);
        RunningGateway.Json(body).GetProperty("reason").GetString().ShouldBe("admin-key-required");
        (await gateway.AdminAsync(HttpMethod.Get, "/admin/v1/nothing-here", key: key)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await gateway.AdminAsync(HttpMethod.Get, "/ADMIN/v1/tokens", key: key)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        var events = RunningGateway.Json((await gateway.GetAsync("/admin/v1/audit?kind=admin.denied")).Body).GetProperty("events");
        events.GetArrayLength().ShouldBe(3);
        events[0].GetProperty("address").GetString().ShouldBe("127.0.0.1");
    }

    [Fact]
    public async Task Guessing_is_slowed_down_and_the_right_key_still_opens()
    {
        await using var gateway = await RunningGateway.StartAsync();
        var answers = new List<HttpStatusCode>();
        for (var i = 0; i < 13; i++) answers.Add((await gateway.AdminAsync(HttpMethod.Get, "/admin/v1/tokens", key: "guess" + i)).Status);
        answers.Count(a => a == HttpStatusCode.Unauthorized).ShouldBe(10);
        answers.Skip(10).ShouldAllBe(a => a == HttpStatusCode.TooManyRequests);
        (await gateway.GetAsync("/admin/v1/tokens")).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Without_a_configured_key_nobody_gets_in()
    {
        await using var gateway = await RunningGateway.StartAsync(key: false);
        foreach (var key in new[] { null, "", "x", RunningGateway.Key })
            (await gateway.AdminAsync(HttpMethod.Get, "/admin/v1/config", key: key)).Status.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Theory]
    [InlineData("/admin/v1/tokens")]
    [InlineData("/admin/v1/openapi.json")]
    [InlineData("/health/ready")]
    [InlineData("/metrics")]
    public async Task Nothing_of_it_is_on_the_callers_listener(string path)
    {
        await using var gateway = await RunningGateway.StartAsync();
        using var answer = await gateway.CallAsync(path, RunningGateway.Key, ("Host", gateway.Admin.Authority));
        answer.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task No_answer_shows_a_secret()
    {
        await using var gateway = await RunningGateway.StartAsync();
        await gateway.TokenAsync();
        foreach (var path in new[] { "/admin/v1/config", "/admin/v1/tokens", "/admin/v1/audit", "/admin/v1/payments", "/admin/v1/ledger", "/admin/v1/openapi.json", "/metrics", "/health/ready" })
        {
            var (status, body) = await gateway.GetAsync(path);
            status.ShouldBe(HttpStatusCode.OK, path);
            body.ShouldNotContain("hush", Case.Insensitive, path);
        }
    }

    [Theory]
    [InlineData("/admin/v1/nothing-here", 404, "not-found")]
    [InlineData("/admin/v1/payments?limit=x", 400, "malformed-request")]
    [InlineData("/admin/v1/payments?status=x", 400, "malformed-request")]
    [InlineData("/admin/v1/payments/r_unknown", 404, "not-found")]
    [InlineData("/admin/v1/receipts/r_unknown", 404, "not-found")]
    [InlineData("/admin/v1/tokens/unknown", 404, "not-found")]
    public async Task Every_error_is_a_problem_with_a_reason(string path, int status, string reason)
    {
        await using var gateway = await RunningGateway.StartAsync();
        var answer = await gateway.GetAsync(path);
        ((int)answer.Status).ShouldBe(status);
        RunningGateway.Json(answer.Body).GetProperty("reason").GetString().ShouldBe(reason);
        answer.Body.ShouldNotContain(" at Turnpike");
    }
}
