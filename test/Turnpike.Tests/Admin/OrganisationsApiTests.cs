using System.Net;
using System.Text.Json;
using Turnpike.Admin.Callers;
using Turnpike.Admin.Cli;
using Turnpike.Admin.Cli.Accounts;
using Turnpike.Admin.Organisations;

namespace Turnpike.Tests.Admin;

/// <summary>Organisations by the Admin API and by the command line: caps, members and a balance that all of them spend.</summary>
public sealed class OrganisationsApiTests
{
    private const string Acme = "/admin/v1/organisations/Acme%20Corp";
    private const string InFile = "callers: { named: { organisation: Acme Corp } }\norganisations: { Globex: { caps: [{ amount: 9.00 USD, per: 1mo }] } }";

    private static Task<RunningGateway> StartAsync() => RunningGateway.StartAsync(more: InFile, balance: true);

    [Fact]
    public async Task One_that_the_file_does_not_name_is_created_listed_and_shown_with_what_is_spent_and_audited()
    {
        await using var gateway = await StartAsync();
        (await gateway.AdminAsync(HttpMethod.Put, Acme, """{"caps":["0.02 USD per 1mo","0.02 USD each caller"],"note":"pays late"}""")).Status.ShouldBe(HttpStatusCode.Created);
        var (one, two) = (await MemberAsync(gateway, "a"), await MemberAsync(gateway, "b"));
        var token = await gateway.TokenAsync();
        (await CallAsync(gateway, one, token), await CallAsync(gateway, two, token)).ShouldBe((200, 200));
        using (var refused = await gateway.CallAsync("/paid", token, ("x-api-key", one)))
        {
            var told = RunningGateway.Json(await refused.Content.ReadAsStringAsync());
            ((int)refused.StatusCode, told.GetProperty("reason").GetString(), told.GetProperty("level").GetString()).ShouldBe((429, "cap-reached", "organisation"));
        }
        var shown = RunningGateway.Json((await gateway.GetAsync(Acme)).Body);
        (shown.GetProperty("managed").GetString(), shown.GetProperty("note").GetString(), shown.GetProperty("caps")[1].GetString()).ShouldBe(("here", "pays late", "0.02 USD each caller"));
        var spent = shown.GetProperty("spent")[0];
        (spent.GetProperty("cap").GetString(), Amount(spent, "limit"), Amount(spent, "used"), Amount(spent, "left")).ShouldBe(("organisation/1mo", "0.02", "0.02", "0.00"));
        Names(await gateway.GetAsync("/admin/v1/organisations"), "organisations").ShouldBe(["Acme Corp", "Globex"]);
        Names(await gateway.GetAsync("/admin/v1/organisations?limit=1&after=Acme%20Corp"), "organisations").ShouldBe(["Globex"]);

        (await gateway.AdminAsync(HttpMethod.Put, Acme, """{"caps":["0.03 USD per 1mo"]}""")).Status.ShouldBe(HttpStatusCode.OK);
        (await CallAsync(gateway, one, token), await CallAsync(gateway, two, token)).ShouldBe((200, 429));
        (await gateway.AdminAsync(HttpMethod.Put, Acme, "{}")).Status.ShouldBe(HttpStatusCode.OK);
        (await CallAsync(gateway, two, token)).ShouldBe(200, "without caps nothing holds");
        var events = RunningGateway.Json((await gateway.GetAsync("/admin/v1/audit?kind=organisation.changed&reference=Acme%20Corp")).Body).GetProperty("events");
        events.EnumerateArray().Select(e => $"{e.GetProperty("reason").GetString()}: {e.GetProperty("detail").GetString()}").Order().ShouldBe(["changed: 0.03 USD per 1mo each organisation", "changed: no caps", "created: 0.02 USD per 1mo each organisation; 0.02 USD each caller"]);
        (await gateway.Ledger.VerifyAsync(default)).Findings.ShouldBeEmpty();
    }

    [Fact]
    public async Task Callers_join_and_leave_and_those_of_the_file_are_members_who_stay()
    {
        await using var gateway = await StartAsync();
        await gateway.AdminAsync(HttpMethod.Put, Acme, """{"caps":["0.01 USD"]}""");
        await gateway.AdminAsync(HttpMethod.Put, "/admin/v1/organisations/Acme", "{}");
        foreach (var name in new[] { "x", "y" }) await gateway.AdminAsync(HttpMethod.Put, $"/admin/v1/callers/{name}", """{"scopes":["a:read"]}""");
        await gateway.AdminAsync(HttpMethod.Put, "/admin/v1/callers/z", """{"organisation":"Acme"}""");
        var key = await KeyAsync(gateway, "x");
        var token = await gateway.TokenAsync();
        (await gateway.AdminAsync(HttpMethod.Put, Acme + "/members/x")).Status.ShouldBe(HttpStatusCode.OK);
        Members(await gateway.GetAsync(Acme + "/members")).ShouldBe(["named", "x"]);
        Members(await gateway.GetAsync(Acme + "/members?limit=1&after=named")).ShouldBe(["x"]);
        (await CallAsync(gateway, key, token), await CallAsync(gateway, key, token)).ShouldBe((200, 403));
        (await gateway.AdminAsync(HttpMethod.Delete, Acme + "/members/x")).Status.ShouldBe(HttpStatusCode.OK);
        (await CallAsync(gateway, key, token)).ShouldBe(200);
        RunningGateway.Json((await gateway.GetAsync("/admin/v1/callers/x")).Body).GetProperty("scopes")[0].GetString().ShouldBe("a:read", "nothing else of it changed");
        Reason(await gateway.AdminAsync(HttpMethod.Delete, Acme + "/members/y")).ShouldBe("not-found");
        Reason(await gateway.AdminAsync(HttpMethod.Put, Acme + "/members/named")).ShouldBe("managed-by-file");
        Reason(await gateway.AdminAsync(HttpMethod.Put, Acme + "/members/nobody")).ShouldBe("not-found");
        Reason(await gateway.AdminAsync(HttpMethod.Put, "/admin/v1/organisations/Nobody/members/x")).ShouldBe("not-found");
    }

    [Fact]
    public async Task Suspended_it_has_no_caller_that_is_served_and_it_is_deleted_only_without_callers_and_money()
    {
        await using var gateway = await RunningGateway.StartAsync(more: InFile + "\n", balance: true);
        await gateway.AdminAsync(HttpMethod.Put, Acme, """{"caps":["0.03 USD per 1mo"],"note":"pays late"}""");
        var (key, token) = (await MemberAsync(gateway, "a"), await gateway.TokenAsync());
        (await CallAsync(gateway, key, token)).ShouldBe(200);
        foreach (var _ in (int[])[1, 2]) (await gateway.AdminAsync(HttpMethod.Post, Acme + "/suspend")).Status.ShouldBe(HttpStatusCode.OK);
        using (var refused = await gateway.CallAsync("/paid", token, ("x-api-key", key)))
        {
            var told = RunningGateway.Json(await refused.Content.ReadAsStringAsync());
            ((int)refused.StatusCode, told.GetProperty("reason").GetString(), told.GetProperty("detail").GetString()).ShouldBe((403, "caller-suspended", "'Acme Corp', to which 'a' belongs, is suspended."));
        }
        using (var open = await gateway.CallAsync("/open", null, ("x-api-key", key))) ((int)open.StatusCode).ShouldBe(403, "nothing is served, free or not");
        var shown = RunningGateway.Json((await gateway.GetAsync(Acme)).Body);
        (shown.GetProperty("status").GetString(), shown.GetProperty("note").GetString(), shown.GetProperty("caps").GetArrayLength()).ShouldBe(("suspended", "pays late", 1), "only the status changed");
        (await gateway.AdminAsync(HttpMethod.Post, Acme + "/resume")).Status.ShouldBe(HttpStatusCode.OK);
        (await CallAsync(gateway, key, token)).ShouldBe(200);
        (await gateway.AdminAsync(HttpMethod.Put, Acme, """{"status":"suspended"}""")).Status.ShouldBe(HttpStatusCode.OK);
        (await CallAsync(gateway, key, token)).ShouldBe(403);

        Reason(await gateway.AdminAsync(HttpMethod.Delete, Acme)).ShouldBe("organisation-has-callers");
        await gateway.AdminAsync(HttpMethod.Delete, Acme + "/members/a");
        Reason(await gateway.AdminAsync(HttpMethod.Delete, Acme)).ShouldBe("organisation-has-callers", "one of the file names it, too");
        (await gateway.AdminAsync(HttpMethod.Put, "/admin/v1/organisations/Other", "{}")).Status.ShouldBe(HttpStatusCode.Created);
        await gateway.AdminAsync(HttpMethod.Post, "/admin/v1/organisations/Other/grants", """{"id":"i-1","amount":"0.05 USD"}""");
        Reason(await gateway.AdminAsync(HttpMethod.Delete, "/admin/v1/organisations/Other")).ShouldBe("organisation-has-money");
        await gateway.AdminAsync(HttpMethod.Post, "/admin/v1/organisations/Other/grants/i-1/take-back");
        (await gateway.AdminAsync(HttpMethod.Delete, "/admin/v1/organisations/Other")).Status.ShouldBe(HttpStatusCode.OK);
        (await gateway.GetAsync("/admin/v1/organisations/Other")).Status.ShouldBe(HttpStatusCode.NotFound);
        Reason(await gateway.AdminAsync(HttpMethod.Delete, "/admin/v1/organisations/Other")).ShouldBe("not-found");
        foreach (var verb in (string[])["suspend", "resume"]) Reason(await gateway.AdminAsync(HttpMethod.Post, "/admin/v1/organisations/Globex/" + verb)).ShouldBe("managed-by-file");
        Reason(await gateway.AdminAsync(HttpMethod.Delete, "/admin/v1/organisations/Globex")).ShouldBe("managed-by-file");
        Reason(await gateway.AdminAsync(HttpMethod.Post, "/admin/v1/organisations/Nobody/suspend")).ShouldBe("not-found");
        var events = RunningGateway.Json((await gateway.GetAsync("/admin/v1/audit?kind=organisation.changed&reference=Other")).Body).GetProperty("events");
        events.EnumerateArray().Select(e => e.GetProperty("reason").GetString()).Order().ShouldBe(["created", "deleted"]);
        (await gateway.Ledger.VerifyAsync(default)).Findings.ShouldBeEmpty();
    }

    [Fact]
    public async Task One_of_the_file_is_suspended_there()
    {
        await using var gateway = await RunningGateway.StartAsync(more: "organisations: { Acme Corp: { status: suspended, caps: [{ amount: 5.00 USD }] } }");
        var (key, token) = (await MemberAsync(gateway, "a"), await gateway.TokenAsync());
        (await CallAsync(gateway, key, token)).ShouldBe(403);
        RunningGateway.Json((await gateway.GetAsync(Acme)).Body).GetProperty("status").GetString().ShouldBe("suspended");
    }

    [Fact]
    public async Task Its_balance_is_spent_by_all_its_callers_after_their_own_and_what_is_unused_is_taken_back()
    {
        await using var gateway = await StartAsync();
        await gateway.AdminAsync(HttpMethod.Put, Acme, "{}");
        var (one, two) = (await MemberAsync(gateway, "a"), await MemberAsync(gateway, "b"));
        (await gateway.AdminAsync(HttpMethod.Post, Acme + "/grants", """{"id":"i-1","amount":"0.05 USD"}""")).Status.ShouldBe(HttpStatusCode.OK);
        (await gateway.AdminAsync(HttpMethod.Post, Acme + "/grants", """{"id":"i-1","amount":"0.05 USD"}""")).Status.ShouldBe(HttpStatusCode.OK, "the same again gives nothing more");
        Reason(await gateway.AdminAsync(HttpMethod.Post, Acme + "/grants", """{"id":"i-1","amount":"0.06 USD"}""")).ShouldBe("grant-exists");
        await gateway.AdminAsync(HttpMethod.Post, Acme + "/grants", """{"id":"gift","amount":"0.01 USD","kind":"promotional","priority":1}""");
        await gateway.AdminAsync(HttpMethod.Post, "/admin/v1/callers/a/grants", """{"id":"own","amount":"0.01 USD","kind":"paid","priority":900}""");
        (await CallAsync(gateway, one), await CallAsync(gateway, two), await CallAsync(gateway, two)).ShouldBe((200, 200, 200));
        Left(await gateway.GetAsync("/admin/v1/callers/a/grants")).ShouldBe(["own 0.00"], "its own first, whatever its priority");
        Left(await gateway.GetAsync(Acme + "/grants")).ShouldBe(["gift 0.00", "i-1 0.04"]);
        gateway.Fails = true;
        (await CallAsync(gateway, one)).ShouldBe(500);
        gateway.Fails = false;
        // The answer reaches the caller before the books know that nothing was delivered.
        for (var tries = 0; Amount(RunningGateway.Json((await gateway.GetAsync(Acme)).Body), "available", 0) != "0.04"; tries++)
        {
            tries.ShouldBeLessThan(1000, "what was not delivered never came back");
            await Task.Delay(20);
        }
        using (var answer = await gateway.CallAsync("/balance", one))
        {
            var grants = RunningGateway.Json(await answer.Content.ReadAsStringAsync()).GetProperty("balance").GetProperty("grants");
            grants.EnumerateArray().Select(g => $"{g.GetProperty("id").GetString()} {g.GetProperty("shared").GetBoolean()}").ShouldBe(["i-1 True"]);
        }
        Amount(RunningGateway.Json((await gateway.AdminAsync(HttpMethod.Post, Acme + "/grants/i-1/take-back", """{"reason":"moved"}""")).Body), "taken").ShouldBe("0.04");
        (await CallAsync(gateway, one), await CallAsync(gateway, two)).ShouldBe((402, 402));
        Reason(await gateway.AdminAsync(HttpMethod.Post, "/admin/v1/organisations/Nobody/grants", """{"id":"i","amount":"1.00 USD"}""")).ShouldBe("not-found");
        (await gateway.GetAsync("/admin/v1/organisations/Nobody/grants")).Status.ShouldBe(HttpStatusCode.NotFound);
        (await gateway.Ledger.VerifyAsync(default)).Findings.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("PUT", "/admin/v1/organisations/Globex", """{"caps":[]}""", 409, "named in the file")]
    [InlineData("PUT", "/admin/v1/organisations/a%2Fb", "{}", 400, "without '/'")]
    [InlineData("PUT", "/admin/v1/organisations/%C3%A4", "{}", 400, "printable ASCII")]
    [InlineData("PUT", Acme, """{"caps":["a lot"]}""", 400, "caps:")]
    [InlineData("PUT", Acme, """{"caps":["5 requests"]}""", 400, "caps:")]
    [InlineData("PUT", Acme, """{"cap":[]}""", 400, "$.cap")]
    [InlineData("PUT", Acme, """{"status":"closed"}""", 400, "status:")]
    [InlineData("POST", "/admin/v1/organisations/Globex/grants", """{"id":"i","amount":"1.00 USD","kind":"plan"}""", 400, "kind:")]
    [InlineData("POST", "/admin/v1/organisations/Globex/grants", """{"id":"i","amount":"5 requests"}""", 400, "a balance is money")]
    public async Task A_wrong_order_is_refused_and_says_where(string method, string path, string body, int status, string told)
    {
        await using var gateway = await StartAsync();
        var answer = await gateway.AdminAsync(new HttpMethod(method), path, body);
        ((int)answer.Status).ShouldBe(status);
        RunningGateway.Json(answer.Body).GetProperty("detail").GetString()!.ShouldContain(told);
    }

    [Fact]
    public async Task What_the_file_says_of_it_goes_before_what_was_said_here()
    {
        await using var gateway = await RunningGateway.StartAsync(more: "organisations: { Acme Corp: { caps: [{ amount: 0.01 USD }] } }");
        await gateway.Database.WriteAsync(sql => sql.Run("insert into organisations (name, facts, created, changed) values ($1, $2, 0, 0)", "Acme Corp", """{"caps":["5.00 USD each organisation"]}"""), default);
        var key = await MemberAsync(gateway, "a");
        var token = await gateway.TokenAsync();
        (await CallAsync(gateway, key, token), await CallAsync(gateway, key, token)).ShouldBe((200, 403));
        RunningGateway.Json((await gateway.GetAsync(Acme)).Body).GetProperty("managed").GetString().ShouldBe("file");
        Names(await gateway.GetAsync("/admin/v1/organisations"), "organisations").ShouldBe(["Acme Corp"]);
    }

    [Fact]
    public async Task The_command_line_works_alone_and_beside_a_running_gateway()
    {
        await using var gateway = RunningGateway.Stopped();
        (await PutAsync(gateway, "Acme Corp", "5.00 USD per 1mo")).Output.ShouldContain("spent         organisation/1mo  0.00 of 5.00 USD, anew at ");
        (await RunAsync((o, e) => CallersCommand.PutAsync(gateway.Config, RunningGateway.Environment, "bot", new CallerBody(), false, o, e, default))).Code.ShouldBe(0);
        (await RunAsync((o, e) => OrganisationsCommand.JoinAsync(gateway.Config, RunningGateway.Environment, "Acme Corp", "bot", true, false, o, e, default))).Output.Trim().ShouldBe("bot  belongs to Acme Corp");
        await gateway.StartAsync();
        var (key, token) = (await KeyAsync(gateway, "bot"), await gateway.TokenAsync());
        (await CallAsync(gateway, key, token)).ShouldBe(200);
        (await PutAsync(gateway, "Acme Corp", "0.01 USD per 1mo")).Code.ShouldBe(0);
        (await CallAsync(gateway, key, token)).ShouldBe(429, "the gateway was asked, not the file behind its back");
        (await RunAsync((o, e) => OrganisationsCommand.MembersAsync(gateway.Config, RunningGateway.Environment, "Acme Corp", false, o, e, default))).Output.Trim().ShouldBe("bot");
        (await RunAsync((o, e) => OrganisationsCommand.ListAsync(gateway.Config, RunningGateway.Environment, false, o, e, default))).Output.Trim().ShouldBe("Acme Corp  0.01 USD per 1mo each organisation");
        (await RunAsync((o, e) => OrganisationsCommand.JoinAsync(gateway.Config, RunningGateway.Environment, "Acme Corp", "bot", false, false, o, e, default))).Output.Trim().ShouldBe("bot  belongs to nobody");
        (await CallAsync(gateway, key, token)).ShouldBe(200);
        (await ChangeAsync(gateway, "suspend", "Acme Corp")).ShouldSatisfyAllConditions(r => r.Code.ShouldBe(0), r => r.Output.ShouldContain("Acme Corp, suspended"));
        (await ChangeAsync(gateway, "resume", "Acme Corp")).Code.ShouldBe(0);
        (await ChangeAsync(gateway, "delete", "Acme Corp")).Output.Trim().ShouldBe("Acme Corp  deleted");
        (await ChangeAsync(gateway, "delete", "Acme Corp")).Code.ShouldBe(3);
        (await PutAsync(gateway, "a/b", "1.00 USD")).Code.ShouldBe(2);
        (await RunAsync((o, e) => OrganisationsCommand.ShowAsync(gateway.Config, RunningGateway.Environment, "Nobody", false, o, e, default))).Code.ShouldBe(3);
    }

    private static Task<(int Code, string Output)> ChangeAsync(RunningGateway gateway, string verb, string name) =>
        RunAsync((o, e) => OrganisationsCommand.ChangeAsync(gateway.Config, RunningGateway.Environment, name, verb, false, o, e, default));

    private static Task<(int Code, string Output)> PutAsync(RunningGateway gateway, string name, string cap) =>
        RunAsync((o, e) => OrganisationsCommand.PutAsync(gateway.Config, RunningGateway.Environment, name, new OrganisationBody([cap]), false, o, e, default));

    private static async Task<string> MemberAsync(RunningGateway gateway, string caller)
    {
        await gateway.AdminAsync(HttpMethod.Put, $"/admin/v1/callers/{caller}", """{"organisation":"Acme Corp"}""");
        return await KeyAsync(gateway, caller);
    }

    private static async Task<string> KeyAsync(RunningGateway gateway, string caller) =>
        RunningGateway.Json((await gateway.AdminAsync(HttpMethod.Post, $"/admin/v1/callers/{caller}/keys")).Body).GetProperty("key").GetString()!;

    private static async Task<int> CallAsync(RunningGateway gateway, string key, string? token = null)
    {
        using var answer = await gateway.CallAsync("/paid", token, ("x-api-key", key));
        return (int)answer.StatusCode;
    }

    private static string? Amount(JsonElement of, string name, int? at = null) => (at is { } index ? of.GetProperty(name)[index] : of.GetProperty(name)).GetProperty("amount").GetString();

    private static IEnumerable<string?> Names((HttpStatusCode Status, string Body) answer, string list) => RunningGateway.Json(answer.Body).GetProperty(list).EnumerateArray().Select(o => o.GetProperty("name").GetString());

    private static IEnumerable<string?> Members((HttpStatusCode Status, string Body) answer) => RunningGateway.Json(answer.Body).GetProperty("members").EnumerateArray().Select(m => m.GetString());

    private static IEnumerable<string> Left((HttpStatusCode Status, string Body) answer) => RunningGateway.Json(answer.Body).GetProperty("grants").EnumerateArray().Select(g => $"{g.GetProperty("id").GetString()} {Amount(g, "left")}");

    private static string? Reason((HttpStatusCode Status, string Body) answer) => RunningGateway.Json(answer.Body).GetProperty("reason").GetString();

    private static async Task<(int Code, string Output)> RunAsync(Func<TextWriter, TextWriter, Task<int>> command)
    {
        using var output = new StringWriter();
        var code = await command(output, output);
        return (code, output.ToString());
    }
}
