using System.Collections.Concurrent;
using System.Collections.Frozen;
using Turnpike.Audit;
using Turnpike.Catalog;

namespace Turnpike.Limits.Incidents;

/// <summary>
/// What the owner has switched off, in force for the next decision of this node at once and on every other within a second. While
/// nothing is, asking costs one read.
/// </summary>
internal sealed class IncidentBoard(IncidentStore store, IAuditTrail audit, TimeProvider time) : BackgroundService
{
    public const string Installation = "installation";

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);
    private readonly ConcurrentDictionary<Call, Action> open = new();
    private readonly SemaphoreSlim refreshing = new(1, 1);
    private volatile FrozenDictionary<string, Incident> incidents = FrozenDictionary<string, Incident>.Empty;

    public bool IsQuiet => incidents.Count == 0;

    public IReadOnlyList<Incident> All => [.. incidents.Values.OrderBy(i => i.Scope, StringComparer.Ordinal)];

    /// <summary>What is switched for this call: everywhere, for its service, its operation and its caller.</summary>
    public IEnumerable<Incident> Of(Call call)
    {
        var now = incidents;
        string?[] scopes = [Installation, "service:" + call.Operation.Service, "operation:" + call.Operation.Name, call.Caller is { } caller ? "caller:" + caller : null];
        foreach (var scope in scopes)
            if (scope is not null && now.TryGetValue(scope, out var found)) yield return found;
    }

    /// <summary>What is switched for a way to pay, by the method's name or its protocol's.</summary>
    public Incident? OfRail(string method, string protocol) =>
        IsQuiet ? null : incidents.GetValueOrDefault("rail:" + method) ?? incidents.GetValueOrDefault("rail:" + protocol);

    /// <summary>In force here when it returns, durable and audited; normal takes it away.</summary>
    public async ValueTask<Incident> SetAsync(string scope, IncidentMode mode, string reason, CancellationToken ct)
    {
        var incident = new Incident(scope, mode, reason, time.GetUtcNow());
        await store.PutAsync(incident, ct);
        await RefreshAsync(ct);
        await audit.RecordAsync(new AuditEvent { Kind = AuditKinds.IncidentSet, Correlation = Ids.New("c"), Reason = incident.ModeText, Reference = scope, Detail = reason }, ct);
        await audit.FlushAsync(ct);
        return incident;
    }

    public async ValueTask RefreshAsync(CancellationToken ct)
    {
        // One after the other: who read before a change must not have the last word after it.
        await refreshing.WaitAsync(ct);
        try { incidents = (await store.ListAsync(ct)).ToFrozenDictionary(i => i.Scope, StringComparer.Ordinal); }
        finally { refreshing.Release(); }
        if (IsQuiet) return;
        foreach (var (call, cut) in open)
            if (MustEnd(call)) cut();
    }

    private bool MustEnd(Call call) => Of(call).Any(i => i.Mode == IncidentMode.Closed || i.Mode == IncidentMode.ReadOnly && call.Method is not ("GET" or "HEAD"));

    /// <summary>An answer without an end in sight: <paramref name="cut"/> is called when this call may no longer go on.</summary>
    public void Follow(Call call, Action cut)
    {
        open[call] = cut;
        call.Lease(new Ended(this, call));
        // It was let in before, and those who were open have been looked through already.
        if (!IsQuiet && MustEnd(call)) cut();
    }

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        // Before the door opens: a restart in an incident must not let a single call through.
        await RefreshAsync(cancellationToken);
        store.OnChanged(() => _ = LookAsync(CancellationToken.None).AsTask());
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Look, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) await LookAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested) { /* the end */ }
    }

    private async ValueTask LookAsync(CancellationToken ct)
    {
        // What was in force stays so while the database cannot say otherwise.
        try { await RefreshAsync(ct); }
        catch (Exception) when (!ct.IsCancellationRequested) { }
    }

    private sealed class Ended(IncidentBoard board, Call call) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            board.open.TryRemove(call, out _);
            return default;
        }
    }
}

/// <summary>Something switched off, why, and since when.</summary>
/// <param name="Scope"><c>installation</c>, <c>service:x</c>, <c>operation:x</c>, <c>caller:x</c> or <c>rail:x402</c>.</param>
internal sealed record Incident(string Scope, IncidentMode Mode, string Reason, DateTimeOffset Since)
{
    public string ModeText => Mode switch { IncidentMode.NoNewPayments => "no-new-payments", IncidentMode.PaidOnly => "paid-only", IncidentMode.ReadOnly => "read-only", IncidentMode.Closed => "closed", _ => "normal" };

    public static IncidentMode? ReadMode(string? text) => text switch
    {
        "normal" => IncidentMode.Normal,
        "no-new-payments" => IncidentMode.NoNewPayments,
        "paid-only" => IncidentMode.PaidOnly,
        "read-only" => IncidentMode.ReadOnly,
        "closed" => IncidentMode.Closed,
        _ => null,
    };
}

/// <summary>How much is switched off.</summary>
internal enum IncidentMode
{
    Normal,

    /// <summary>No money is taken; what was paid for is still answered.</summary>
    NoNewPayments,

    /// <summary>Free operations are not served.</summary>
    PaidOnly,

    /// <summary>GET and HEAD alone.</summary>
    ReadOnly,

    /// <summary>Nothing.</summary>
    Closed,
}
