using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Metering;

/// <summary>A language model behind OpenAI's interface: says one word a chunk, and tells usage of a stream only to those who ask.</summary>
internal sealed class LlmStandIn : IAsyncDisposable
{
    private LoopbackHost? host;

    public Uri Url => host!.Url;

    /// <summary>The bodies it was sent, and the key they came with.</summary>
    public ConcurrentQueue<(string Body, string Key)> Asked { get; } = [];

    /// <summary>How many words it says; it does not care for the maximum it is given.</summary>
    public int Words { get; set; } = 20;

    public TimeSpan Pause { get; set; } = TimeSpan.FromMilliseconds(2);

    /// <summary>Words that a caller was still there to be told, or that were said anyway.</summary>
    public int Said => Volatile.Read(ref said);

    private int said;

    public static async Task<LlmStandIn> StartAsync()
    {
        var standIn = new LlmStandIn();
        standIn.host = await LoopbackHost.StartAsync(app => app.MapPost("/v1/chat/completions", standIn.AnswerAsync));
        return standIn;
    }

    public ValueTask DisposeAsync() => host!.DisposeAsync();

    private async Task AnswerAsync(HttpContext http)
    {
        using var reader = new StreamReader(http.Request.Body);
        var body = await reader.ReadToEndAsync(http.RequestAborted);
        Asked.Enqueue((body, http.Request.Headers.Authorization.ToString()));
        using var asked = JsonDocument.Parse(body);
        var usage = $$$"""{"prompt_tokens":12,"completion_tokens":{{{Words}}},"total_tokens":{{{12 + Words}}},"prompt_tokens_details":{"cached_tokens":2}}""";
        if (!asked.RootElement.TryGetProperty("stream", out var stream) || !stream.GetBoolean())
        {
            http.Response.ContentType = "application/json";
            await http.Response.WriteAsync($$$"""{"id":"c1","object":"chat.completion","created":1,"model":"gpt-4o-2024-08-06","choices":[{"index":0,"message":{"role":"assistant","content":"{{{string.Concat(Enumerable.Repeat("wave ", Words))}}}"},"finish_reason":"stop"}],"usage":{{{usage}}}}""");
            return;
        }
        var tells = asked.RootElement.TryGetProperty("stream_options", out var options) && options.GetProperty("include_usage").GetBoolean();
        http.Response.ContentType = "text/event-stream";
        for (var i = 0; i < Words; i++)
        {
            await SayAsync(http, Chunk($$"""{"index":0,"delta":{"content":"wave "},"finish_reason":null}""", tells ? ",\"usage\":null" : ""));
            Interlocked.Increment(ref said);
            await Task.Delay(Pause, http.RequestAborted);
        }
        await SayAsync(http, Chunk("""{"index":0,"delta":{},"finish_reason":"stop"}""", tells ? ",\"usage\":null" : ""));
        if (tells) await SayAsync(http, Chunk("", $",\"usage\":{usage}"));
        await SayAsync(http, "[DONE]");
    }

    private static string Chunk(string choice, string usage) => $$"""{"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-4o-2024-08-06","choices":[{{choice}}]{{usage}}}""";

    private static async Task SayAsync(HttpContext http, string data)
    {
        await http.Response.WriteAsync($"data: {data}\n\n", http.RequestAborted);
        await http.Response.Body.FlushAsync(http.RequestAborted);
    }
}
