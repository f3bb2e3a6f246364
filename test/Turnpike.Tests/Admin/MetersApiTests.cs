using System.Text.Json;

namespace Turnpike.Tests.Admin;

/// <summary>Meters and margins through the Admin API, of records from elsewhere and of calls that were made.</summary>
public sealed class MetersApiTests
{
    private const string Meters = """
        meters:
          tokens: { sum: output_tokens, group-by: [caller] }
          calls: { count: requests }
          teams: { count: requests, group-by: ["header:x-team"] }
        """;

    private const string Days = "window=day&timeZone=Europe/Berlin&from=2026-11-01T00:00:00Z&to=2026-11-05T00:00:00Z";

    private static readonly (string Meter, string Query, string Told)[] Questions =
    [
        ("tokens", Days + "&groupBy=caller", "2026-11-01T23:00Z caller=acme: 10|2026-11-02T23:00Z caller=acme: 16|2026-11-02T23:00Z caller=zeta: 5"),
        ("tokens", Days, "2026-11-01T23:00Z caller=acme: 10|2026-11-02T23:00Z caller=acme: 16|2026-11-02T23:00Z caller=zeta: 5"),
        ("tokens", Days + "&groupBy=model,caller", "2026-11-01T23:00Z model=m1 caller=acme: 10|2026-11-02T23:00Z model=m2 caller=acme: 16|2026-11-02T23:00Z model=m2 caller=zeta: 5"),
        ("tokens", Days + "&groupBy=operation&caller=zeta", "2026-11-02T23:00Z operation=chat: 5"),
        ("tokens", Days + "&groupBy=&model=m2&caller=acme", "2026-11-02T23:00Z: 16"),
        ("tokens", Days + "&caller=nobody", ""),
        ("tokens", "groupBy=caller&from=2026-11-02T23:30:00Z&to=2026-11-03T12:00:00Z", "2026-11-02T23:30Z caller=acme: 20"),
        ("tokens", "window=month&groupBy=&from=2026-11-01T00:00:00Z&to=2026-11-05T00:00:00Z", "2026-11-01T00:00Z: 31"),
        ("calls", Days, "2026-11-01T23:00Z: 1|2026-11-02T23:00Z: 2"),
    ];

    [Fact]
    public async Task Records_from_elsewhere_count_once_are_corrected_and_told_by_day_group_and_filter()
    {
        await using var gateway = await RunningGateway.StartAsync(more: Meters);
        await AddAsync(gateway, "e1", "2026-11-02T22:30:00Z", "acme", "m1", 10);
        await AddAsync(gateway, "e2", "2026-11-02T23:30:00Z", "acme", "m2", 20);
        await AddAsync(gateway, "e3", "2026-11-03T12:00:00Z", "zeta", "m2", 5);
        await AddAsync(gateway, "e2", "2026-11-02T23:30:00Z", "acme", "m2", 999); // the same once more: what was told first stands
        await AddAsync(gateway, "c1", "2026-11-03T13:00:00Z", "acme", "m2", -4, correction: true);
        foreach (var (meter, query, told) in Questions)
            string.Join('|', (await AskAsync(gateway, $"meters/{meter}/query?{query}")).EnumerateArray().Select(Told)).ShouldBe(told, $"{meter}: {query}");
    }

    [Fact]
    public async Task What_cannot_be_asked_of_a_meter_is_said()
    {
        await using var gateway = await RunningGateway.StartAsync(more: Meters);
        foreach (var wrong in (string[])["window=week", "timeZone=Berlin/Mitte", "groupBy=header:x-team", "from=2026-11-05T00:00:00Z&to=2026-11-01T00:00:00Z", "window=minute&from=2020-01-01T00:00:00Z"])
            ((int)(await gateway.GetAsync("/admin/v1/meters/tokens/query?" + wrong)).Status).ShouldBe(400, wrong);
        ((int)(await gateway.GetAsync("/admin/v1/meters/nothing/query")).Status).ShouldBe(404);
        ((int)(await gateway.GetAsync("/admin/v1/usage/margin?groupBy=day")).Status).ShouldBe(400);
    }

    [Fact]
    public async Task Calls_that_were_made_are_told_with_what_they_brought_in_and_cost()
    {
        await using var gateway = await RunningGateway.StartAsync(more: Meters, paid: ", cost: 0.002 USD");
        await gateway.AdminAsync(HttpMethod.Put, "/admin/v1/callers/acme", "{}");
        var key = RunningGateway.Json((await gateway.AdminAsync(HttpMethod.Post, "/admin/v1/callers/acme/keys")).Body).GetProperty("key").GetString()!;
        var token = await gateway.TokenAsync();
        foreach (var (path, team) in ((string, string)[])[("/paid", "red"), ("/paid", "blue"), ("/open", "blue")])
            (await CallAsync(gateway, path, token, ("x-api-key", key), ("x-team", team))).ShouldBe(200);
        (await CallAsync(gateway, "/paid", token)).ShouldBe(200);
        await RecordedAsync(gateway, calls: 4);
        List<string> told = [.. (await AskAsync(gateway, "usage/margin?groupBy=caller,operation")).EnumerateArray().Select(Margin)];
        told.Order(StringComparer.Ordinal).ShouldBe(["caller= operation=paid: 1 calls, 0.01 - 0.002 = 0.008 USD", "caller=acme operation=paid: 2 calls, 0.02 - 0.004 = 0.016 USD"]);
        (await AskAsync(gateway, "usage/margin")).EnumerateArray().Select(Margin).ShouldBe(told, "by caller and operation unless it is said");
        (await AskAsync(gateway, "usage/margin?groupBy=operation&from=2026-11-01T00:00:00Z&to=2026-11-02T00:00:00Z")).GetArrayLength().ShouldBe(0);
        (await AskAsync(gateway, "meters/teams/query?header:x-team=blue&groupBy=header:x-team,operation")).EnumerateArray().Select(p => $"{Group(p)}: {Text(p, "value")}").Order(StringComparer.Ordinal)
            .ShouldBe(["header:x-team=blue operation=open: 1", "header:x-team=blue operation=paid: 1"]);
    }

    private static async Task AddAsync(RunningGateway gateway, string id, string time, string caller, string model, int tokens, bool correction = false) => ((int)(await gateway.AdminAsync(HttpMethod.Post, "/admin/v1/usage",
        $$$"""{"source":"elsewhere","id":"{{{id}}}","time":"{{{time}}}","operation":"chat","caller":"{{{caller}}}","model":"{{{model}}}","units":{"output_tokens":{{{tokens}}}},"correction":{{{(correction ? "true" : "false")}}}}""")).Status).ShouldBe(204);

    private static async Task<int> CallAsync(RunningGateway gateway, string path, string token, params (string, string)[] headers)
    {
        using var answer = await gateway.CallAsync(path, token, headers);
        return (int)answer.StatusCode;
    }

    /// <summary>The last byte reaches the caller before the record is written, with the next transaction.</summary>
    private static async Task RecordedAsync(RunningGateway gateway, int calls)
    {
        for (var tries = 0; ; tries++)
        {
            await gateway.Database.WriteAsync(static _ => { }, default);
            var told = await AskAsync(gateway, "meters/calls/query");
            if (told.GetArrayLength() == 1 && Text(told[0], "value") == $"{calls}") return;
            tries.ShouldBeLessThan(3_000, told.ToString());
            await Task.Delay(20);
        }
    }

    private static async Task<JsonElement> AskAsync(RunningGateway gateway, string path)
    {
        var (status, body) = await gateway.GetAsync("/admin/v1/" + path);
        ((int)status).ShouldBe(200, body);
        return RunningGateway.Json(body).GetProperty("data");
    }

    private static string Told(JsonElement point) => $"{point.GetProperty("from").GetDateTimeOffset().UtcDateTime:yyyy-MM-dd'T'HH:mm'Z'}{(Group(point) is { Length: > 0 } group ? " " + group : "")}: {Text(point, "value")}";

    private static string Margin(JsonElement row) => $"{Group(row)}: {row.GetProperty("calls")} calls, {Text(row, "revenue")} - {Text(row, "cost")} = {Text(row, "margin")} {Text(row, "currency")}";

    private static string Group(JsonElement row) => string.Join(' ', row.GetProperty("group").EnumerateObject().Select(g => $"{g.Name}={g.Value}"));

    private static string? Text(JsonElement row, string name) => row.GetProperty(name).GetString();
}
