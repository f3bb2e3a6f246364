using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Metering;

/// <summary>Anthropic's and Google's own clients, through the gate, from recorded streams; paid by the token from a prepaid budget.</summary>
public sealed class LlmClientsTests : IAsyncLifetime
{
    private const string Script = "llm/call.mjs";

    private const string Services = """

        services:
          llm:
            upstream: ${env:LLM_UPSTREAM}
            operations:
              messages:
                match: POST /v1/messages
                usage: anthropic
                price: { ceiling: 0.10 USD, by: $.model, per-million: { claude-haiku-4-5: { input_tokens: 1.00 USD, output_tokens: 5.00 USD } } }
              cancelled:
                match: POST /cancels/v1/messages
                usage: anthropic
                on-hang-up: cancel
                price: { ceiling: 0.10 USD, by: $.model, per-million: { claude-haiku-4-5: { input_tokens: 1.00 USD, output_tokens: 5.00 USD } } }
              generate:
                match: "POST /v1beta/{**rest}"
                usage: gemini
                price: { ceiling: 0.10 USD, per-million: { input_tokens: 1.25 USD, output_tokens: 10.00 USD } }
        """;

    private const string GeminiStream = """
        data: {"candidates":[{"content":{"role":"model","parts":[{"text":"The sea "}]},"index":0}],"usageMetadata":{"promptTokenCount":10,"totalTokenCount":10},"modelVersion":"gemini-2.5-pro"}

        data: {"candidates":[{"content":{"role":"model","parts":[{"text":"is wide."}]},"index":0}],"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":3,"totalTokenCount":13},"modelVersion":"gemini-2.5-pro"}

        data: {"candidates":[{"content":{"role":"model","parts":[{"text":""}]},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":12,"thoughtsTokenCount":5,"totalTokenCount":27},"modelVersion":"gemini-2.5-pro"}

        """;

    private readonly HttpClient http = new(new SocketsHttpHandler { UseProxy = false });
    private ReplayedModel model = null!;
    private TurnpikeProcess gateway = null!;

    public async ValueTask InitializeAsync()
    {
        model = await ReplayedModel.StartAsync();
        gateway = await TurnpikeProcess.StartAsync("llm.yaml", document => document[..document.IndexOf("\nservices:", StringComparison.Ordinal)] + "\n" + Services + "\n", ("LLM_UPSTREAM", model.Url.ToString().TrimEnd('/')));
    }

    public async ValueTask DisposeAsync()
    {
        model.Going.TrySetResult();
        await gateway.DisposeAsync();
        await model.DisposeAsync();
        http.Dispose();
    }

    [Fact]
    public async Task Anthropics_client_streams_text_and_pays_for_what_it_is_told()
    {
        model.Stream = ReplayedModel.Recorded("anthropic/stream_basic.json");
        var (call, left) = await AskAsync("anthropic", "claude-haiku-4-5");
        (call.Error, call.Status, call.Json["stop"]!.GetValue<string>(), call.Json["usage"]!["output_tokens"]!.GetValue<int>()).ShouldBe((null, 200, "end_turn", 21));
        left.ShouldBe(1m - 15 * 0.000001m - 21 * 0.000005m);
    }

    [Fact]
    public async Task Anthropics_client_gets_its_tools_called()
    {
        model.Stream = ReplayedModel.Recorded("anthropic/stream_tool.json");
        var (call, left) = await AskAsync("anthropic", "claude-haiku-4-5");
        (call.Error, call.Status).ShouldBe((null, 200));
        call.Json["tools"]!.AsArray().ShouldNotBeEmpty();
        left.ShouldBe(1m - 15 * 0.000001m - 12 * 0.000005m);
    }

    [Fact]
    public async Task An_error_in_mid_stream_reaches_anthropics_client_as_one_and_what_passed_is_charged()
    {
        var events = ReplayedModel.Recorded("anthropic/stream_basic.json").ReplaceLineEndings("\n").Split("\n\n").Take(4);
        model.Stream = string.Join("\n\n", events) + "\n\nevent: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n";
        var (call, left) = await AskAsync("anthropic", "claude-haiku-4-5");
        call.Error.ShouldNotBeNull().ShouldContain("Overloaded");
        left.ShouldBeInRange(0.999m, 1m - 0.000001m);
    }

    [Fact]
    public async Task Googles_client_streams_and_pays_for_thoughts_too()
    {
        model.Stream = GeminiStream;
        var (call, left) = await AskAsync("gemini", "gemini-2.5-pro");
        (call.Error, call.Status, call.Json["text"]!.GetValue<string>(), call.Json["stop"]!.GetValue<string>()).ShouldBe((null, 200, "The sea is wide.", "STOP"));
        left.ShouldBe(1m - 10 * 0.00000125m - 17 * 0.00001m);
    }

    [Theory]
    [InlineData("anthropic", "claude-haiku-4-5", 3)]
    [InlineData("gemini", "gemini-2.5-pro", 1)]
    public async Task Who_leaves_in_the_middle_pays_what_the_upstream_tells_in_the_end(string client, string name, int leave)
    {
        model.Stream = client == "gemini" ? GeminiStream : ReplayedModel.Recorded("anthropic/stream_basic.json");
        model.WaitsBefore = leave;
        var token = await TokenAsync();
        var call = await ClientScript.RunAsync(Script, gateway.Url, ("CLIENT", client), ("TOKEN", token), ("MODEL", name), ("LEAVE", $"{leave}"));
        call.Json["left"]!.GetValue<bool>().ShouldBeTrue(call.Error);
        model.Going.TrySetResult(); // read on, for the last word
        (await SettledAsync(token)).ShouldBe(client == "gemini" ? 1m - 10 * 0.00000125m - 17 * 0.00001m : 1m - 15 * 0.000001m - 21 * 0.000005m);
    }

    [Fact]
    public async Task Who_leaves_between_the_last_text_and_the_usage_pays_the_usage()
    {
        model.Stream = ReplayedModel.Recorded("anthropic/stream_basic.json");
        var events = model.Stream.ReplaceLineEndings("\n").Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        model.WaitsBefore = Array.FindIndex(events, e => e.Contains("message_delta", StringComparison.Ordinal));
        var token = await TokenAsync();
        // The client tells no pings.
        var call = await ClientScript.RunAsync(Script, gateway.Url, ("CLIENT", "anthropic"), ("TOKEN", token), ("MODEL", "claude-haiku-4-5"), ("LEAVE", $"{events.Take(model.WaitsBefore).Count(e => !e.Contains("event: ping", StringComparison.Ordinal))}"));
        call.Json["left"]!.GetValue<bool>().ShouldBeTrue(call.Error);
        model.Going.TrySetResult();
        (await SettledAsync(token)).ShouldBe(1m - 15 * 0.000001m - 21 * 0.000005m);
    }

    [Theory]
    [InlineData("", 0.00012)] // read on: the provider goes on, and asks for it
    [InlineData("/cancels", 0)]
    public async Task Who_leaves_before_the_first_byte_pays_what_the_upstream_tells_or_nothing_where_that_cancels(string under, double cost)
    {
        (model.Stream, model.Delay) = (ReplayedModel.Recorded("anthropic/stream_basic.json"), TimeSpan.FromSeconds(3));
        var token = await TokenAsync();
        var call = await ClientScript.RunAsync(Script, gateway.Url, ("CLIENT", "anthropic"), ("TOKEN", token), ("MODEL", "claude-haiku-4-5"), ("LEAVE", "0"), ("UNDER", under));
        call.Json["left"]!.GetValue<bool>().ShouldBeTrue(call.Error);
        model.Asked.ShouldBe(1);
        (await SettledAsync(token)).ShouldBe(1m - (decimal)cost);
        (await gateway.RunAsync("ledger", "verify")).Code.ShouldBe(0);
    }

    private async Task<(PaidCall Call, decimal Left)> AskAsync(string client, string name)
    {
        var token = await TokenAsync();
        var call = await ClientScript.RunAsync(Script, gateway.Url, ("CLIENT", client), ("TOKEN", token), ("MODEL", name));
        return (call, await SettledAsync(token));
    }

    private async Task<string> TokenAsync()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(gateway.Admin, "/admin/v1/tokens")) { Content = new StringContent("""{"budget":"1.00 USD"}""", new MediaTypeHeaderValue("application/json")) };
        request.Headers.Authorization = new("Bearer", Checkout.Variables()["TURNPIKE_ADMIN_KEY"]);
        using var answer = await http.SendAsync(request);
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["token"]!.GetValue<string>();
    }

    /// <summary>What is left once nothing is held any more: a token holds nothing when all of it but what was taken is available.</summary>
    private async Task<decimal> SettledAsync(string token)
    {
        for (var tries = 0; ; tries++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(gateway.Admin, "/admin/v1/payments?status=held"));
            request.Headers.Authorization = new("Bearer", Checkout.Variables()["TURNPIKE_ADMIN_KEY"]);
            using var open = await http.SendAsync(request);
            if (JsonNode.Parse(await open.Content.ReadAsStringAsync())!["payments"]!.AsArray().Count == 0) break;
            tries.ShouldBeLessThan(200, "the hold never ends");
            await Task.Delay(50);
        }
        using var asked = new HttpRequestMessage(HttpMethod.Get, new Uri(gateway.Url, "/balance"));
        asked.Headers.Authorization = new("Bearer", token);
        using var told = await http.SendAsync(asked);
        return decimal.Parse(JsonNode.Parse(await told.Content.ReadAsStringAsync())!["available"]!["amount"]!.GetValue<string>(), CultureInfo.InvariantCulture);
    }
}
