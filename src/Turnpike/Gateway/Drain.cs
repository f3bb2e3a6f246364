using Turnpike.Catalog;
using Turnpike.Catalog.Loading;

namespace Turnpike.Gateway;

/// <summary>
/// How a node goes: readiness is 503 and the door closed at once, calls inside finish, and what has not finished after
/// <c>gateway.drain</c> is cut. A cut answer is not delivered, whatever the caller's connection says: it was we who left.
/// </summary>
internal sealed partial class Drain(IHostApplicationLifetime lifetime, CatalogSource catalog, TimeProvider time, ILogger<Drain> log) : IHostedService, IDisposable
{
    /// <summary>From the cut to the end of the books: what was cut is charged or given back in this time.</summary>
    public static readonly TimeSpan Rest = TimeSpan.FromSeconds(4);

    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(20);
    private readonly CancellationTokenSource over = new(Timeout.InfiniteTimeSpan, time);
    private long began;
    private int inside;

    /// <summary>True when time is up: what is still being passed on is cut.</summary>
    public bool IsOver => Volatile.Read(ref began) is > 0 and var start && time.GetElapsedTime(start) >= catalog.Current.Gateway.Drain;

    /// <summary>Fires when time is up.</summary>
    public CancellationToken Over => over.Token;

    public async Task PassAsync(HttpContext http, RequestDelegate next)
    {
        if (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            http.Response.OnStarting(() => { http.Response.Headers.Connection = "close"; return Task.CompletedTask; });
            await Faults.AnswerAsync(http, Reasons.Draining, retryAfter: 1);
            return;
        }
        Interlocked.Increment(ref inside);
        try { await next(http); }
        finally { Interlocked.Decrement(ref inside); }
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        lifetime.ApplicationStopping.Register(() =>
        {
            Volatile.Write(ref began, time.GetTimestamp());
            over.CancelAfter(catalog.Current.Gateway.Drain);
            Log.Begins(log, Volatile.Read(ref inside), catalog.Current.Gateway.Drain.TotalSeconds);
        });
        return Task.CompletedTask;
    }

    /// <summary>After the web server: its connections are gone, but what was cut must still be charged or given back.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        var closed = time.GetTimestamp();
        while (Volatile.Read(ref inside) > 0 && time.GetElapsedTime(closed) < Rest) await Task.Delay(Between, time, CancellationToken.None);
        Log.Ends(log, Volatile.Read(ref inside));
    }

    public void Dispose() => over.Dispose();

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "Going down: no new calls; {Inside} in progress have {Seconds} seconds to finish.")]
        public static partial void Begins(ILogger logger, int inside, double seconds);

        [LoggerMessage(Level = LogLevel.Information, Message = "Drained; {Inside} calls left to the next start or another node.")]
        public static partial void Ends(ILogger logger, int inside);
    }
}
