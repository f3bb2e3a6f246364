using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Turnpike.EndToEnd.Access;

/// <summary>contract/dataset.yaml as it stands: rights before terms and after, a price per record, step-up, limits on strangers, the incident switch.</summary>
public sealed class DatasetScenarioTests : IAsyncLifetime
{
    private const string Companies = """{"items":[{"name":"a","owner":"Jane"},{"name":"b","owner":"Joe"},{"name":"c","owner":"Jim"}]}""";
    private Scenario scenario = null!;
    private int asked, exported;

    public async ValueTask InitializeAsync() => scenario = await Scenario.StartAsync("dataset.yaml", ("UPSTREAM", app =>
    {
        app.MapGet("/companies", (HttpContext http) =>
        {
            Interlocked.Increment(ref asked);
            return Results.Text(http.Request.Query.ContainsKey("all") ? $$"""{"items":[{{string.Join(',', Enumerable.Repeat("{\"owner\":\"x\"}", 101))}}]}""" : Companies, "application/json");
        });
        app.MapPost("/exports", () => { Interlocked.Increment(ref exported); return Results.Text("{\"export\":1}", "application/json"); });
    }));

    /// <summary>After every story the books balance and the trail verifies.</summary>
    public async ValueTask DisposeAsync()
    {
        try { await scenario.Gateway.BooksBalanceAsync(); }
        finally { await scenario.DisposeAsync(); }
    }

    private Task<Scenario.Answered> SearchAsync(string? key, string? token = null, string path = "/companies") => scenario.CallAsync(HttpMethod.Get, path, key, token);

    private Task<Scenario.Answered> ExportAsync(string? key, string? token = null, string body = """{"format":"csv"}""") => scenario.CallAsync(HttpMethod.Post, "/exports", key, token, body);

    [Fact]
    public async Task A_stranger_gets_401_and_no_terms_and_who_lacks_a_scope_403_and_none_either()
    {
        var stranger = await SearchAsync(null);
        (stranger.Status, stranger.Reason).ShouldBe((401, "identity-required"));
        stranger.Body.ShouldNotContain("offers");
        var analyst = await ExportAsync("ANALYST_KEY");
        (analyst.Status, analyst.Reason).ShouldBe((403, "missing-scope"));
        analyst.Body.ShouldNotContain("offers");
        (await ExportAsync("ANALYST_KEY", await scenario.TokenAsync("10.00 USD"))).Status.ShouldBe(403, "paying changes nothing");
        (asked, exported).ShouldBe((0, 0));
    }

    [Fact]
    public async Task Records_are_paid_one_by_one_and_what_one_may_not_see_is_taken_out()
    {
        var token = await scenario.TokenAsync("1.00 USD");
        var terms = await SearchAsync("ANALYST_KEY");
        (terms.Status, terms.Json!["price"]!["amount"]!.GetValue<string>()).ShouldBe((402, "0.20"), "the most it can be");
        var seen = await SearchAsync("ANALYST_KEY", token);
        (seen.Status, seen.Headers["Turnpike-Cost"], seen.Headers["Turnpike-Remaining"]).ShouldBe((200, "0.006 USD", "0.994 USD"), "three records");
        seen.Json!["items"]!.AsArray().Select(i => i!.AsObject().Select(p => p.Key).Single()).ShouldBe(["name", "name", "name"]);
        (await SearchAsync("EXPORTER_KEY", token)).Body.ShouldBe(Companies);
        var dear = await SearchAsync("ANALYST_KEY", token, "/companies?all=1");
        (dear.Status, dear.Reason).ShouldBe((422, "answer-above-ceiling"), "101 records come to more than was held, so none leaves");
        dear.Body.ShouldNotContain("items");
        (await scenario.CallAsync(HttpMethod.Get, "/balance", token: token)).Json!["available"]!["amount"]!.GetValue<string>().ShouldBe("0.988");
        (await scenario.Gateway.RunAsync("ledger", "verify")).Code.ShouldBe(0);
        (await scenario.Gateway.RunAsync("audit", "verify")).Code.ShouldBe(0);
    }

    [Fact]
    public async Task An_export_is_checked_asks_an_operator_once_a_day_and_is_paid_then()
    {
        var token = await scenario.TokenAsync("10.00 USD");
        var wrong = await ExportAsync("EXPORTER_KEY", token, """{"format":"exe"}""");
        (wrong.Status, wrong.Reason).ShouldBe((400, "schema-mismatch"));
        var waiting = await ExportAsync("EXPORTER_KEY", token);
        (waiting.Status, waiting.Reason, waiting.Headers["Retry-After"]).ShouldBe((403, "approval-required", "30"));
        var url = new Uri(waiting.Json!["approval"]!["url"]!.GetValue<string>());
        (await scenario.CallAsync(HttpMethod.Get, url.PathAndQuery)).Json!["status"]!.GetValue<string>().ShouldBe("pending");
        (await scenario.CallAsync(HttpMethod.Get, "/balance", token: token)).Json!["available"]!["amount"]!.GetValue<string>().ShouldBe("10.00", "nothing is held");
        var (code, said) = await scenario.Gateway.RunAsync("approvals", "approve", url.Segments[^1]);
        code.ShouldBe(0, said);
        said.ShouldContain("approved  exporter  export  2.50 USD");
        for (var i = 0; i < 2; i++) (await ExportAsync("EXPORTER_KEY", token)).Status.ShouldBe(200, "one yes holds a day");
        exported.ShouldBe(2);
        (await scenario.CallAsync(HttpMethod.Get, "/balance", token: token)).Json!["available"]!["amount"]!.GetValue<string>().ShouldBe("5.00");
    }

    [Fact]
    public async Task Terms_are_handed_out_sixty_times_a_minute_and_wrong_proofs_taken_ten_times()
    {
        var flooded = await UntilRefusedAsync(60, () => SearchAsync("ANALYST_KEY"));
        (flooded.Status, flooded.Reason).ShouldBe((429, "too-many-unpaid"));
        var guessing = await UntilRefusedAsync(10, () => SearchAsync("EXPORTER_KEY", "tp_guess"));
        (guessing.Status, guessing.Reason).ShouldBe((429, "too-many-invalid-proofs"));
        guessing.Headers["Retry-After"].ShouldNotBeEmpty();
    }

    /// <summary>The first that is not answered with terms: after so many, and those that came back while they were asked for.</summary>
    private static async Task<Scenario.Answered> UntilRefusedAsync(int aMinute, Func<Task<Scenario.Answered>> call)
    {
        var watch = System.Diagnostics.Stopwatch.StartNew();
        for (var given = 0; ; given++)
        {
            var told = await call();
            if (told.Status == 402 && given < 10 * aMinute) continue;
            given.ShouldBeInRange(aMinute, aMinute + 1 + (int)(aMinute * watch.Elapsed.TotalMinutes));
            return told;
        }
    }

    [Fact]
    public async Task The_incident_switch_leaves_reading_alone_and_is_turned_back()
    {
        var token = await scenario.TokenAsync("1.00 USD");
        (await scenario.AdminAsync(HttpMethod.Put, "incidents/registry", """{"mode":"read-only","reason":"data is being restored"}""")).Status.ShouldBe(200);
        var export = await ExportAsync("EXPORTER_KEY", token);
        (export.Status, export.Reason, export.Json!["detail"]!.GetValue<string>()).ShouldBe((503, "read-only", "data is being restored"));
        (await SearchAsync("ANALYST_KEY", token)).Status.ShouldBe(200);
        (await scenario.Gateway.RunAsync("incidents", "list")).Said.ShouldContain("service:registry  read-only");
        (await scenario.Gateway.RunAsync("incidents", "set", "registry", "normal", "--reason", "restored")).Code.ShouldBe(0);
        (await ExportAsync("EXPORTER_KEY", token)).Reason.ShouldBe("approval-required");
        JsonNode.Parse((await scenario.AdminAsync(HttpMethod.Get, "audit?kind=incident.set")).Body)!["events"]!.AsArray().Count.ShouldBe(2);
    }
}
