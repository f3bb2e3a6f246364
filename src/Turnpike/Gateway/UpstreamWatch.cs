using Turnpike.Catalog;
using Turnpike.Catalog.Loading;
using Turnpike.Limits.Upstreams;

namespace Turnpike.Gateway;

/// <summary>Asks the targets of every service that has a <c>health</c> whether they are well, as often as it says.</summary>
internal sealed partial class UpstreamWatch(CatalogSource catalog, UpstreamBoard board, TimeProvider time, ILogger<UpstreamWatch> log) : BackgroundService
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1), Patience = TimeSpan.FromSeconds(5);
    private readonly Dictionary<Uri, DateTimeOffset> next = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Look, time);
        try { await WatchAsync(timer, stoppingToken); }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested) { /* the end of the watch */ }
    }

    private async Task WatchAsync(PeriodicTimer timer, CancellationToken stoppingToken)
    {
        while (await timer.WaitForNextTickAsync(stoppingToken))
            await Task.WhenAll(catalog.Current.Services.Where(s => s.Upstream.Health is not null).SelectMany(s => s.Upstream.Targets.Concat(s.Upstream.Fallback).Select(t => (t.Url, s.Upstream.Health))).Where(Due).Select(t => AskAsync(t.Url, t.Health!, stoppingToken)).ToList());
    }

    private bool Due((Uri Url, UpstreamHealth? Health) target)
    {
        var now = time.GetUtcNow();
        if (next.TryGetValue(target.Url, out var at) && at > now) return false;
        next[target.Url] = now + target.Health!.Every;
        return true;
    }

    private async Task AskAsync(Uri target, UpstreamHealth health, CancellationToken ct)
    {
        var well = false;
        try
        {
            using var client = GuardedHttp.Create(target, Patience, 64 * 1024);
            using var answer = await client.GetAsync(new Uri(target, health.Path), ct);
            well = answer.IsSuccessStatusCode;
        }
        catch (Exception) when (!ct.IsCancellationRequested) { /* unwell */ }
        if (board.Note(target, well)) Log.Changed(log, target, well ? "well" : "unwell: no calls go there");
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "The upstream at {Target} is {State}.")]
        public static partial void Changed(ILogger logger, Uri target, string state);
    }
}
