using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Limits.Incidents;

namespace Turnpike.Limits.Breakers;

/// <summary>
/// Stops agents that have run away: before the limits, and before anything is paid. An open breaker refuses its caller alone; when
/// its time is over it is half open for one stretch, in which half as much opens it again. Every trip is audited with its evidence.
/// </summary>
internal sealed class BreakerBoard(CounterSet counters, IncidentBoard incidents, Notices.Notices notices, IAuditTrail audit, TimeProvider time)
{
    private const int MostOpen = 100_000;
    private const long MostDigested = 1024 * 1024;
    private readonly ConcurrentDictionary<(string Breaker, string Who), Tripped> open = new();
    private readonly ConcurrentDictionary<(string Breaker, string Who), Spending> spending = new();

    /// <summary>Those that are open now.</summary>
    public IReadOnlyList<Tripped> Open => [.. open.Values.Where(t => t.Until > time.GetUtcNow()).OrderByDescending(t => t.Since)];

    public ValueTask<Answer?> CheckAsync(Call call, CancellationToken ct) =>
        call.Catalog.Settings.Get<BreakerSettings>() is { } settings ? CheckAsync(call, settings, ct) : default;

    /// <summary>Closes it for this caller. False when it was not open.</summary>
    public async ValueTask<bool> ResetAsync(string breaker, string who, CancellationToken ct)
    {
        spending.TryRemove((breaker, who), out _);
        if (!open.TryRemove((breaker, who), out _)) return false;
        await audit.RecordAsync(new AuditEvent { Kind = AuditKinds.BreakerReset, Correlation = Ids.New("c"), Caller = who, Reference = breaker }, ct);
        return true;
    }

    private async ValueTask<Answer?> CheckAsync(Call call, BreakerSettings settings, CancellationToken ct)
    {
        var who = call.Caller ?? CallerKey.Of(call, ["address"]);
        foreach (var breaker in settings.All)
        {
            var known = open.GetValueOrDefault((breaker.Name, who));
            if (known is not null && known.Until > call.Now) { if (breaker.Refuses) return Refuse(call, breaker, known); continue; }
            var halfOpen = known is not null && known.Until + breaker.Within > call.Now;
            if (known is not null && !halfOpen) open.TryRemove((breaker.Name, who), out _);
            if (await EvidenceAsync(call, breaker, who, halfOpen, ct) is not { } evidence) continue;
            var tripped = new Tripped(breaker.Name, who, evidence, call.Now, breaker.Action == BreakerAction.Ask ? DateTimeOffset.MaxValue : call.Now + breaker.For);
            if (open.Count < MostOpen) open[(breaker.Name, who)] = tripped;
            var happened = Event(call, tripped, breaker);
            await audit.RecordAsync(happened, ct);
            notices.Post(happened);
            if (breaker.Action == BreakerAction.Quarantine && call.Caller is { } caller) await incidents.SetAsync("caller:" + caller, IncidentMode.Closed, $"The breaker '{breaker.Name}' has tripped; ask the owner of this service.", ct);
            if (breaker.Refuses) return Refuse(call, breaker, tripped);
        }
        return null;
    }

    /// <summary>A sentence when it is too much, else null.</summary>
    private async ValueTask<string?> EvidenceAsync(Call call, Breaker breaker, string who, bool halfOpen, CancellationToken ct) => breaker.Watch switch
    {
        BreakerWatch.IdenticalRequests => await FingerprintAsync(call, ct) is { } print && !Take(breaker.Rule(halfOpen), $"{who}|{print}")
            ? $"{call.RequestLine} came more than {breaker.Rule(halfOpen).Amount.Units} times." : null,
        BreakerWatch.EndpointCycling => Take(breaker.Once, $"{who}|{call.Operation.Name}|{call.Target.Path}") && !Take(breaker.Rule(halfOpen), who)
            ? $"More than {breaker.Rule(halfOpen).Amount.Units} different paths, the last {call.Target.Path}." : null,
        _ => Spent(call, breaker, who, halfOpen),
    };

    private bool Take(RateRule rule, string who) => counters.TryTake([new Demand(rule, who, 1)], out _, out _);

    private string? Spent(Call call, Breaker breaker, string who, bool halfOpen)
    {
        if (call.Quote?.Ceiling is not { } ceiling || ceiling.Currency != breaker.Floor!.Value.Currency) return null;
        var mine = spending.GetOrAdd((breaker.Name, who), static _ => new Spending());
        var times = halfOpen ? Math.Max(1, breaker.Times / 2) : breaker.Times;
        var tooMuch = mine.Add(ceiling.Units, call.Now.UtcTicks, breaker.Within, times, breaker.Floor.Value.Units, out var spent, out var usual);
        // What is refused is not spent; what is served comes to what it comes to.
        if (tooMuch && breaker.Refuses) mine.Correct(ceiling.Units, call.Now.UtcTicks, breaker.Within);
        else call.Lease(new Reserved(call, mine, ceiling, breaker.Within, time));
        return tooMuch ? $"{new Ledger.Money(spent, ceiling.Currency)} held and spent, usually {new Ledger.Money(usual, ceiling.Currency)}." : null;
    }

    /// <summary>Who is known by its key and body by its digest; a request too large to look at is like no other.</summary>
    private static async ValueTask<string?> FingerprintAsync(Call call, CancellationToken ct)
    {
        if (call.ReadBody is null) return call.RequestLine;
        if (call.Headers.ContentLength is null or > MostDigested) return null;
        return $"{call.RequestLine}|{Convert.ToHexString(SHA256.HashData((await call.ReadBody(ct)).Span), 0, 16)}";
    }

    private static Refusal Refuse(Call call, Breaker breaker, Tripped tripped) => breaker.Action == BreakerAction.Ask ? new(Reasons.ApprovalRequired, $"{tripped.Evidence} An operator has to let you in again.") { RetryAfter = TimeSpan.FromSeconds(30) } : new(Reasons.AbnormalUsage, tripped.Evidence)
    {
        RetryAfter = tripped.Until - call.Now,
        Limit = new LimitState(breaker.Name, breaker.MoreThan, breaker.MoreThan, tripped.Until, breaker.Within),
    };

    private static AuditEvent Event(Call call, Tripped tripped, Breaker breaker) => new()
    {
        Kind = AuditKinds.BreakerTripped,
        Correlation = call.Correlation,
        Reason = breaker.Action.ToString().ToLowerInvariant(),
        Operation = call.Operation.Name,
        Caller = call.Caller,
        Address = call.Address,
        Request = call.RequestLine,
        Reference = tripped.Breaker,
        Detail = tripped.Evidence,
    };

    /// <summary>Held money of a call in flight, until it is known what it came to.</summary>
    private sealed class Reserved(Call call, Spending spending, Ledger.Money ceiling, TimeSpan within, TimeProvider time) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            spending.Correct(ceiling.Units - (call.Charged is { } charged && charged.Currency == ceiling.Currency ? charged.Units : 0), time.GetUtcNow().UtcTicks, within);
            return default;
        }
    }
}

/// <summary>A breaker that has opened for one caller, or address, and why.</summary>
internal sealed record Tripped(string Breaker, string Who, string Evidence, DateTimeOffset Since, DateTimeOffset Until);
