using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Metering;

/// <summary>contract/llm.yaml with its plans: what a caller's plan includes pays by the token, limits and models hold.</summary>
public sealed class PlannedTokensTests : IAsyncLifetime
{
    private readonly HttpClient http = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = Until.Patience };
    private LlmStandIn model = null!;
    private TurnpikeProcess gateway = null!;

    public async ValueTask InitializeAsync()
    {
        model = await LlmStandIn.StartAsync();
        gateway = await TurnpikeProcess.StartAsync("llm.yaml", ("LLM_UPSTREAM", model.Url.ToString().TrimEnd('/')));
    }

    public async ValueTask DisposeAsync()
    {
        await gateway.DisposeAsync();
        await model.DisposeAsync();
        http.Dispose();
    }

    [Fact]
    public async Task An_included_call_is_served_without_a_payment_and_counted_by_its_tokens()
    {
        var (status, body) = await ChatAsync("free-tier-key");
        status.ShouldBe(HttpStatusCode.OK, body);
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(gateway.Admin, "/admin/v1/meters/calls/query"));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Checkout.Variables()["TURNPIKE_ADMIN_KEY"]);
        (await (await http.SendAsync(request)).Content.ReadAsStringAsync()).ShouldContain("tester");
        (await gateway.RunAsync("ledger", "verify")).Code.ShouldBe(0);
    }

    [Fact]
    public async Task An_included_stream_is_served_to_openais_client_and_counted_by_its_tokens()
    {
        var call = await ClientScript.RunAsync("openai/chat.mjs", gateway.Url, ("TOKEN", "free-tier-key"), ("STREAM", "1"), ("MODEL", "gpt-4o-mini"));
        (call.Status, call.Error, call.Json["finish"]!.GetValue<string>()).ShouldBe((200, null, "stop"));
        // The last byte reaches the caller before the books say so.
        await Until.HoldsAsync("12 in and 20 out are used", async () =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(gateway.Url, "/balance"));
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "free-tier-key");
            var told = JsonNode.Parse(await (await http.SendAsync(request)).Content.ReadAsStringAsync())!;
            return told["allowances"]![0]!["used"]!["amount"]!.GetValue<string>() == "32";
        });
        (await gateway.RunAsync("ledger", "verify")).Code.ShouldBe(0);
    }

    [Fact]
    public async Task The_eleventh_call_of_a_minute_waits_and_another_plan_does_not_feel_it()
    {
        // What comes back while they are made may be taken too: one in six seconds.
        var watch = System.Diagnostics.Stopwatch.StartNew();
        var (status, body, served) = (HttpStatusCode.OK, "", -1);
        for (; status == HttpStatusCode.OK && served < 100; served++) (status, body) = await ChatAsync("free-tier-key");
        served.ShouldBeInRange(10, 11 + (int)(watch.Elapsed.TotalSeconds / 6));
        (status, JsonNode.Parse(body)!["limit"]).ShouldSatisfyAllConditions(told => told.status.ShouldBe(HttpStatusCode.TooManyRequests), told => told.Item2.ShouldNotBeNull());
        (await ChatAsync("pro-tier-key")).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_model_without_a_price_is_refused_before_the_upstream_is_asked_and_nobody_pays_for_nothing()
    {
        var (status, _) = await ChatAsync("pro-tier-key", "gpt-unknown");
        ((int)status).ShouldBeInRange(400, 499);
        (await ChatAsync(null)).Status.ShouldBe(HttpStatusCode.PaymentRequired);
        (await ChatAsync("not-a-key")).Status.ShouldBe(HttpStatusCode.Unauthorized);
        model.Asked.ShouldBeEmpty();
    }

    private async Task<(HttpStatusCode Status, string Body)> ChatAsync(string? key, string name = "gpt-4o-mini")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(gateway.Url, "/v1/chat/completions"));
        request.Content = new StringContent($$"""{"model":"{{name}}","messages":[{"role":"user","content":"Say wave."}]}""", new MediaTypeHeaderValue("application/json"));
        if (key is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        using var response = await http.SendAsync(request);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }
}
