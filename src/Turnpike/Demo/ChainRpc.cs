using System.Net.Http.Headers;
using System.Text.Json;

namespace Turnpike.Demo;

/// <summary>JSON-RPC to a chain of our own: every answer is awaited for at most ten seconds, every error is an exception.</summary>
internal sealed class ChainRpc(Uri url) : IDisposable
{
    private readonly HttpMessageInvoker http = new(new SocketsHttpHandler { UseProxy = false });

    /// <summary>Calls with parameters that are strings or flat objects of strings, as JSON text; returns the result as JSON.</summary>
    public async Task<JsonElement> CallAsync(string method, CancellationToken ct, params string[] parameters)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(TimeSpan.FromSeconds(10));
        var body = $$"""{"jsonrpc":"2.0","id":1,"method":"{{method}}","params":[{{string.Join(',', parameters)}}]}""";
        using var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new StringContent(body, new MediaTypeHeaderValue("application/json")) };
        using var response = await http.SendAsync(request, limit.Token);
        using var answer = await JsonDocument.ParseAsync(await response.Content.ReadAsStreamAsync(limit.Token), cancellationToken: limit.Token);
        if (answer.RootElement.TryGetProperty("error", out var error)) throw new InvalidOperationException($"{method}: {error}");
        return answer.RootElement.GetProperty("result").Clone();
    }

    public void Dispose() => http.Dispose();
}
