using System.Globalization;
using Turnpike.Catalog;
using Turnpike.Catalog.Loading;

namespace Turnpike.Gateway;

/// <summary>
/// The way out: told to stop, the gateway takes no new calls, lets those in flight end, and cuts what is left at the deadline of
/// <c>gateway.drain</c>. Then it waits until each of them has settled or given back, and only then closes the books.
/// </summary>
internal sealed class Drain(CatalogSource catalog) : IHostedService, IDisposable
{
    /// <summary>What is cut has only the books left to write.</summary>
    private static readonly TimeSpan Books = TimeSpan.FromSeconds(4);

    private readonly CancellationTokenSource cut = new();
    private volatile bool stopping;
    private int inFlight;

    /// <summary>The deadline has passed: nobody waits for an upstream any more.</summary>
    public CancellationToken Cut => cut.Token;

    /// <summary>From now on no new calls.</summary>
    public void Begin() => stopping = true;

    public async Task CarryAsync(HttpContext http, RequestDelegate next)
    {
        Interlocked.Increment(ref inFlight);
        try
        {
            if (stopping) await RefuseAsync(http);
            else await next(http);
        }
        finally { Interlocked.Decrement(ref inFlight); }
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>The server has stopped before this: all calls have ended, or the deadline has passed and their connections are cut.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await cut.CancelAsync();
        for (var waited = TimeSpan.Zero; Volatile.Read(ref inFlight) > 0 && waited < Books; waited += TimeSpan.FromMilliseconds(20))
            await Task.Delay(TimeSpan.FromMilliseconds(20), CancellationToken.None);
    }

    public void Dispose() => cut.Dispose();

    private Task RefuseAsync(HttpContext http)
    {
        http.Response.Headers.Connection = "close";
        http.Response.Headers.CacheControl = "no-store";
        http.Response.Headers.RetryAfter = Math.Max(1, (long)catalog.Current.Gateway.Drain.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        var reason = Reasons.Stopping;
        return Results.Problem("Nothing was taken. Another node, or this one in a moment, takes the same request.", statusCode: reason.Status, title: reason.Title, type: reason.Type, extensions: new Dictionary<string, object?> { ["reason"] = reason.Code, ["hint"] = reason.Hint }).ExecuteAsync(http);
    }
}
