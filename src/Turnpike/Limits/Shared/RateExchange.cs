using Turnpike.Catalog;
using Turnpike.Storage;
using Turnpike.Storage.Nodes;

namespace Turnpike.Limits.Shared;

/// <summary>
/// Nodes tell each other four times a second what they took under each limit, so that together they admit one limit's worth and not
/// one each. What is told may be lost; what counts exactly is an account in the ledger. Where one process serves, nothing happens.
/// </summary>
internal sealed partial class RateExchange : BackgroundService
{
    private const string Channel = "turnpike_rates";
    private const int MostPerRound = 2_000;
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private readonly Dictionary<(string Rule, string Who), (RateRule Rule, Dictionary<string, (long Count, long Heard)> By)> atOnce = [];
    private readonly Lock guard = new();
    private readonly CounterSet counters;
    private readonly Database database;
    private readonly NodeLease lease;
    private readonly TimeProvider time;
    private readonly ILogger log;
    private IDisposable? listener;
    private long heard;
    private bool silent;

    public RateExchange(CounterSet counters, Database database, NodeLease lease, TimeProvider time, ILogger<RateExchange> log)
    {
        (this.counters, this.database, this.lease, this.time, this.log) = (counters, database, lease, time, log);
        heard = time.GetTimestamp();
        if (database.IsShared) counters.Share();
    }

    /// <summary>What others take is not known here: not even what this node itself says comes back.</summary>
    public bool IsDeaf => database.IsShared && time.GetElapsedTime(Volatile.Read(ref heard)) > Patience;

    public override void Dispose()
    {
        listener?.Dispose();
        listener = null;
        base.Dispose();
    }

    /// <summary>Tells what was taken here, and forgets what nobody has confirmed any more.</summary>
    public async Task RoundAsync(CancellationToken ct)
    {
        Forget();
        var taken = counters.Tell(MostPerRound).Select(one => RateTaken.Of(one.Rule, one.Who, one.Count)).ToList();
        foreach (var text in RateNews.Write(lease.Incarnation, taken)) await database.SayAsync(Channel, text, ct);
    }

    public void Hear(string text)
    {
        if (RateNews.Read(text) is not { } news) return;
        Volatile.Write(ref heard, time.GetTimestamp());
        if (news.From == lease.Incarnation) return;
        foreach (var taken in news.Taken)
        {
            var rule = taken.ToRule();
            if (rule.Per is not null) counters.Hear(rule, taken.Who, taken.Count);
            else HearAtOnce(news.From, rule, taken);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!database.IsShared) return;
        listener = database.Listen(Channel, Hear);
        using var timer = new PeriodicTimer(Every, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await RoundAsync(stoppingToken);
                silent = false;
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                if (!silent) Log.Silent(log, e.Message);
                silent = true;
            }
        }
    }

    /// <summary>How much another node has at once is said again as long as it is more than nothing: a node that is gone has nothing.</summary>
    private void HearAtOnce(string from, RateRule rule, RateTaken taken)
    {
        lock (guard)
        {
            if (!atOnce.TryGetValue((rule.Id, taken.Who), out var known)) atOnce[(rule.Id, taken.Who)] = known = (rule, []);
            if (taken.Count == 0) known.By.Remove(from);
            else known.By[from] = (taken.Count, time.GetTimestamp());
            counters.Hear(rule, taken.Who, known.By.Values.Sum(by => by.Count));
            if (known.By.Count == 0) atOnce.Remove((rule.Id, taken.Who));
        }
    }

    private void Forget()
    {
        lock (guard)
            foreach (var (key, (rule, by)) in atOnce)
            {
                foreach (var (from, (_, at)) in by)
                    if (time.GetElapsedTime(at) > Patience) by.Remove(from);
                counters.Hear(rule, key.Who, by.Values.Sum(one => one.Count));
                if (by.Count == 0) atOnce.Remove(key);
            }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "Other nodes are not told what is taken here; limits hold as their on-store-failure says: {Why}")]
        public static partial void Silent(ILogger logger, string why);
    }
}
