using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Metering;

/// <summary>OpenAI's own client, through the gate, paying by the token from a prepaid budget.</summary>
public sealed class OpenAiClientTests : IAsyncLifetime
{
    private const string Script = "openai/chat.mjs";

    private readonly HttpClient http = new(new SocketsHttpHandler { UseProxy = false });
    private LlmStandIn model = null!;
    private TurnpikeProcess gateway = null!;

    public async ValueTask InitializeAsync()
    {
        model = await LlmStandIn.StartAsync();
        gateway = await TurnpikeProcess.StartAsync("llm.yaml", WithoutPlans, ("LLM_UPSTREAM", model.Url.ToString().TrimEnd('/')));
    }

    public async ValueTask DisposeAsync()
    {
        await gateway.DisposeAsync();
        await model.DisposeAsync();
        http.Dispose();
    }

    [Fact]
    public async Task A_stream_without_usage_looks_as_if_nobody_had_asked_and_is_charged_all_the_same()
    {
        var token = await TokenAsync("1.00 USD");
        var call = await ClientScript.RunAsync(Script, gateway.Url, ("TOKEN", token), ("STREAM", "1"));
        call.Status.ShouldBe(200, call.Error);
        call.Json["text"]!.GetValue<string>().ShouldBe(string.Concat(Enumerable.Repeat("wave ", 20)));
        (call.Json["chunks"]!.GetValue<int>(), call.Json["usage"], call.Json["finish"]!.GetValue<string>()).ShouldBe((21, null, "stop"));
        model.Asked.Single().Body.ShouldContain("\"include_usage\":true");
        model.Asked.Single().Key.ShouldBe("Bearer sk-upstream-llm");
        // 10 x 2.50 + 2 x 1.25 + 20 x 10.00 millionths
        (await LeftAsync(token)).ShouldBe("0.9997725");
        var receipt = JsonNode.Parse(await http.GetStringAsync(call.Headers["turnpike-receipt"]))!;
        var explained = await gateway.RunAsync("price", "explain", call.Headers["turnpike-receipt"]);
        explained.Said.ShouldContain("20 output_tokens: 0.0002 USD (10.00 USD for 1000000)", customMessage: explained.Said);
        (receipt["amount"]!["amount"]!.GetValue<string>(), receipt["usage"]!["output_tokens"]!.GetValue<int>(), receipt["usage"]!["source"]!.GetValue<string>()).ShouldBe(("0.0002275", 20, "reported"));
    }

    [Fact]
    public async Task A_stream_with_usage_tells_it()
    {
        var call = await ClientScript.RunAsync(Script, gateway.Url, ("TOKEN", await TokenAsync("1.00 USD")), ("STREAM", "1"), ("USAGE", "1"));
        call.Status.ShouldBe(200, call.Error);
        (call.Json["chunks"]!.GetValue<int>(), call.Json["usage"]!["total_tokens"]!.GetValue<int>()).ShouldBe((22, 32));
    }

    [Fact]
    public async Task An_answer_in_one_piece_says_what_it_cost()
    {
        var call = await ClientScript.RunAsync(Script, gateway.Url, ("TOKEN", await TokenAsync("1.00 USD")));
        call.Status.ShouldBe(200, call.Error);
        // The stand-in sends it in chunks, of unknown length: then the receipt tells, not a header.
        call.Headers.ContainsKey("turnpike-receipt").ShouldBeTrue();
        call.Json["finish"]!.GetValue<string>().ShouldBe("stop");
    }

    [Fact]
    public async Task A_stream_beyond_the_budget_ends_in_a_shape_the_client_understands_and_not_a_nano_dollar_over()
    {
        (model.Words, model.Pause) = (2_000, TimeSpan.Zero);
        var token = await TokenAsync("0.001 USD");
        var call = await ClientScript.RunAsync(Script, gateway.Url, ("TOKEN", token), ("STREAM", "1"));
        call.Status.ShouldBe(200, call.Error);
        (call.Error, call.Json["finish"]!.GetValue<string>()).ShouldBe((null, "length"));
        call.Json["chunks"]!.GetValue<int>().ShouldBeLessThan(500);
        (await LeftAsync(token)).ShouldBe("0.00");
        (await gateway.RunAsync("ledger", "verify")).Code.ShouldBe(0);
    }

    [Fact]
    public async Task A_model_without_a_price_is_refused_in_words_the_client_shows()
    {
        var call = await ClientScript.RunAsync(Script, gateway.Url, ("TOKEN", await TokenAsync("1.00 USD")), ("MODEL", "gpt-9"));
        call.Status.ShouldBe(400);
        model.Asked.ShouldBeEmpty();
    }

    [Fact]
    public async Task Meters_and_the_payers_own_usage_tell_the_same()
    {
        var token = await TokenAsync("1.00 USD");
        await ClientScript.RunAsync(Script, gateway.Url, ("TOKEN", token), ("STREAM", "1"));
        await EndedAsync();
        var asked = JsonNode.Parse(await GetAsync(new Uri(gateway.Admin, "/admin/v1/meters/output_tokens/query?window=hour"), Checkout.Variables()["TURNPIKE_ADMIN_KEY"]))!;
        var point = asked["data"]!.AsArray().ShouldHaveSingleItem()!;
        (point["value"]!.GetValue<string>(), point["group"]!["model"]!.GetValue<string>()).ShouldBe(("20", "gpt-4o-2024-08-06"));
        var own = JsonNode.Parse(await GetAsync(new Uri(gateway.Url, "/usage"), token))!["usage"]!.AsArray().ShouldHaveSingleItem()!;
        (own["calls"]!.GetValue<int>(), own["units"]!["output_tokens"]!.GetValue<int>(), own["cost"]![0]!["amount"]!.GetValue<string>()).ShouldBe((1, 20, "0.0002275"));
    }

    [Fact]
    public async Task A_kill_in_mid_stream_is_charged_for_the_last_checkpoint()
    {
        (model.Words, model.Pause) = (1_000, TimeSpan.FromMilliseconds(20));
        var token = await TokenAsync("1.00 USD");
        var streaming = ClientScript.RunAsync(Script, gateway.Url, ("TOKEN", token), ("STREAM", "1"));
        for (var i = 0; i < 3_000 && model.Said < 150 && !streaming.IsCompleted; i++) await Task.Delay(20);
        if (streaming.IsCompleted) await streaming;
        await gateway.KillAsync();
        await gateway.StartAgainAsync();
        var left = decimal.Parse(await LeftAsync(token), System.Globalization.CultureInfo.InvariantCulture);
        left.ShouldBeLessThan(1m);
        left.ShouldBeGreaterThan(0.99m);
        (await gateway.RunAsync("ledger", "verify")).Code.ShouldBe(0);
    }

    /// <summary>The scenario as far as metering goes: prepaid tokens alone pay.</summary>
    private static string WithoutPlans(string document) =>
        document[..document.IndexOf("\nplans:", StringComparison.Ordinal)].Replace("accept: [plan, prepaid]", "accept: [prepaid]", StringComparison.Ordinal) + "\n";

    private async Task<string> TokenAsync(string budget)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(gateway.Admin, "/admin/v1/tokens")) { Content = new StringContent($$"""{"budget":"{{budget}}"}""", new MediaTypeHeaderValue("application/json")) };
        request.Headers.Authorization = new("Bearer", Checkout.Variables()["TURNPIKE_ADMIN_KEY"]);
        using var answer = await http.SendAsync(request);
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["token"]!.GetValue<string>();
    }

    /// <summary>What is left when nothing is held: the last byte reaches the caller before the books say what it cost.</summary>
    private async Task<string> LeftAsync(string token)
    {
        await EndedAsync();
        return await BalanceAsync(token);
    }

    private Task EndedAsync() => Until.HoldsAsync("a hold ends", async () => JsonNode.Parse(await GetAsync(new Uri(gateway.Admin, "/admin/v1/payments?status=held"), Checkout.Variables()["TURNPIKE_ADMIN_KEY"]))!["payments"]!.AsArray().Count == 0);

    private async Task<string> BalanceAsync(string token) => JsonNode.Parse(await GetAsync(new Uri(gateway.Url, "/balance"), token))!["available"]!["amount"]!.GetValue<string>();

    private async Task<string> GetAsync(Uri url, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.Authorization = new("Bearer", key);
        using var answer = await http.SendAsync(request);
        return await answer.Content.ReadAsStringAsync();
    }
}
