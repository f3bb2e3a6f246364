using System.Net;
using System.Text.Json;
using Turnpike.Admin;
using Turnpike.Admin.Callers;
using Turnpike.Admin.Cli;
using Turnpike.Catalog;

namespace Turnpike.Tests.Admin;

/// <summary>Callers and their keys, by the Admin API and by the command line.</summary>
public sealed class CallersApiTests
{
    private const string Callers = "/admin/v1/callers";

    [Fact]
    public async Task A_caller_is_created_gets_a_key_once_and_is_shown_without_it()
    {
        await using var gateway = await RunningGateway.StartAsync();
        (await gateway.AdminAsync(HttpMethod.Put, Callers + "/bot", """{"plan":"pro","scopes":["a:read","a:write"],"metadata":{"owner":"jane"}}""")).Status.ShouldBe(HttpStatusCode.Created);
        var (status, made) = await gateway.AdminAsync(HttpMethod.Post, Callers + "/bot/keys", """{"valid":"30d","scopes":["a:read"],"methods":["GET"]}""");
        status.ShouldBe(HttpStatusCode.Created);
        var key = RunningGateway.Json(made).GetProperty("key").GetString()!;
        using (var answer = await gateway.CallAsync("/open", headers: ("x-api-key", key))) answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        (gateway.Seen!["Turnpike-Caller"].ToString(), gateway.Seen["Turnpike-Scopes"].ToString()).ShouldBe(("bot", "a:read"));

        var shown = (await gateway.GetAsync(Callers + "/bot")).Body;
        shown.ShouldNotContain(key);
        RunningGateway.Json(shown).GetProperty("keys")[0].GetProperty("hint").GetString().ShouldBe(key[..8] + "…");
        (await gateway.AdminAsync(HttpMethod.Put, Callers + "/bot", "{}")).Status.ShouldBe(HttpStatusCode.OK);
        RunningGateway.Json((await gateway.GetAsync(Callers + "/bot/keys")).Body).GetProperty("keys").EnumerateArray().ShouldAllBe(k => k.GetProperty("key").ValueKind == JsonValueKind.Null);
        (await gateway.GetAsync(Callers + "/nobody/keys")).Status.ShouldBe(HttpStatusCode.NotFound);
        RunningGateway.Json((await gateway.GetAsync(Callers + "/bot")).Body).GetProperty("plan").ValueKind.ShouldBe(JsonValueKind.Null, "PUT replaces");
        RunningGateway.Json((await gateway.GetAsync(Callers)).Body).GetProperty("callers").EnumerateArray().Select(c => c.GetProperty("name").GetString()).ShouldBe(["bot", "named"]);
        RunningGateway.Json((await gateway.GetAsync(Callers + "?limit=1&after=bot")).Body).GetProperty("callers")[0].GetProperty("name").GetString().ShouldBe("named");
    }

    [Fact]
    public async Task Revoking_and_suspending_hold_for_the_next_call()
    {
        await using var gateway = await RunningGateway.StartAsync();
        await gateway.AdminAsync(HttpMethod.Put, Callers + "/bot", "{}");
        async Task<(string Id, string Text)> Make() => RunningGateway.Json((await gateway.AdminAsync(HttpMethod.Post, Callers + "/bot/keys")).Body) is var key ? (key.GetProperty("id").GetString()!, key.GetProperty("key").GetString()!) : default;
        async Task<int> Call(string key)
        {
            using var answer = await gateway.CallAsync("/open", headers: ("x-api-key", key));
            return (int)answer.StatusCode;
        }
        var (one, two) = (await Make(), await Make());
        (await Call(one.Text)).ShouldBe(200);
        (await gateway.AdminAsync(HttpMethod.Post, $"{Callers}/bot/keys/{one.Id}/revoke", """{"reason":"leaked"}""")).Status.ShouldBe(HttpStatusCode.OK);
        ((await Call(one.Text)), (await Call(two.Text))).ShouldBe((401, 200));
        await gateway.AdminAsync(HttpMethod.Post, Callers + "/bot/suspend");
        (await Call(two.Text)).ShouldBe(403);
        await gateway.AdminAsync(HttpMethod.Post, Callers + "/bot/resume");
        (await Call(two.Text)).ShouldBe(200);
        var young = RunningGateway.Json((await gateway.AdminAsync(HttpMethod.Post, Callers + "/bot/keys/roll")).Body).GetProperty("key").GetString()!;
        ((await Call(two.Text)), (await Call(young))).ShouldBe((401, 200));
        await gateway.AdminAsync(HttpMethod.Post, Callers + "/bot/close");
        (await Call(young)).ShouldBe(403);
        Reason(await gateway.AdminAsync(HttpMethod.Post, Callers + "/bot/resume")).ShouldBe("caller-closed");
        Reason(await gateway.AdminAsync(HttpMethod.Put, Callers + "/bot", "{}")).ShouldBe("caller-closed");
        var events = RunningGateway.Json((await gateway.GetAsync($"/admin/v1/audit?kind=key.revoked&reference={one.Id}")).Body).GetProperty("events");
        events[0].GetProperty("detail").GetString().ShouldBe("leaked");
    }

    [Theory]
    [InlineData("PUT", "/named")]
    [InlineData("POST", "/named/suspend")]
    [InlineData("POST", "/named/keys")]
    [InlineData("POST", "/named/keys/roll")]
    public async Task What_the_file_names_belongs_to_the_file(string method, string path)
    {
        await using var gateway = await RunningGateway.StartAsync();
        var answer = await gateway.AdminAsync(new HttpMethod(method), Callers + path, "{}");
        (answer.Status, Reason(answer)).ShouldBe((HttpStatusCode.Conflict, "managed-by-file"));
        RunningGateway.Json((await gateway.GetAsync(Callers + "/named")).Body).GetProperty("managed").GetString().ShouldBe("file");
    }

    [Theory]
    [InlineData("PUT", "/b c", "{}", "a name is")]
    [InlineData("PUT", "/bot", """{"scopes":["a b"]}""", "scopes:")]
    [InlineData("PUT", "/bot", """{"scopes":[null]}""", "scopes:")]
    [InlineData("PUT", "/bot", """{"status":"0"}""", "status:")]
    [InlineData("PUT", "/bot", """{"organisation":"a\nb"}""", "organisation:")]
    [InlineData("PUT", "/bot", """{"metadata":{"a b":"c"}}""", "metadata:")]
    [InlineData("PUT", "/bot", """{"plann":"x"}""", "$.plann")]
    [InlineData("PUT", "/bot", """{"plan":"nope"}""", "no plan 'nope'")]
    [InlineData("PUT", "/bot", """{"plan":"pro","planUntil":"2027-01-31T00:00:00Z","planThen":"nope"}""", "no plan 'nope'")]
    [InlineData("PUT", "/bot", """{"limits":[{"amount":"many requests"}]}""", "limits[0].amount: 'many requests' is no amount")]
    [InlineData("PUT", "/bot", """{"limits":[{"amount":"5 total_tokens"}]}""", "limits[0].amount: only requests and money can be limited at once")]
    [InlineData("PUT", "/bot", """{"limits":[{"amount":"5 total_tokens","per":"1m"}]}""", "nothing sold here tells 'total_tokens'")]
    [InlineData("PUT", "/bot", """{"limits":[{"amount":"5 requests","per":"1m"},{"amount":"6 requests","per":"1m"},{"amount":"7 requests","per":"1m"}]}""", "another limit here is called 'requests-60s-caller'")]
    [InlineData("PUT", "/bot", """{"limits":[{"amount":"${env:ADMIN}","per":"1m"}]}""", "limits[0].amount: environment variable ADMIN is not set")]
    [InlineData("PUT", "/bot", """{"limits":[null]}""", "limits:")]
    [InlineData("PUT", "/bot", """{"limits":[{"amount":"5 requests","key":[null]}]}""", "limits[0].key[0]")]
    [InlineData("PUT", "/bot", """{"signsAs":["me"]}""", "signsAs:")]
    [InlineData("PUT", "/bot", """{"signsAs":[null]}""", "signsAs:")]
    [InlineData("POST", "/there/keys", """{"scopes":["a:read"]}""", "scopes: 'a:read' is no scope of the caller")]
    [InlineData("POST", "/there/keys", """{"operations":["nothing"]}""", "operations:")]
    [InlineData("POST", "/there/keys", """{"methods":["get"]}""", "methods:")]
    [InlineData("POST", "/there/keys", """{"valid":"soon"}""", "valid:")]
    [InlineData("POST", "/there/keys", """{"hash":"sha256:12"}""", "hash:")]
    [InlineData("POST", "/there/keys", """{"boundTo":["me"]}""", "boundTo:")]
    [InlineData("POST", "/there/keys/roll", """{"overlap":"soon"}""", "overlap:")]
    public async Task A_wrong_order_is_a_400_that_says_where(string method, string path, string body, string told)
    {
        await using var gateway = await RunningGateway.StartAsync();
        await gateway.AdminAsync(HttpMethod.Put, Callers + "/there", "{}");
        var answer = await gateway.AdminAsync(new HttpMethod(method), Callers + path, body);
        answer.Status.ShouldBe(HttpStatusCode.BadRequest);
        RunningGateway.Json(answer.Body).GetProperty("detail").GetString()!.ShouldContain(told);
    }

    [Fact]
    public async Task Limits_hold_from_the_next_call_on_and_stay_when_the_status_changes()
    {
        await using var gateway = await RunningGateway.StartAsync();
        async Task<int> Call(string key)
        {
            using var answer = await gateway.CallAsync("/open", headers: ("x-api-key", key));
            return (int)answer.StatusCode;
        }
        await gateway.AdminAsync(HttpMethod.Put, Callers + "/bot", "{}");
        var key = RunningGateway.Json((await gateway.AdminAsync(HttpMethod.Post, Callers + "/bot/keys")).Body).GetProperty("key").GetString()!;
        (await Call(key)).ShouldBe(200);
        const string limits = """[{"amount":"2 requests","per":"1d","for":{"assurance":["bearer"]}}]""";
        (await gateway.AdminAsync(HttpMethod.Put, Callers + "/bot", $$"""{"limits":{{limits}}}""")).Status.ShouldBe(HttpStatusCode.OK);
        (await gateway.AdminAsync(HttpMethod.Post, Callers + "/bot/suspend")).Status.ShouldBe(HttpStatusCode.OK);
        (await gateway.AdminAsync(HttpMethod.Post, Callers + "/bot/resume")).Status.ShouldBe(HttpStatusCode.OK);
        ((await Call(key)), (await Call(key)), (await Call(key))).ShouldBe((200, 200, 429));
        RunningGateway.Json((await gateway.GetAsync(Callers + "/bot")).Body).GetProperty("limits")[0].GetProperty("amount").GetString().ShouldBe("2 requests");
        RunningGateway.Json((await gateway.GetAsync("/admin/v1/audit?kind=caller.changed&caller=bot")).Body).ToString().ShouldContain("limits requests-86400s");
        await gateway.AdminAsync(HttpMethod.Put, Callers + "/bot", "{}");
        (await Call(key)).ShouldBe(200, "PUT replaces: what is left out is nothing");
    }

    [Fact]
    public async Task Whoever_signs_is_one_caller()
    {
        await using var gateway = await RunningGateway.StartAsync(more: "callers: { named: { signs-as: [\"https://file.test\"] } }\nplans: { pro: {} }");
        (await gateway.AdminAsync(HttpMethod.Put, Callers + "/one", """{"signsAs":["https://agent.test/","wallet:0x70997970C51812dc3A010C7d01b50e0d17dc79C8"]}""")).Status.ShouldBe(HttpStatusCode.Created);
        RunningGateway.Json((await gateway.GetAsync(Callers + "/one")).Body).GetProperty("signsAs").EnumerateArray().Select(s => s.GetString()).ShouldBe(["https://agent.test", "wallet:0x70997970c51812dc3a010c7d01b50e0d17dc79c8"]);
        foreach (var taken in new[] { "https://agent.test", "https://file.test" })
        {
            var answer = await gateway.AdminAsync(HttpMethod.Put, Callers + "/two", $$"""{"signsAs":["{{taken}}"]}""");
            (answer.Status, Reason(answer)).ShouldBe((HttpStatusCode.Conflict, "signer-taken"));
        }
        (await gateway.GetAsync(Callers + "/two")).Status.ShouldBe(HttpStatusCode.NotFound, "nothing of it was done");
        await gateway.AdminAsync(HttpMethod.Put, Callers + "/one", "{}");
        (await gateway.AdminAsync(HttpMethod.Put, Callers + "/two", """{"signsAs":["https://agent.test"]}""")).Status.ShouldBe(HttpStatusCode.Created);
        RunningGateway.Json((await gateway.GetAsync(Callers + "/named")).Body).GetProperty("signsAs")[0].GetString().ShouldBe("https://file.test");
    }

    [Fact]
    public async Task A_callers_record_is_counted_from_the_trail()
    {
        await using var gateway = await RunningGateway.StartAsync();
        await gateway.AdminAsync(HttpMethod.Put, Callers + "/bot", "{}");
        var key = RunningGateway.Json((await gateway.AdminAsync(HttpMethod.Post, Callers + "/bot/keys")).Body).GetProperty("key").GetString()!;
        (await gateway.CallAsync("/paid", await gateway.TokenAsync(), ("x-api-key", key))).Dispose();
        (await gateway.CallAsync("/paid", "tp_typo", ("x-api-key", key))).Dispose();
        (await gateway.CallAsync("/paid", await gateway.TokenAsync())).Dispose();
        var record = RunningGateway.Json((await gateway.GetAsync(Callers + "/bot/reputation")).Body);
        (record.GetProperty("paid").GetInt64(), record.GetProperty("delivered").GetInt64(), record.GetProperty("denied").GetInt64()).ShouldBe((1, 1, 1));
        record.GetProperty("refusals").ToString().ShouldBe("""{"unknown-token":1}""");
        RunningGateway.Json((await gateway.GetAsync(Callers + "/bot")).Body).GetProperty("reputation").ToString().ShouldBe("""{"days":90,"paid":1,"disputed":0,"denied":0,"tripped":0}""");
        RunningGateway.Json((await gateway.GetAsync(Callers + "/nobody/reputation")).Body).GetProperty("paid").GetInt64().ShouldBe(0);
    }

    [Fact]
    public async Task A_bound_key_alone_opens_nothing()
    {
        await using var gateway = await RunningGateway.StartAsync();
        await gateway.AdminAsync(HttpMethod.Put, Callers + "/bot", "{}");
        var made = RunningGateway.Json((await gateway.AdminAsync(HttpMethod.Post, Callers + "/bot/keys", """{"boundTo":["wallet:0x70997970C51812dc3A010C7d01b50e0d17dc79C8"]}""")).Body);
        made.GetProperty("boundTo")[0].GetString().ShouldBe("wallet:0x70997970c51812dc3a010c7d01b50e0d17dc79c8");
        using var answer = await gateway.CallAsync("/open", headers: ("x-api-key", made.GetProperty("key").GetString()!));
        RunningGateway.Json(await answer.Content.ReadAsStringAsync()).GetProperty("reason").GetString().ShouldBe("proof-required");
    }

    [Fact]
    public async Task An_imported_hash_is_taken_once()
    {
        await using var gateway = await RunningGateway.StartAsync();
        await gateway.AdminAsync(HttpMethod.Put, Callers + "/bot", "{}");
        var body = $$"""{"hash":"sha256:{{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData("their-old-key"u8))}}"}""";
        (await gateway.AdminAsync(HttpMethod.Post, Callers + "/bot/keys", body)).Status.ShouldBe(HttpStatusCode.Created);
        Reason(await gateway.AdminAsync(HttpMethod.Post, Callers + "/bot/keys", body)).ShouldBe("key-taken");
        using var answer = await gateway.CallAsync("/open", "their-old-key");
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task The_command_line_works_alone_and_beside_a_running_gateway()
    {
        await using var gateway = RunningGateway.Stopped();
        (await RunAsync((o, e) => CallersCommand.PutAsync(gateway.Config, RunningGateway.Environment, "bot", new CallerBody("pro"), false, o, e, default))).Output.ShouldContain("plan      pro");
        var key = await RunAsync((o, e) => CallersCommand.KeyAsync(gateway.Config, RunningGateway.Environment, "bot", new KeyBody(), false, o, e, default));
        key.Code.ShouldBe(0, key.Err);
        await gateway.StartAsync();
        using (var answer = await gateway.CallAsync("/open", key.Output.Trim())) answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await RunAsync((o, e) => CallersCommand.SetStatusAsync(gateway.Config, RunningGateway.Environment, "bot", "suspend", CallerStatus.Suspended, false, o, e, default))).Output.ShouldContain("status    suspended");
        using (var answer = await gateway.CallAsync("/open", key.Output.Trim())) answer.StatusCode.ShouldBe(HttpStatusCode.Forbidden, "the gateway was asked, not the file behind its back");
        var id = RunningGateway.Json((await RunAsync((o, e) => CallersCommand.ShowAsync(gateway.Config, RunningGateway.Environment, "bot", true, o, e, default))).Output).GetProperty("keys")[0].GetProperty("id").GetString()!;
        (await RunAsync((o, e) => CallersCommand.RevokeAsync(gateway.Config, RunningGateway.Environment, id, "leaked", false, o, e, default))).Err.ShouldContain("status    revoked");
        (await RunAsync((o, e) => CallersCommand.ListAsync(gateway.Config, RunningGateway.Environment, false, o, e, default))).Output.ShouldBe($"bot  suspended  pro{Environment.NewLine}named  active  no plan  in the file{Environment.NewLine}");
        (await RunAsync((o, e) => CallersCommand.PutAsync(gateway.Config, RunningGateway.Environment, "named", new CallerBody(), false, o, e, default))).Code.ShouldBe(3);
        var limited = await RunAsync((o, e) => CallersCommand.PutAsync(gateway.Config, RunningGateway.Environment, "agent", new CallerBody(Limits: LimitText.Read(["100 requests per 1m", """{"amount":"2 requests","key":["address"]}"""]), SignsAs: ["https://agent.test"]), false, o, e, default));
        limited.Output.ShouldContain($"limit     100 requests per 1m{Environment.NewLine}limit     2 requests at once by address{Environment.NewLine}signs as  https://agent.test");
        (await RunAsync((o, e) => CallersCommand.PutAsync(gateway.Config, RunningGateway.Environment, "agent", new CallerBody(Limits: LimitText.Read(["{oops"])), false, o, e, default))).Err.ShouldContain("limits[0].amount");
        (await RunAsync((o, e) => CallersCommand.PutAsync(gateway.Config, RunningGateway.Environment, "b c", new CallerBody(), false, o, e, default))).Code.ShouldBe(2);
        (await RunAsync((o, e) => CallersCommand.ShowAsync(gateway.Config, RunningGateway.Environment, "nobody", false, o, e, default))).Code.ShouldBe(3);
    }

    private static string? Reason((HttpStatusCode Status, string Body) answer) => RunningGateway.Json(answer.Body).GetProperty("reason").GetString();

    private static async Task<(int Code, string Output, string Err)> RunAsync(Func<TextWriter, TextWriter, Task<int>> command)
    {
        using var output = new StringWriter();
        using var err = new StringWriter();
        var code = await command(output, err);
        return (code, output.ToString(), err.ToString());
    }
}
