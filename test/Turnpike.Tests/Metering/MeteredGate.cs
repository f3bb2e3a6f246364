using System.Net;
using System.Text;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Metering;

/// <summary>A gate before a language model that answers what a test says.</summary>
internal static class MeteredGate
{
    public const string Chat = """
        payments:
          prepaid: { secret: "${env:TURNPIKE_TOKEN_SECRET}" }
        services:
          llm:
            upstream: ${env:UPSTREAM}
            operations:
              chat:
                match: POST /v1/chat/completions
                usage: openai
                accept: [prepaid]
                price:
                  ceiling: 0.50 USD
                  default-max-tokens: 1000
                  by: $.model
                  per-million:
                    gpt-4o:      { input_tokens: 2.50 USD, cached_input_tokens: 1.25 USD, output_tokens: 10.00 USD }
                    gpt-4o-mini: { input_tokens: 0.15 USD, cached_input_tokens: 0.075 USD, output_tokens: 0.60 USD }
                  other-models: refuse
                on-hang-up: drain
        """;

    public const string Records = """
        payments:
          prepaid: { secret: "${env:TURNPIKE_TOKEN_SECRET}" }
        services:
          registry:
            upstream: ${env:UPSTREAM}
            operations:
              search: { match: GET /companies, accept: [prepaid], price: { per-record: 0.002 USD, count: "$.items[*]", ceiling: 0.01 USD } }
        """;

    public const string LastChunk = """data: {"choices":[],"usage":{"prompt_tokens":20,"completion_tokens":10,"total_tokens":30,"prompt_tokens_details":{"cached_tokens":8}}}""";

    public static Ask Ask(string token, string body) => new("POST", "/v1/chat/completions", ("Authorization", token), ("Content-Type", "application/json")) { Body = body };

    public static string Delta(string text, string model = "gpt-4o-2024-08-06") => $$"""data: {"model":"{{model}}","choices":[{"index":0,"delta":{"content":"{{text}}"},"finish_reason":null}],"usage":null}""";

    /// <summary>A stream of these events; null breaks it.</summary>
    public static HttpResponseMessage Stream(params string?[] events)
    {
        var answer = new HttpResponseMessage(HttpStatusCode.OK) { Content = new Pieces([.. events.Select(e => e is null ? null : Encoding.UTF8.GetBytes(e + "\n\n"))]) };
        answer.Content.Headers.ContentType = new("text/event-stream");
        return answer;
    }

    public static HttpResponseMessage Json(string body)
    {
        var answer = ScriptedUpstream.Text(body);
        answer.Content.Headers.ContentType = new("application/json");
        return answer;
    }

    /// <summary>A stream that tells one event, is silent until it is allowed to go on, and then tells the last.</summary>
    public static HttpResponseMessage Open(TaskCompletionSource inside, Task silence, string? last = null)
    {
        var answer = new HttpResponseMessage { Content = new StreamContent(new OpenStream([Delta("four") + "\n\n"], inside, silence, last)) };
        answer.Content.Headers.ContentType = new("text/event-stream");
        return answer;
    }
}

/// <summary>Tells these pieces, then nothing until it is allowed to, then the last.</summary>
internal sealed class OpenStream(IReadOnlyList<string> pieces, TaskCompletionSource inside, Task silence, string? last = null) : MemoryStream
{
    private int reads;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty) return 0;
        if (reads < pieces.Count) return Encoding.UTF8.GetBytes(pieces[reads++], buffer.Span);
        inside.TrySetResult();
        await silence.WaitAsync(cancellationToken);
        return reads++ == pieces.Count ? Encoding.UTF8.GetBytes(last ?? "", buffer.Span) : 0;
    }
}
