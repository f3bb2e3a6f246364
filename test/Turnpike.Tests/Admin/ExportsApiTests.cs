using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Turnpike.Gateway;
using Turnpike.Tests.Billing;

namespace Turnpike.Tests.Admin;

/// <summary>The export of use through the Admin API, with a receiver on a port of its own.</summary>
public sealed class ExportsApiTests : IAsyncLifetime
{
    private const string Exports = "/admin/v1/usage/exports";

    private readonly Receiver receiver = new();
    private WebApplication host = null!;
    private RunningGateway gateway = null!;

    public async ValueTask InitializeAsync()
    {
        var builder = GatewaySetup.NewHost();
        builder.Logging.ClearProviders();
        host = builder.Build();
        host.Urls.Add("http://127.0.0.1:0");
        host.MapPost("/events", async (HttpContext http) =>
        {
            using var reader = new StreamReader(http.Request.Body);
            using var request = new HttpRequestMessage { Content = new StringContent(await reader.ReadToEndAsync()) };
            using var answer = receiver.Take(request);
            http.Response.StatusCode = (int)answer.StatusCode;
            await answer.Content.CopyToAsync(http.Response.Body);
        });
        await host.StartAsync();
        gateway = await RunningGateway.StartAsync(more: $"usage-export: {{ meter: {{ cloudevents: {{ url: \"{host.Urls.Single()}/events\" }} }} }}");
    }

    public async ValueTask DisposeAsync()
    {
        await gateway.DisposeAsync();
        await host.StopAsync();
        await host.DisposeAsync();
    }

    [Fact]
    public async Task What_a_receiver_refused_is_listed_revived_and_sent_again_and_counts_once()
    {
        receiver.Instead = (_, body) => body.Contains("\"acme\"", StringComparison.Ordinal) ? Receiver.Says(400, "no such customer") : null;
        await AddAsync("e1", "acme", 1);
        await AddAsync("e2", "acme", 2);
        await AddAsync("e3", "zeta", 3);
        var stuck = await EmptyAsync();
        (stuck.GetProperty("name").GetString(), stuck.GetProperty("dead").GetInt64(), stuck.GetProperty("oldest").ValueKind, stuck.GetProperty("error").ValueKind).ShouldBe(("meter", 2, JsonValueKind.Null, JsonValueKind.Null));
        (await GetAsync("/meter/dead-letters")).GetProperty("deadLetters").EnumerateArray().Select(d => (Text(d, "source"), Text(d, "id"), Text(d, "subject"), d.GetProperty("tries").GetInt64(), Text(d, "error")))
            .ShouldBe([("elsewhere", "e1", "acme", 1, "400: no such customer"), ("elsewhere", "e2", "acme", 1, "400: no such customer")]);
        receiver.Counted.ShouldBe([("zeta", "e3")]);

        receiver.Instead = (_, _) => null;
        (await ReplayAsync("{}")).ShouldBe((200, 2));
        (await EmptyAsync()).GetProperty("dead").GetInt64().ShouldBe(0);
        (await GetAsync("/meter/dead-letters")).GetProperty("deadLetters").GetArrayLength().ShouldBe(0);
        receiver.Arrived.ShouldBe([("zeta", "e3"), ("acme", "e1"), ("acme", "e2")]);

        (await ReplayAsync("""{"from":"2026-11-02T00:00:00Z","to":"2026-11-04T00:00:00Z"}""")).ShouldBe((200, 2));
        await EmptyAsync();
        receiver.Arrived.Skip(3).ShouldBe([("acme", "e2"), ("zeta", "e3")], "under the ids they had");
        receiver.Counted.Count.ShouldBe(3);
        var trail = RunningGateway.Json((await gateway.GetAsync("/admin/v1/audit?kind=usage.replayed&reference=meter")).Body).GetProperty("events");
        trail.EnumerateArray().Select(e => Text(e, "detail")).Order(StringComparer.Ordinal).ShouldBe(["2 events from 2026-11-02 00:00:00Z to 2026-11-04 00:00:00Z", "2 events, dead letters"]);
    }

    [Theory]
    [InlineData("meter", """{"from":"2026-11-02T00:00:00Z"}""", 400)]
    [InlineData("meter", """{"from":"2026-11-02T00:00:00Z","to":"2026-11-02T00:00:00Z"}""", 400)]
    [InlineData("meter", """{"from":"yesterday","to":"today"}""", 400)]
    [InlineData("nobody", "{}", 404)]
    public async Task Nothing_is_sent_again_for_what_is_no_time_and_to_whom_nobody_knows(string name, string body, int status)
    {
        ((int)(await gateway.AdminAsync(HttpMethod.Post, $"{Exports}/{name}/replay", body)).Status).ShouldBe(status);
        ((int)(await gateway.GetAsync($"{Exports}/{name}/dead-letters")).Status).ShouldBe(name == "meter" ? 200 : 404);
    }

    private async Task AddAsync(string id, string caller, int day) => ((int)(await gateway.AdminAsync(HttpMethod.Post, "/admin/v1/usage",
        $$$"""{"source":"elsewhere","id":"{{{id}}}","time":"2026-11-0{{{day}}}T12:00:00Z","operation":"chat","caller":"{{{caller}}}","units":{"output_tokens":5}}""")).Status).ShouldBe(204);

    private async Task<(int Status, long Queued)> ReplayAsync(string body)
    {
        var (status, told) = await gateway.AdminAsync(HttpMethod.Post, Exports + "/meter/replay", body);
        return ((int)status, RunningGateway.Json(told).GetProperty("queued").GetInt64());
    }

    /// <summary>The one destination, once nothing waits for it any more.</summary>
    private async Task<JsonElement> EmptyAsync()
    {
        for (var tries = 0; ; tries++)
        {
            var state = (await GetAsync("")).GetProperty("exports").EnumerateArray().ShouldHaveSingleItem();
            if (state.GetProperty("waiting").GetInt64() == 0) return state;
            tries.ShouldBeLessThan(3_000, state.ToString());
            await Task.Delay(20);
        }
    }

    private async Task<JsonElement> GetAsync(string path) => RunningGateway.Json((await gateway.GetAsync(Exports + path)).Body);

    private static string? Text(JsonElement json, string name) => json.GetProperty(name).GetString();
}
