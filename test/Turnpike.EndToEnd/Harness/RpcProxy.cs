using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Turnpike.EndToEnd.Harness;

/// <summary>What happens to a JSON-RPC method from now on.</summary>
internal enum RpcTrouble
{
    /// <summary>It never reaches the node, and no answer comes.</summary>
    LostBefore,

    /// <summary>The node does it; the answer never comes.</summary>
    LostAfter,

    /// <summary>The node refuses it.</summary>
    Refused,
}

/// <summary>Stands between the gateway and the chain, counts what is asked, and loses what it is told to lose.</summary>
internal sealed class RpcProxy : IAsyncDisposable
{
    private readonly HttpMessageInvoker http = new(new SocketsHttpHandler { UseProxy = false });
    private readonly ConcurrentDictionary<string, RpcTrouble> troubles = new();
    private readonly ConcurrentDictionary<string, int> counts = new();
    private readonly CancellationTokenSource closing = new();
    private readonly SemaphoreSlim lost = new(0);
    private readonly Uri node;
    private LoopbackHost? host;

    private RpcProxy(Uri node) => this.node = node;

    public Uri Url => host!.Url;

    /// <summary>How many calls reached this place, of all methods.</summary>
    public int Calls => counts.Values.Sum();

    public static async Task<RpcProxy> StartAsync(Uri node)
    {
        var proxy = new RpcProxy(node);
        proxy.host = await LoopbackHost.StartAsync(app => app.MapPost("/", proxy.PassAsync));
        return proxy;
    }

    public int Count(string method) => counts.GetValueOrDefault(method);

    public void Trouble(string method, RpcTrouble trouble) => troubles[method] = trouble;

    public void Heal() => troubles.Clear();

    /// <summary>Waits until a call was lost.</summary>
    public async Task LossAsync() => (await lost.WaitAsync(Until.Patience)).ShouldBeTrue("no call was lost");

    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        await host!.DisposeAsync();
        http.Dispose();
        lost.Dispose();
        closing.Dispose();
    }

    private async Task PassAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        var body = await reader.ReadToEndAsync();
        using var call = JsonDocument.Parse(body);
        var methods = call.RootElement.ValueKind == JsonValueKind.Array ? [.. call.RootElement.EnumerateArray()] : new[] { call.RootElement };
        RpcTrouble? trouble = null;
        foreach (var method in methods.Select(m => m.GetProperty("method").GetString()!))
        {
            counts.AddOrUpdate(method, 1, (_, n) => n + 1);
            if (troubles.TryGetValue(method, out var found)) trouble = found;
        }
        if (trouble == RpcTrouble.Refused) { await context.Response.WriteAsync("""{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"the node refuses"}}"""); return; }
        if (trouble == RpcTrouble.LostBefore) { await LoseAsync(context); return; }
        using var request = new HttpRequestMessage(HttpMethod.Post, node) { Content = new StringContent(body, new MediaTypeHeaderValue("application/json")) };
        using var response = await http.SendAsync(request, closing.Token);
        var answer = await response.Content.ReadAsStringAsync();
        if (trouble == RpcTrouble.LostAfter) { await LoseAsync(context); return; }
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(answer);
    }

    private async Task LoseAsync(HttpContext context)
    {
        lost.Release();
        using var until = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, closing.Token);
        await Task.Delay(Timeout.Infinite, until.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        context.Abort();
    }
}
