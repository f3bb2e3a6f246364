using System.Buffers;
using System.Net.Http.Headers;
using System.Text.Json;
using Turnpike.Protocols.Evm;

namespace Turnpike.Payments.Evm;

/// <summary>A node's no: JSON-RPC error with revert data where there is some.</summary>
internal sealed record RpcError(int Code, string Message, string? Data)
{
    /// <summary>True when the contract said no, and not the node (overload, wrong method, out of sync).</summary>
    public bool IsRevert =>
        Code == 3 || Message.Contains("revert", StringComparison.OrdinalIgnoreCase) || Message.Contains("invalid opcode", StringComparison.OrdinalIgnoreCase)
        || Data is ['0', 'x', ..];

    /// <summary>What the contract said, or the node.</summary>
    public string Text
    {
        get
        {
            var text = Hex.Decode(Data) is { } data && RevertReason.Text(data) is { } reason ? reason : Message;
            return text.Length <= 200 ? text : text[..200];
        }
    }
}

/// <summary>The node did not answer, or not in a way that can be understood: nothing is known, so nothing is believed.</summary>
internal sealed class NodeSilentException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>JSON-RPC 2.0 over HTTP, one request at a time; which node comes from configuration only.</summary>
internal sealed class JsonRpcClient(HttpClient http, Uri url)
{
    private static readonly MediaTypeHeaderValue Json = new("application/json");
    private long last;

    /// <summary>The result, or the node's error. Throws <see cref="NodeSilentException"/> when there is neither.</summary>
    public async ValueTask<(JsonElement Result, RpcError? Error)> CallAsync(string method, Action<Utf8JsonWriter> parameters, CancellationToken ct)
    {
        var id = Interlocked.Increment(ref last);
        using var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new ReadOnlyMemoryContent(Write(id, method, parameters)) };
        request.Content.Headers.ContentType = Json;
        byte[] body;
        try
        {
            using var response = await http.SendAsync(request, ct);
            body = await response.Content.ReadAsByteArrayAsync(ct);
        }
        catch (HttpRequestException e) { throw new NodeSilentException($"{method}: {e.HttpRequestError}", e); }
        catch (OperationCanceledException e) when (!ct.IsCancellationRequested) { throw new NodeSilentException($"{method}: no answer in time", e); }
        return Read(body, id) ?? throw new NodeSilentException($"{method}: the answer is no JSON-RPC");
    }

    private static ReadOnlyMemory<byte> Write(long id, string method, Action<Utf8JsonWriter> parameters)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("jsonrpc", "2.0");
            json.WriteNumber("id", id);
            json.WriteString("method", method);
            json.WriteStartArray("params");
            parameters(json);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return buffer.WrittenMemory;
    }

    private static (JsonElement, RpcError?)? Read(byte[] body, long id)
    {
        try
        {
            using var document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 32 });
            var root = document.RootElement;
            if (root.TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.Object)
            {
                var data = error.TryGetProperty("data", out var given) && given.ValueKind == JsonValueKind.String ? given.GetString() : null;
                return (default, new RpcError(error.GetProperty("code").GetInt32(), error.GetProperty("message").GetString() ?? "", data));
            }
            if (!root.TryGetProperty("id", out var echoed) || !echoed.TryGetInt64(out var number) || number != id) return null;
            return root.TryGetProperty("result", out var result) ? (result.Clone(), null) : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException) { return null; }
    }
}
