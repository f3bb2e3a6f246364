using System.Collections.Concurrent;
using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Catalog.Webhooks;
using Turnpike.Catalog.Loading;
using Turnpike.Storage;
using Turnpike.Telemetry;

namespace Turnpike.Billing.Export;

/// <summary>
/// Empties each destination's queue: at least once, in order for each subject, one node at a time. What fails is tried again, alone
/// and ever more seldom; what is refused, or tried for too long, becomes a dead letter. A destination that is down holds up nobody else.
/// </summary>
internal sealed partial class UsageExporter(OutboxStore store, CatalogSource catalog, HttpClients clients, IAuditTrail audit, TimeProvider time, ILogger<UsageExporter> log) : BackgroundService
{
    private const int MostBatches = 64;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500), Longest = TimeSpan.FromMinutes(5), LongestRest = TimeSpan.FromMinutes(1);
    private readonly ConcurrentDictionary<string, Route> routes = new(StringComparer.Ordinal);

    /// <summary>One look at every queue, to its end.</summary>
    public Task RoundAsync(CancellationToken ct) => Task.WhenAll(Current().Select(route => DrainAsync(route, ct)));

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (routes.IsEmpty) return;
        try { await store.LeaveAsync(CancellationToken.None); }
        catch (StorageException e) { Log.Failed(log, e, "every destination"); } // then it lapses
    }

    public override void Dispose()
    {
        foreach (var route in routes.Values) route.Sink.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Pause, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
            foreach (var route in Current())
                if (route.Running.IsCompleted) route.Running = DrainAsync(route, stoppingToken);
    }

    /// <summary>The destinations of the document in force; a changed one gets a new sink, and its queue goes on.</summary>
    private List<Route> Current()
    {
        List<Route> current = [];
        foreach (var destination in catalog.Current.Settings.Get<ExportSettings>()?.Destinations ?? [])
        {
            var route = routes.GetValueOrDefault(destination.Name);
            if (route?.Destination != destination && route?.Running.IsCompleted != false)
            {
                route?.Sink.Dispose();
                routes[destination.Name] = route = new Route(destination, SinkOf(destination));
            }
            if (route is not null) current.Add(route);
        }
        return current;
    }

    private IUsageSink SinkOf(ExportDestination to) => to.Target switch
    {
        ExportTarget.CloudEvents target => new CloudEventSink(target, clients, to.Timeout),
        ExportTarget.Stripe { Stream: not null } target => new StripeStreamSink(target, clients, to.Timeout, time),
        ExportTarget.Stripe target => new StripeMeterSink(target, clients, to.Timeout),
        ExportTarget.Lago target => new LagoSink(target, clients, to.Timeout),
        ExportTarget.Webhook target => new WebhookSink(target, clients, to.Timeout, time),
        ExportTarget.Files target => new FileSink(to.Name, target, store, time),
        _ => throw new InvalidOperationException(),
    };

    private async Task DrainAsync(Route route, CancellationToken ct)
    {
        try
        {
            for (var i = 0; i < MostBatches && !route.Rests(time); i++)
            {
                var next = await store.NextAsync(route.Destination.Name, route.Sink.Most, ct);
                if (next.Count == 0) return;
                if (route.IsClaimed(time)) await SendAsync(route, Together(next), ct);
                // Looked at again once it is ours: another node may have sent these meanwhile.
                else if (await store.ClaimAsync(route.Destination.Name, ct)) route.Claimed(time);
                else return;
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested) { }
        catch (Exception e) when (!ct.IsCancellationRequested) { Log.Failed(log, e, route.Destination.Name); }
    }

    /// <summary>What was tried before goes alone, so that one bad event is found and holds up nobody but its subject.</summary>
    private static IReadOnlyList<OutboxRow> Together(IReadOnlyList<OutboxRow> rows) => rows[0].Tries > 0 ? [rows[0]] : [.. rows.TakeWhile(row => row.Tries == 0)];

    private async Task SendAsync(Route route, IReadOnlyList<OutboxRow> rows, CancellationToken ct)
    {
        var to = route.Destination;
        if (rows.Where(row => to.SubjectOf(row.Subject) is null).ToList() is { Count: > 0 } others)
        {
            await store.DoneAsync(to.Name, others, null, ct);
            Instruments.Exported(to.Name, "skipped", others.Count);
            rows = [.. rows.Except(others)];
        }
        if (rows.Count == 0) return;
        // It may have taken it when nobody heard its yes, and is asked again only while it remembers.
        if (to.Target is ExportTarget.Stripe && rows is [{ First: { } first }] && time.GetUtcNow() - first >= to.GiveUp)
        {
            await BuryAsync(to, rows, "nobody could try again in time, and it may have forgotten what it took", ct);
            return;
        }
        switch (await route.Sink.SendAsync([.. rows.Select(row => row with { Subject = to.SubjectOf(row.Subject)! })], ct))
        {
            case Sent.Accepted accepted:
                await store.DoneAsync(to.Name, rows, (accepted as Written)?.Place, ct);
                route.Worked();
                Instruments.Exported(to.Name, "sent", rows.Count);
                break;
            case Sent.Refused when rows.Count > 1: // one of them at least: halved until it stands alone
                await SendAsync(route, [.. rows.Take(rows.Count / 2)], ct);
                if (!route.Rests(time)) await SendAsync(route, [.. rows.Skip(rows.Count / 2)], ct);
                break;
            case Sent.Refused refused:
                await BuryAsync(to, rows, refused.Error, ct);
                break;
            case Sent.Later later:
                await LaterAsync(route, rows, later, ct);
                break;
        }
    }

    private async Task LaterAsync(Route route, IReadOnlyList<OutboxRow> rows, Sent.Later later, CancellationToken ct)
    {
        var to = route.Destination;
        route.Failed(time, later.After);
        Log.Later(log, to.Name, later.Error);
        Instruments.Exported(to.Name, "failed", rows.Count);
        if (rows is [{ First: { } first } old] && time.GetUtcNow() - first >= to.GiveUp) await BuryAsync(to, [old], later.Error, ct);
        // Longer than the destination rests: others have their turn before what has just failed.
        else await store.LaterAsync(to.Name, rows, Doubled(rows[0].Tries + 2, Longest), later.Error, ct);
    }

    private async Task BuryAsync(ExportDestination to, IReadOnlyList<OutboxRow> rows, string error, CancellationToken ct)
    {
        await store.BuryAsync(to.Name, rows, error, ct);
        Instruments.Exported(to.Name, "dead", rows.Count);
        foreach (var row in rows)
        {
            Log.Buried(log, to.Name, row.Record.Id, error);
            await audit.RecordAsync(new AuditEvent { Kind = AuditKinds.Undeliverable, Correlation = Ids.New("c"), Operation = row.Record.Operation, Caller = row.Record.Caller, Payer = row.Record.Payer, Reference = row.Record.Id, Detail = $"{to.Name}: {error}" }, ct);
        }
    }

    private static TimeSpan Doubled(long times, TimeSpan most) => TimeSpan.FromSeconds(Math.Min(1L << (int)Math.Min(times, 20), (long)most.TotalSeconds));

    /// <summary>A destination, its sink, and whether it is left in peace for a while.</summary>
    private sealed class Route(ExportDestination destination, IUsageSink sink)
    {
        private DateTimeOffset until;
        private long? claimed;
        private int failures;

        public ExportDestination Destination => destination;

        public IUsageSink Sink => sink;

        public Task Running { get; set; } = Task.CompletedTask;

        public bool Rests(TimeProvider time) => time.GetUtcNow() < until;

        /// <summary>By the clock that never jumps, and for less than the database grants it.</summary>
        public bool IsClaimed(TimeProvider time) => claimed is { } at && time.GetElapsedTime(at) < OutboxStore.Lease / 2;

        public void Claimed(TimeProvider time) => claimed = time.GetTimestamp();

        public void Worked() => failures = 0;

        public void Failed(TimeProvider time, TimeSpan? after)
        {
            var rest = Doubled(failures++, LongestRest);
            until = time.GetUtcNow() + (after is { } asked && asked > rest ? asked < LongestRest ? asked : LongestRest : rest);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "{Destination} was not told of use and is tried again: {Error}")]
        public static partial void Later(ILogger logger, string destination, string error);

        [LoggerMessage(Level = LogLevel.Error, Message = "{Destination} is not told of {Id}: {Error}")]
        public static partial void Buried(ILogger logger, string destination, string id, string error);

        [LoggerMessage(Level = LogLevel.Error, Message = "The queue of {Destination} could not be worked on; it is looked at again.")]
        public static partial void Failed(ILogger logger, Exception exception, string destination);
    }
}
