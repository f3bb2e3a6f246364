using System.Collections.Concurrent;
using System.Security.Cryptography;
using Turnpike.Catalog;
using Turnpike.Ledger;

namespace Turnpike.Limits.Breakers;

/// <summary>What breakers watch, counted: requests by what they are, paths, money held and spent, and what came of paid calls.</summary>
internal sealed class BreakerEvidence(CounterSet counters, TimeProvider time)
{
    private const int MostKept = 200_000, MostLine = 128;
    private const long MostDigested = 1024 * 1024;
    private readonly ConcurrentDictionary<(string Breaker, string Who), Spending> spending = new();
    private readonly ConcurrentDictionary<(string Breaker, string Who), Outcomes> outcomes = new();
    private int sweepAbove = MostKept;

    /// <summary>A sentence when it is too much, else null.</summary>
    public async ValueTask<string?> OfAsync(Call call, Breaker breaker, string who, Trial trial, CancellationToken ct) => breaker.Watch switch
    {
        BreakerWatch.IdenticalRequests => await FingerprintAsync(call, ct) is { } print && !Take(call, breaker.Rule(trial), $"{who}|{print}")
            ? $"{call.RequestLine} came more than {breaker.Rule(trial).Amount.Units} times." : null,
        BreakerWatch.EndpointCycling => IsNew(breaker, $"{who}|{call.Operation.Name}|{call.Target.Path}") && !counters.TryTake([new Demand(breaker.Rule(trial), who, 1)], out _, out _)
            ? $"More than {breaker.Rule(trial).Amount.Units} different paths, the last {call.Target.Path}." : null,
        BreakerWatch.TaskIterations => !Take(call, breaker.Rule(trial), who) ? $"The task '{call.TaskName}' has made more than {breaker.Rule(trial).Amount.Units} calls." : null,
        BreakerWatch.TaskSpend => SpentOfTask(call, breaker, who, trial),
        BreakerWatch.ErrorPaidRatio => Failed(call, breaker, who, trial),
        _ => Spent(call, breaker, who, trial),
    };

    private bool IsNew(Breaker breaker, string path) => counters.TryTake([new Demand(breaker.Once, path, 1)], out _, out _);

    /// <summary>A call that is told terms and then made again with a payment is one and not two: a 402 gives back what it took.</summary>
    private bool Take(Call call, RateRule rule, string who)
    {
        Demand[] demand = [new(rule, who, 1)];
        if (!counters.TryTake(demand, out _, out _)) return false;
        if (call.Operation.Settings.Get<Pricing.PriceModel>() is not null) call.Lease(new Counted(call, demand[0]));
        return true;
    }

    private string? SpentOfTask(Call call, Breaker breaker, string who, Trial trial)
    {
        if (call.Quote is not { Ceiling: { IsZero: false } ceiling } || ceiling.Currency != breaker.Floor!.Value.Currency) return null;
        Demand[] demand = [new(breaker.Rule(trial), who, ceiling.Units)];
        if (!counters.TryTake(demand, out _, out _)) return $"The task '{call.TaskName}' would come above {breaker.Rule(trial).Amount}.";
        call.Lease(new HeldOfTask(call, demand[0]));
        return null;
    }

    private string? Failed(Call call, Breaker breaker, string who, Trial trial)
    {
        if (call.Operation.Settings.Get<Pricing.PriceModel>() is null) return null;
        var key = (breaker.Name, trial.Of(who));
        if (!outcomes.TryGetValue(key, out var mine))
        {
            if (outcomes.Count > MostKept) outcomes.Clear(); // an attacker with many addresses must not grow this without end
            mine = outcomes.GetOrAdd(key, static _ => new Outcomes());
        }
        if (mine.IsTooMuch(call.Now.UtcTicks, breaker.Within, trial.Half ? Math.Max(1, breaker.MoreThan / 2) : breaker.MoreThan, breaker.Percent, out var bad, out var all))
            return $"{bad} of {all} paid calls came to nothing.";
        call.Lease(new Judged(call, mine, breaker.Within, time));
        return null;
    }

    private string? Spent(Call call, Breaker breaker, string who, Trial trial)
    {
        if (call.Quote?.Ceiling is not { } ceiling || ceiling.Currency != breaker.Floor!.Value.Currency) return null;
        var key = (breaker.Name, trial.Of(who));
        if (!spending.TryGetValue(key, out var mine))
        {
            if (spending.Count > Volatile.Read(ref sweepAbove)) Sweep();
            mine = spending.GetOrAdd(key, static _ => new Spending());
        }
        var times = trial.Half ? Math.Max(1, breaker.Times / 2) : breaker.Times;
        var tooMuch = mine.Add(ceiling.Units, call.Now.UtcTicks, breaker.Within, times, breaker.Floor.Value.Units, out var spent, out var usual);
        // What is refused is not spent; what is served comes to what it comes to.
        if (tooMuch && breaker.Refuses) mine.Correct(ceiling.Units, call.Now.UtcTicks, breaker.Within);
        else call.Lease(new Reserved(call, mine, ceiling, breaker.Within, time));
        return tooMuch ? $"{new Money(spent, ceiling.Currency)} held and spent, usually {new Money(usual, ceiling.Currency)}." : null;
    }

    /// <summary>Many addresses that are told terms and never pay must not grow this without end; who has paid keeps their habits.</summary>
    private void Sweep()
    {
        foreach (var (key, some) in spending)
            if (some.IsIdle) spending.TryRemove(key, out _);
        Volatile.Write(ref sweepAbove, Math.Max(MostKept, spending.Count * 2));
    }

    /// <summary>Who is known by its key and body by its digest; a request too large to look at is like no other.</summary>
    private static async ValueTask<string?> FingerprintAsync(Call call, CancellationToken ct)
    {
        var line = call.RequestLine;
        if (line.Length > MostLine) line = Convert.ToHexString(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(line)), 0, 16);
        if (call.ReadBody is null) return line;
        if (call.Headers.ContentLength is null or > MostDigested) return null;
        return $"{line}|{Convert.ToHexString(SHA256.HashData((await call.ReadBody(ct)).Span), 0, 16)}";
    }

    /// <summary>One request of many, unless it was only told terms.</summary>
    private sealed class Counted(Call call, Demand demand) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            if (call.Refused is { Reason.Status: 402 }) CounterSet.Correct(demand, 0);
            return default;
        }
    }

    /// <summary>Held money of a task's call in flight, until it is known what it came to.</summary>
    private sealed class HeldOfTask(Call call, Demand demand) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            CounterSet.Correct(demand, call.Charged is { } charged && charged.Currency == demand.Rule.Amount.Currency ? charged.Units : 0);
            return default;
        }
    }

    /// <summary>A call that was let through to be paid for: was it worth its money? What was refused here says nothing.</summary>
    private sealed class Judged(Call call, Outcomes outcomes, TimeSpan within, TimeProvider time) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            if (call.Refused is null or { Reason.Status: >= 502 and <= 504 }) outcomes.Add(!call.Delivered, time.GetUtcNow().UtcTicks, within);
            return default;
        }
    }

    /// <summary>Held money of a call in flight, until it is known what it came to.</summary>
    private sealed class Reserved(Call call, Spending spending, Money ceiling, TimeSpan within, TimeProvider time) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            spending.Correct(ceiling.Units - (call.Charged is { } charged && charged.Currency == ceiling.Currency ? charged.Units : 0), time.GetUtcNow().UtcTicks, within);
            return default;
        }
    }
}
