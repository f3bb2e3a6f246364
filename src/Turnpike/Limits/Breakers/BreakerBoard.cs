using System.Collections.Concurrent;
using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Limits.Incidents;

namespace Turnpike.Limits.Breakers;

/// <summary>
/// Stops agents that have run away: before anything is paid. An open breaker stops its caller (or that task) alone, on every node;
/// when its time is over it is half open for one stretch, in which half as much opens it again. Every trip is audited with its
/// evidence.
/// </summary>
internal sealed class BreakerBoard(BreakerEvidence evidence, BreakerStore store, IncidentBoard incidents, Notices.Notices notices, IAuditTrail audit, TimeProvider time) : IHostedService
{
    private const int MostOpen = 100_000;
    private static readonly TimeSpan Remembered = TimeSpan.FromDays(1);
    private volatile ConcurrentDictionary<(string Breaker, string Who), Tripped> open = new();

    /// <summary>Those that are open now.</summary>
    public IReadOnlyList<Tripped> Open => [.. open.Values.Where(t => t.Until > time.GetUtcNow()).OrderByDescending(t => t.Since)];

    /// <summary>What stops this call, when it is known who asks; null: nothing.</summary>
    public ValueTask<(Breaker Breaker, Tripped Tripped)?> CheckAsync(Call call, CancellationToken ct) =>
        call.Catalog.Settings.Get<BreakerSettings>() is { } settings ? CheckAsync(call, settings, ofSpending: false, ct) : default;

    /// <summary>The same for what can be judged only when the price is known.</summary>
    public ValueTask<(Breaker Breaker, Tripped Tripped)?> CheckSpendingAsync(Call call, CancellationToken ct) =>
        call.Quote is not null && call.Catalog.Settings.Get<BreakerSettings>() is { AnyOfSpending: true } settings ? CheckAsync(call, settings, ofSpending: true, ct) : default;

    /// <summary>Closes it for this caller. False when it was not open.</summary>
    public async ValueTask<bool> ResetAsync(string breaker, string who, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        if (!open.TryGetValue((breaker, who), out var known) || known.Until <= now) return false;
        // Kept as closed, so that no node goes on with what it has counted.
        await store.PutAsync(open[(breaker, who)] = known.ClosedAt(now), now - Remembered, ct);
        await audit.RecordAsync(new AuditEvent { Kind = AuditKinds.BreakerReset, Correlation = Ids.New("c"), Caller = who, Reference = breaker }, ct);
        return true;
    }

    /// <summary>An operator has turned back the incident that closed this caller: the breakers that closed it begin anew with it.</summary>
    public async ValueTask LetInAsync(ServiceCatalog catalog, string caller, CancellationToken ct)
    {
        foreach (var tripped in Open)
            if ((tripped.Who == caller || tripped.Who.StartsWith($"caller:{caller}/task:", StringComparison.Ordinal)) && catalog.Settings.Get<BreakerSettings>()?.All.Any(b => b.Name == tripped.Breaker && b.Action == BreakerAction.Quarantine) == true)
                await ResetAsync(tripped.Breaker, tripped.Who, ct);
    }

    /// <summary>What is open by the database, here and on other nodes.</summary>
    public async Task RefreshAsync(CancellationToken ct) =>
        open = new((await store.ListAsync(MostOpen, ct)).Select(t => KeyValuePair.Create((t.Breaker, t.Who), t)));

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await RefreshAsync(cancellationToken);
        store.OnChanged(() => _ = LookAsync());
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task LookAsync()
    {
        // What was open stays so while the database cannot say otherwise.
        try { await RefreshAsync(CancellationToken.None); }
        catch (Exception e) when (e is Storage.StorageException or Storage.StorageUnavailableException) { }
    }

    private async ValueTask<(Breaker, Tripped)?> CheckAsync(Call call, BreakerSettings settings, bool ofSpending, CancellationToken ct)
    {
        var caller = call.Caller ?? CallerKey.Of(call, ["address"]);
        foreach (var breaker in settings.All)
        {
            if (breaker.IsOfTask && call.TaskName is null || breaker.Except.Contains(call.Operation.Name)) continue;
            var who = breaker.IsOfTask ? $"caller:{caller}/task:{call.TaskName}" : caller;
            var known = open.GetValueOrDefault((breaker.Name, who));
            if (known is not null && known.Until > call.Now) { if (breaker.Refuses) return (breaker, known); continue; }
            if (breaker.IsOfSpending != ofSpending) continue;
            var trial = breaker.TrialAfter(known, call.Now);
            if (known is not null && trial == default) open.TryRemove((breaker.Name, who), out _);
            if (await evidence.OfAsync(call, breaker, who, trial, ct) is not { } found) continue;
            var tripped = new Tripped(breaker.Name, who, found, call.Now, breaker is { Action: BreakerAction.Ask, Shadow: false } ? Tripped.Forever : call.Now + breaker.For);
            await TripAsync(call, breaker, tripped, ct);
            if (breaker.Refuses) return (breaker, tripped);
        }
        return null;
    }

    private async ValueTask TripAsync(Call call, Breaker breaker, Tripped tripped, CancellationToken ct)
    {
        if (open.Count < MostOpen) open[(tripped.Breaker, tripped.Who)] = tripped;
        var happened = Event(call, tripped, breaker);
        await audit.RecordAsync(happened, ct);
        if (!breaker.Shadow) await notices.PostAsync(happened, ct);
        if (breaker is { Action: BreakerAction.Quarantine, Shadow: false } && call.Caller is { } caller)
            await incidents.SetAsync("caller:" + caller, IncidentMode.Closed, $"The breaker '{breaker.Name}' has tripped; ask the owner of this service.", ct);
        await store.PutAsync(tripped, call.Now - Remembered, ct);
    }

    private static AuditEvent Event(Call call, Tripped tripped, Breaker breaker) =>
        call.Event(AuditKinds.BreakerTripped, breaker.Shadow ? "shadow" : breaker.Action.ToString().ToLowerInvariant(), tripped.Breaker, tripped.Evidence);
}
