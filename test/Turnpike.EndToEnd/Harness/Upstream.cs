using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Turnpike.EndToEnd.Harness;

/// <summary>How the upstream behaves from now on.</summary>
internal enum UpstreamMood
{
    Well,

    /// <summary>Answers well after a second and a half.</summary>
    Slow,

    /// <summary>Answers 500.</summary>
    Failing,

    /// <summary>Sends half of the body it announced and drops the connection.</summary>
    Dropping,

    /// <summary>Does not answer until <see cref="Upstream.Release"/>.</summary>
    Hanging,
}

/// <summary>The API that is sold: a forecast, a report, a status. It counts what it did and keeps what it was told.</summary>
internal sealed class Upstream : IAsyncDisposable
{
    private readonly ConcurrentQueue<UpstreamCall> calls = new();
    private readonly SemaphoreSlim arrivals = new(0);
    private readonly TaskCompletionSource released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private LoopbackHost? host;
    private int executions;

    public Uri Url => host!.Url;

    public UpstreamMood Mood { get; set; } = UpstreamMood.Well;

    /// <summary>How often a priced operation was carried out.</summary>
    public int Executions => Volatile.Read(ref executions);

    public IReadOnlyCollection<UpstreamCall> Calls => calls;

    public UpstreamCall LastCall => calls.Last();

    public static async Task<Upstream> StartAsync()
    {
        var upstream = new Upstream();
        upstream.host = await LoopbackHost.StartAsync(upstream.Map);
        return upstream;
    }

    /// <summary>Waits for the next call to arrive, whatever becomes of it.</summary>
    public async Task ArrivalAsync() => (await arrivals.WaitAsync(Until.Patience)).ShouldBeTrue("no call reached the upstream");

    /// <summary>What hangs is answered, well.</summary>
    public void Release() => released.TrySetResult();

    public ValueTask DisposeAsync()
    {
        released.TrySetResult();
        arrivals.Dispose();
        return host!.DisposeAsync();
    }

    private void Map(WebApplication app)
    {
        app.MapGet("/status", () => "{\"status\":\"well\"}");
        app.MapGet("/forecast/endless", async http =>
        {
            for (; !http.RequestAborted.IsCancellationRequested; await Task.Delay(50, http.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing))
            {
                await http.Response.WriteAsync("more\n");
                await http.Response.Body.FlushAsync();
            }
        });
        app.MapGet("/forecast/{city}", (HttpContext http, string city) => SellAsync(http, $$"""{"city":"{{city}}","days":[21,22,20,19,23,24,22]}"""));
        app.MapPost("/pages", (HttpContext http) => SellAsync(http, """{"pages":3}"""));
        app.MapPost("/reports", async (HttpContext http) =>
        {
            using var reader = new StreamReader(http.Request.Body);
            await SellAsync(http, $$"""{"report":"made to order","of":{{(await reader.ReadToEndAsync(http.RequestAborted)).Length}}}""");
        });
    }

    private async Task SellAsync(HttpContext http, string body)
    {
        calls.Enqueue(new UpstreamCall(http.Request.Method, http.Request.Path + http.Request.QueryString, http.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase)));
        arrivals.Release();
        switch (Mood)
        {
            case UpstreamMood.Failing:
                http.Response.StatusCode = 500;
                await http.Response.WriteAsync("the upstream's inner life");
                return;
            case UpstreamMood.Hanging:
                await released.Task.WaitAsync(http.RequestAborted);
                break;
            case UpstreamMood.Slow:
                await Task.Delay(1500, http.RequestAborted);
                break;
        }
        Interlocked.Increment(ref executions);
        http.Response.ContentType = "application/json";
        http.Response.Headers["X-Upstream-Says"] = "hello";
        if (Mood == UpstreamMood.Dropping)
        {
            http.Response.ContentLength = body.Length;
            await http.Response.WriteAsync(body[..(body.Length / 2)]);
            await http.Response.Body.FlushAsync();
            http.Abort();
            return;
        }
        await http.Response.WriteAsync(body);
    }
}

/// <summary>What the upstream was told in one call.</summary>
internal sealed record UpstreamCall(string Method, string Target, IReadOnlyDictionary<string, string> Headers);
