using System.Net;
using Turnpike.Admin;
using Turnpike.Admin.Cli;

namespace Turnpike.Tests.Admin;

/// <summary>Plans, limits and their counters by the Admin API and the command line, and what callers see of their own.</summary>
public sealed class PlansAndLimitsApiTests
{
    private const string Api = "/admin/v1/";

    private const string More = """
        plans:
          small: { includes: [{ amount: 5 requests, per: 1d }], limits: [{ amount: 3 requests, per: 1h }] }
          large: { includes: [{ amount: 50 requests, per: 1d }], entitlements: { export: true } }
        limits: { calls: [{ amount: 1 requests, per: 1d, key: [caller], shadow: true, name: strict }] }
        callers: { named: { plan: small } }
        """;

    private static async Task<(RunningGateway Gateway, string Key)> StartAsync()
    {
        var gateway = await RunningGateway.StartAsync(more: More);
        (await gateway.AdminAsync(HttpMethod.Put, Api + "callers/bot", """{"plan":"small"}""")).Status.ShouldBe(HttpStatusCode.Created);
        return (gateway, RunningGateway.Json((await gateway.AdminAsync(HttpMethod.Post, Api + "callers/bot/keys")).Body).GetProperty("key").GetString()!);
    }

    private static async Task<int> CallAsync(RunningGateway gateway, string key)
    {
        using var answer = await gateway.CallAsync("/paid", headers: ("x-api-key", key));
        return (int)answer.StatusCode;
    }

    private static async Task<(HttpStatusCode Status, string Body)> OwnAsync(RunningGateway gateway, string path, params (string, string)[] headers)
    {
        using var answer = await gateway.CallAsync(path, headers: headers);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    private static async Task<(int Code, string Output, string Err)> RunAsync(Func<TextWriter, TextWriter, Task<int>> command)
    {
        using var output = new StringWriter();
        using var err = new StringWriter();
        var code = await command(output, err);
        return (code, output.ToString(), err.ToString());
    }

    [Fact]
    public async Task Who_was_quarantined_is_served_at_once_when_an_operator_turns_it_back_and_is_counted_anew()
    {
        await using var gateway = await RunningGateway.StartAsync(more: "breakers: { loop: { watch: identical-requests, more-than: 4, within: 1h, for: 1h, action: quarantine } }");
        (await gateway.AdminAsync(HttpMethod.Put, Api + "callers/bot", "{}")).Status.ShouldBe(HttpStatusCode.Created);
        var key = RunningGateway.Json((await gateway.AdminAsync(HttpMethod.Post, Api + "callers/bot/keys")).Body).GetProperty("key").GetString()!;
        async Task<int> OpenAsync() => (int)(await OwnAsync(gateway, "/open", ("x-api-key", key))).Status;
        for (var round = 0; round < 2; round++)
        {
            for (var i = 0; i < 4; i++) (await OpenAsync()).ShouldBe(200, $"{round}.{i}");
            (await OpenAsync()).ShouldBe(429);
            (await OpenAsync()).ShouldBe(503);
            (await gateway.AdminAsync(HttpMethod.Put, Api + "incidents/caller:bot", """{"mode":"normal","reason":"mended"}""")).Status.ShouldBe(HttpStatusCode.OK);
        }
        (await OpenAsync()).ShouldBe(200);
    }

    [Fact]
    public async Task A_counter_is_seen_and_let_begin_anew_and_a_shadow_tells_what_it_would_have_refused()
    {
        var (gateway, key) = await StartAsync();
        await using var _ = gateway;
        for (var i = 0; i < 3; i++) (await CallAsync(gateway, key)).ShouldBe(200);
        (await CallAsync(gateway, key)).ShouldBe(429);
        RunningGateway.Json((await gateway.GetAsync(Api + "limits")).Body).GetProperty("limits").EnumerateArray().Select(l => l.GetProperty("id").GetString()).ShouldBe(["limits.calls/strict", "plans.small.limits/requests-3600s"]);
        var counter = RunningGateway.Json((await gateway.GetAsync(Api + "limits/counters?who=bot&limit=plans.small.limits/requests-3600s")).Body).GetProperty("counters")[0];
        (counter.GetProperty("left").GetProperty("amount").GetString(), counter.GetProperty("amount").GetProperty("amount").GetString()).ShouldBe(("0", "3"));
        (await gateway.AdminAsync(HttpMethod.Delete, Api + "limits/counters?limit=plans.small.limits/requests-3600s&who=bot")).Status.ShouldBe(HttpStatusCode.NoContent);
        (await gateway.AdminAsync(HttpMethod.Delete, Api + "limits/counters?limit=plans.small.limits/requests-3600s&who=somebody")).Status.ShouldBe(HttpStatusCode.NotFound);
        (await CallAsync(gateway, key)).ShouldBe(200);
        var shadow = RunningGateway.Json((await gateway.GetAsync(Api + "limits/shadow")).Body).GetProperty("shadows")[0];
        (shadow.GetProperty("limit").GetString(), shadow.GetProperty("caller").GetString(), shadow.GetProperty("calls").GetInt64()).ShouldBe(("limits.calls/strict", "bot", 3));
        RunningGateway.Json((await gateway.GetAsync(Api + "audit?kind=limit.reset")).Body).GetProperty("events").GetArrayLength().ShouldBe(1);
        (await RunAsync((o, e) => GatewayAsk.RunAsync(gateway.Config, RunningGateway.Environment, false, o, e, AdminJson.Readable.LimitList, g => g.GetAsync("limits", AdminJson.Default.LimitList, default), l => l.Limits.Select(LimitsCommand.Line))))
            .Output.ShouldContain("limits.calls/strict  1 requests per 86400s, token-bucket, by caller, in shadow");
    }

    [Fact]
    public async Task A_plan_is_changed_for_a_while_told_and_seen_by_its_caller()
    {
        var (gateway, key) = await StartAsync();
        await using var _ = gateway;
        (await CallAsync(gateway, key)).ShouldBe(200);
        (await gateway.AdminAsync(HttpMethod.Put, Api + "callers/bot/plan", """{"plan":"nothing"}""")).Status.ShouldBe(HttpStatusCode.BadRequest);
        (await gateway.AdminAsync(HttpMethod.Put, Api + "callers/bot/plan", """{"plan":"large","then":"small"}""")).Status.ShouldBe(HttpStatusCode.BadRequest);
        (await gateway.AdminAsync(HttpMethod.Put, Api + "callers/named/plan", """{"plan":"large"}""")).Status.ShouldBe(HttpStatusCode.Conflict);
        (await gateway.AdminAsync(HttpMethod.Put, Api + "callers/nobody/plan", """{"plan":"large"}""")).Status.ShouldBe(HttpStatusCode.NotFound);
        var (status, body) = await gateway.AdminAsync(HttpMethod.Put, Api + "callers/bot/plan", """{"plan":"large","for":"14d","grace":"1d","then":"small"}""");
        (status, RunningGateway.Json(body).GetProperty("planThen").GetString()).ShouldBe((HttpStatusCode.OK, "small"));
        (await CallAsync(gateway, key)).ShouldBe(200);
        gateway.Seen!["Turnpike-Plan"].ToString().ShouldBe("large");
        (await gateway.AdminAsync(HttpMethod.Post, Api + "callers/bot/grants", """{"id":"i-1","amount":"7 requests"}""")).Status.ShouldBe(HttpStatusCode.OK);

        var left = RunningGateway.Json((await gateway.GetAsync(Api + "callers/bot/allowances")).Body);
        left.GetProperty("plan").GetString().ShouldBe("large");
        left.GetProperty("allowances").EnumerateArray().Select(a => (a.GetProperty("feature").GetString(), a.GetProperty("left").GetProperty("amount").GetString())).ShouldBe([("requests/1d", "48"), ("requests/granted", "7")]);
        var balance = RunningGateway.Json((await OwnAsync(gateway, "/balance", ("x-api-key", key))).Body);
        (balance.GetProperty("caller").GetString(), balance.GetProperty("allowances")[0].GetProperty("left").GetProperty("amount").GetString(), balance.GetProperty("planUntil").GetString()).ShouldSatisfyAllConditions(b => b.Item1.ShouldBe("bot"), b => b.Item2.ShouldBe("48"), b => b.Item3.ShouldNotBeNull());
        (await OwnAsync(gateway, "/usage", ("x-api-key", key))).Status.ShouldBe(HttpStatusCode.OK);
        (await OwnAsync(gateway, "/balance", ("x-api-key", key + "x"))).ShouldSatisfyAllConditions(a => a.Status.ShouldBe(HttpStatusCode.Unauthorized), a => a.Body.ShouldContain("unknown-key"));
        (await OwnAsync(gateway, "/usage")).Status.ShouldBe(HttpStatusCode.Unauthorized);
        await gateway.AdminAsync(HttpMethod.Post, Api + "callers/bot/suspend");
        (await OwnAsync(gateway, "/balance", ("x-api-key", key))).Status.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task Plans_are_told_by_the_api_and_by_the_command()
    {
        var (gateway, _) = await StartAsync();
        await using var __ = gateway;
        RunningGateway.Json((await gateway.GetAsync(Api + "plans")).Body).GetProperty("plans").EnumerateArray().Select(p => p.GetProperty("name").GetString()).ShouldBe(["large", "small"]);
        RunningGateway.Json((await gateway.GetAsync(Api + "plans/large")).Body).GetProperty("entitlements").GetProperty("export").GetString().ShouldBe("true");
        (await gateway.GetAsync(Api + "plans/none")).Status.ShouldBe(HttpStatusCode.NotFound);
        (await RunAsync((o, e) => PlansCommand.ListAsync(gateway.Config, RunningGateway.Environment, false, o, e))).Output.ShouldBe("large  50 requests per 1d, then pay\nsmall  5 requests per 1d, then pay\n");
        (await RunAsync((o, e) => PlansCommand.ShowAsync(gateway.Config, RunningGateway.Environment, "small", false, o, e))).Output.ShouldContain("limit     plans.small.limits/requests-3600s  3 requests per 3600s, token-bucket, by caller");
        (await RunAsync((o, e) => PlansCommand.ShowAsync(gateway.Config, RunningGateway.Environment, "none", false, o, e))).Code.ShouldBe(3);
    }
}
