using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Metering;

/// <summary>Anthropic's, Google's and OpenAI's own clients, through the gate, from recorded streams; paid by the token from a prepaid budget.</summary>
public sealed class LlmClientsTests(LlmClientsTests.Rig rig) : IClassFixture<LlmClientsTests.Rig>
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
                match: "POST /v1beta/models/{model}"
                usage: gemini
                price: { ceiling: 0.10 USD, by: "path:model", per-million: { gemini-2.5-pro: { input_tokens: 1.25 USD, output_tokens: 10.00 USD } } }
              generate-cancelled:
                match: "POST /cancels/v1beta/models/{model}"
                usage: gemini
                on-hang-up: cancel
                price: { ceiling: 0.10 USD, by: "path:model", per-million: { gemini-2.5-pro: { input_tokens: 1.25 USD, output_tokens: 10.00 USD } } }
              chat:
                match: POST /v1/chat/completions
                usage: openai
                price: { ceiling: 0.10 USD, by: $.model, default-max-tokens: 300, per-million: { gpt-4o: { input_tokens: 2.50 USD, output_tokens: 10.00 USD } } }
              chat-cancelled:
                match: POST /cancels/v1/chat/completions
                usage: openai
                on-hang-up: cancel
                price: { ceiling: 0.10 USD, by: $.model, default-max-tokens: 300, per-million: { gpt-4o: { input_tokens: 2.50 USD, output_tokens: 10.00 USD } } }
              responses:
                match: POST /v1/responses
                usage: openai-responses
                price: { ceiling: 0.10 USD, by: $.model, per-million: { gpt-4.1-mini: { input_tokens: 0.40 USD, output_tokens: 1.60 USD } } }
        """;

    private const string OpenAiStream = """
        data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-4o-2024-08-06","choices":[{"index":0,"delta":{"role":"assistant","content":"The sea "},"finish_reason":null}],"usage":null}

        data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-4o-2024-08-06","choices":[{"index":0,"delta":{"content":"is wide."},"finish_reason":null}],"usage":null}

        data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-4o-2024-08-06","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}

        data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-4o-2024-08-06","choices":[],"usage":{"prompt_tokens":20,"completion_tokens":10,"total_tokens":30}}

        data: [DONE]

        """;

    private const string OpenAiTools = """
        data: {"id":"c2","object":"chat.completion.chunk","created":1,"model":"gpt-4o-2024-08-06","choices":[{"index":0,"delta":{"role":"assistant","tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"weather","arguments":""}}]},"finish_reason":null}]}

        data: {"id":"c2","object":"chat.completion.chunk","created":1,"model":"gpt-4o-2024-08-06","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"location\":"}}]},"finish_reason":null}]}

        data: {"id":"c2","object":"chat.completion.chunk","created":1,"model":"gpt-4o-2024-08-06","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\"Bonn\"}"}}]},"finish_reason":null}]}

        data: {"id":"c2","object":"chat.completion.chunk","created":1,"model":"gpt-4o-2024-08-06","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}

        data: {"id":"c2","object":"chat.completion.chunk","created":1,"model":"gpt-4o-2024-08-06","choices":[],"usage":{"prompt_tokens":40,"completion_tokens":12,"total_tokens":52}}

        data: [DONE]

        """;

    private const string GeminiStream = """
        data: {"candidates":[{"content":{"role":"model","parts":[{"text":"The sea "}]},"index":0}],"usageMetadata":{"promptTokenCount":10,"totalTokenCount":10},"modelVersion":"gemini-2.5-pro"}

        data: {"candidates":[{"content":{"role":"model","parts":[{"text":"is wide."}]},"index":0}],"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":3,"totalTokenCount":13},"modelVersion":"gemini-2.5-pro"}

        data: {"candidates":[{"content":{"role":"model","parts":[{"text":""}]},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":12,"thoughtsTokenCount":5,"totalTokenCount":27},"modelVersion":"gemini-2.5-pro"}

        """;

    private readonly HttpClient http = rig.Http;
    private readonly ReplayedModel model = rig.Model.Anew();
    private readonly TurnpikeProcess gateway = rig.Gateway;

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
    [InlineData("gemini", "gemini-2.5-pro", 2)] // between the last text and the usage
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
    [InlineData("anthropic", "claude-haiku-4-5", "", 0.00012)] // read on: the provider goes on, and asks for it
    [InlineData("anthropic", "claude-haiku-4-5", "/cancels", 0)]
    [InlineData("gemini", "gemini-2.5-pro", "", 0.0001825)]
    [InlineData("gemini", "gemini-2.5-pro", "/cancels", 0)]
    public async Task Who_leaves_before_the_first_byte_pays_what_the_upstream_tells_or_nothing_where_that_cancels(string client, string name, string under, double cost)
    {
        (model.Stream, model.WaitsBefore) = (client == "gemini" ? GeminiStream : ReplayedModel.Recorded("anthropic/stream_basic.json"), 0);
        var token = await TokenAsync();
        var call = await ClientScript.RunAsync(Script, gateway.Url, ("CLIENT", client), ("TOKEN", token), ("MODEL", name), ("LEAVE", "0"), ("UNDER", under), Asked);
        call.Json["left"]!.GetValue<bool>().ShouldBeTrue(call.Error);
        model.Asked.ShouldBe(1);
        if (under.Length == 0) model.Going.TrySetResult();
        (await SettledAsync(token)).ShouldBe(1m - (decimal)cost);
        (await gateway.RunAsync("ledger", "verify")).Code.ShouldBe(0);
    }

    [Fact]
    public async Task Googles_client_gets_its_tools_called()
    {
        model.Stream = """
            data: {"candidates":[{"content":{"role":"model","parts":[{"functionCall":{"name":"weather","args":{"location":"Bonn"}}}]},"index":0}],"usageMetadata":{"promptTokenCount":40,"totalTokenCount":40},"modelVersion":"gemini-2.5-pro"}

            data: {"candidates":[{"content":{"role":"model","parts":[{"text":""}]},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":40,"candidatesTokenCount":12,"totalTokenCount":52},"modelVersion":"gemini-2.5-pro"}

            """;
        var (call, left) = await AskAsync("gemini", "gemini-2.5-pro");
        (call.Error, call.Json["stop"]!.GetValue<string>(), call.Json["tools"]![0]!["input"]!["location"]!.GetValue<string>()).ShouldBe((null, "STOP", "Bonn"));
        left.ShouldBe(1m - 40 * 0.00000125m - 12 * 0.00001m);
    }

    [Fact]
    public async Task An_error_in_mid_stream_reaches_googles_client_as_one_and_what_passed_is_charged()
    {
        model.Stream = string.Join("\n\n", GeminiStream.ReplaceLineEndings("\n").Split("\n\n").Take(2)) + "\n\ndata: {\"error\":{\"code\":503,\"message\":\"The model is overloaded.\",\"status\":\"UNAVAILABLE\"}}\n\n";
        var (call, left) = await AskAsync("gemini", "gemini-2.5-pro");
        call.Error.ShouldNotBeNull().ShouldContain("overloaded");
        left.ShouldBeInRange(0.999m, 1m - 10 * 0.00000125m - 3 * 0.00001m);
    }

    [Fact]
    public async Task Openais_client_gets_its_tools_called()
    {
        model.Stream = OpenAiTools;
        var token = await TokenAsync();
        var call = await ChatAsync(token, ("TOOLS", "1"));
        (call.Error, call.Json["finish"]!.GetValue<string>(), call.Json["tools"]![0]!["arguments"]!.GetValue<string>()).ShouldBe((null, "tool_calls", """{"location":"Bonn"}"""));
        (await SettledAsync(token)).ShouldBe(1m - 40 * 0.0000025m - 12 * 0.00001m);
    }

    [Fact]
    public async Task An_error_in_mid_stream_reaches_openais_client_as_one_and_what_passed_is_charged()
    {
        model.Stream = string.Join("\n\n", OpenAiStream.ReplaceLineEndings("\n").Split("\n\n").Take(2)) + "\n\ndata: {\"error\":{\"message\":\"The server is overloaded\",\"type\":\"server_error\"}}\n\n";
        var token = await TokenAsync();
        var call = await ChatAsync(token);
        call.Error.ShouldNotBeNull().ShouldContain("overloaded");
        (await SettledAsync(token)).ShouldBeInRange(0.999m, 1m - 0.000001m);
    }

    [Theory]
    [InlineData(1)] // in the middle
    [InlineData(3)] // between the last text and the usage
    public async Task Who_leaves_openais_stream_pays_what_the_upstream_tells_in_the_end(int leave)
    {
        (model.Stream, model.WaitsBefore) = (OpenAiStream, leave);
        var token = await TokenAsync();
        var call = await ChatAsync(token, ("LEAVE", $"{leave}"));
        call.Json["left"]!.GetValue<bool>().ShouldBeTrue(call.Error);
        model.Going.TrySetResult();
        (await SettledAsync(token)).ShouldBe(1m - 20 * 0.0000025m - 10 * 0.00001m);
    }

    [Theory]
    [InlineData("", 0.00015)]
    [InlineData("/cancels", 0)]
    public async Task Who_leaves_openais_stream_before_its_first_byte_pays_what_is_told_or_nothing_where_that_cancels(string under, double cost)
    {
        (model.Stream, model.WaitsBefore) = (OpenAiStream, 0);
        var token = await TokenAsync();
        var call = await ChatAsync(token, ("LEAVE", "0"), ("UNDER", under), Asked);
        call.Json["left"]!.GetValue<bool>().ShouldBeTrue(call.Error);
        model.Asked.ShouldBe(1);
        if (under.Length == 0) model.Going.TrySetResult();
        (await SettledAsync(token)).ShouldBe(1m - (decimal)cost);
    }

    [Fact]
    public async Task Openais_client_streams_responses_and_pays_for_what_they_tell()
    {
        model.Stream = ReplayedModel.Recorded("responses/stream.json");
        var token = await TokenAsync();
        var call = await ChatAsync(token, ("RESPONSES", "1"), ("MODEL", "gpt-4.1-mini"));
        (call.Error, call.Status, call.Json["finish"]!.GetValue<string>()).ShouldBe((null, 200, "completed"));
        (await SettledAsync(token)).ShouldBe(1m - 12 * 0.0000004m - 8 * 0.0000016m);
    }

    /// <summary>Each client sees its own provider's end, and no error; the budget is empty to the nano-dollar.</summary>
    [Theory]
    [InlineData("anthropic", "claude-haiku-4-5", "max_tokens")]
    [InlineData("gemini", "gemini-2.5-pro", "MAX_TOKENS")]
    public async Task A_stream_that_reaches_the_end_of_its_budget_ends_as_its_client_knows_it(string client, string name, string stop)
    {
        model.Stream = client == "gemini"
            ? string.Concat(Enumerable.Repeat("""data: {"candidates":[{"content":{"role":"model","parts":[{"text":"sixsix"}]},"index":0}],"usageMetadata":{"promptTokenCount":10,"totalTokenCount":10},"modelVersion":"gemini-2.5-pro"}""" + "\n\n", 2000))
            : """
              event: message_start
              data: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"claude-haiku-4-5-20251001","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":15,"output_tokens":1}}}

              event: content_block_start
              data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}


              """.ReplaceLineEndings("\n") + string.Concat(Enumerable.Repeat("event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"sixsix\"}}\n\n", 2000));
        var (call, left) = await AskAsync(client, name, "0.0015 USD");
        (call.Error, call.Status, call.Json["stop"]!.GetValue<string>(), left).ShouldBe((null, 200, stop, 0m));
        (await gateway.RunAsync("ledger", "verify")).Code.ShouldBe(0);
    }

    private (string, string) Asked => ("ASKED", new Uri(model.Url, "/asked").AbsoluteUri);

    private Task<PaidCall> ChatAsync(string token, params (string, string)[] more) => ClientScript.RunAsync("openai/chat.mjs", gateway.Url, [("TOKEN", token), ("STREAM", "1"), .. more]);

    private async Task<(PaidCall Call, decimal Left)> AskAsync(string client, string name, string budget = "1.00 USD")
    {
        var token = await TokenAsync(budget);
        var call = await ClientScript.RunAsync(Script, gateway.Url, ("CLIENT", client), ("TOKEN", token), ("MODEL", name));
        return (call, await SettledAsync(token));
    }

    private async Task<string> TokenAsync(string budget = "1.00 USD")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(gateway.Admin, "/admin/v1/tokens")) { Content = new StringContent($$"""{"budget":"{{budget}}"}""", new MediaTypeHeaderValue("application/json")) };
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
            tries.ShouldBeLessThan(2_400, "the hold never ends");
            await Task.Delay(50);
        }
        using var asked = new HttpRequestMessage(HttpMethod.Get, new Uri(gateway.Url, "/balance"));
        asked.Headers.Authorization = new("Bearer", token);
        using var told = await http.SendAsync(asked);
        return decimal.Parse(JsonNode.Parse(await told.Content.ReadAsStringAsync())!["available"]!["amount"]!.GetValue<string>(), CultureInfo.InvariantCulture);
    }

    /// <summary>One gateway and one model for all tests of the class: each pays by a token of its own.</summary>
    public sealed class Rig : IAsyncLifetime
    {
        internal HttpClient Http { get; } = new(new SocketsHttpHandler { UseProxy = false });

        internal ReplayedModel Model { get; private set; } = null!;

        internal TurnpikeProcess Gateway { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Model = await ReplayedModel.StartAsync();
            Gateway = await TurnpikeProcess.StartAsync("llm.yaml", document => document[..document.IndexOf("\nservices:", StringComparison.Ordinal)] + "\n" + Services + "\n", ("LLM_UPSTREAM", Model.Url.ToString().TrimEnd('/')));
        }

        public async ValueTask DisposeAsync()
        {
            Model.Going.TrySetResult();
            await Gateway.DisposeAsync();
            await Model.DisposeAsync();
            Http.Dispose();
        }
    }
}
