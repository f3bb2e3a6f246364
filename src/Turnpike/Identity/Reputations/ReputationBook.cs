using Turnpike.Catalog;
using Turnpike.Storage;

namespace Turnpike.Identity.Reputations;

/// <summary>What callers did here, for rules and prices that ask for it: counted every half minute, and looked up once in as long.</summary>
internal sealed partial class ReputationBook(ReputationStore store, TimeProvider time, ILogger<ReputationBook> log) : BackgroundService
{
    private const int MostKept = 100_000;
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(30);
    private readonly Recent<string, (Reputation Known, DateTimeOffset At)> kept = new(MostKept);

    /// <summary>Puts it beside the call, once.</summary>
    public ValueTask LoadAsync(Call call, CancellationToken ct)
    {
        if (call.Caller is not { } caller || call.Reputation is not null) return default;
        if (!kept.TryGet(caller, out var known) || call.Now - known.At >= Every) return ReadAsync(call, caller, ct);
        call.Reputation = known.Known;
        return default;
    }

    /// <summary>Counts what the trail has by now.</summary>
    public async Task CountAsync(CancellationToken ct)
    {
        while (await store.CountAsync(ct)) { }
        kept.Clear();
    }

    public ValueTask<Reputation> OfAsync(string caller, CancellationToken ct) => store.OfAsync(caller, time.GetUtcNow(), ct);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try { await CountAsync(stoppingToken); }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested) { Log.Failed(log, e.Message); }
        }
    }

    private async ValueTask ReadAsync(Call call, string caller, CancellationToken ct)
    {
        var stamp = kept.Stamp;
        call.Reputation = await store.OfAsync(caller, call.Now, ct);
        kept.Keep(caller, (call.Reputation, call.Now), stamp);
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "What callers did could not be counted, and is counted later: {Why}")]
        public static partial void Failed(ILogger logger, string why);
    }
}
