using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Limits.Shared;
using Turnpike.Metering;
using Turnpike.Plans;
using Turnpike.Pricing;

namespace Turnpike.Limits;

/// <summary>
/// The limits that are written down: of everybody, the service, the operation, the caller's plan and the caller. All of them hold,
/// so the most specific narrows and never widens. What a call takes is reserved before it is forwarded and corrected when it is over.
/// </summary>
internal sealed class RuleLimits(CounterSet counters, RateExchange exchange, IAuditTrail audit, TimeProvider time)
{
    private const int MostWaiting = 1_000;
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);
    private int waiting;

    /// <summary>Filled and copied before anybody waits.</summary>
    [ThreadStatic]
    private static List<Demand>? scratch;

    /// <summary>Does any limit of this call count what it uses?</summary>
    public static bool CountsUse(Call call) =>
        call.Operation.Settings.Get<RateRules>() is { CountUse: true } || call.Catalog.Settings.Get<LimitSettings>() is { CountUse: true }
        || call.Catalog.ServiceOf(call.Operation).Settings.Get<RateRules>() is { CountUse: true } || PlanBook.Of(call) is { CountUse: true }
        || call.Principal?.Caller.Settings.Get<RateRules>() is { CountUse: true };

    /// <summary>Reserves what this call takes under every rule, or nothing; then it is 429.</summary>
    public ValueTask<Answer?> AdmitAsync(Call call, CancellationToken ct) => AdmitAsync(call, byPayer: false, ct);

    /// <summary>The same for limits by payer, when it is verified who pays and before anything is held.</summary>
    public ValueTask<Answer?> AdmitPayerAsync(Call call, string payer, string rail, CancellationToken ct)
    {
        (call.Payer, call.Rail) = (payer, rail);
        return AdmitAsync(call, byPayer: true, ct);
    }

    private ValueTask<Answer?> AdmitAsync(Call call, bool byPayer, CancellationToken ct)
    {
        var document = call.Catalog.Settings.Get<LimitSettings>()?.Calls;
        var service = call.Catalog.ServiceOf(call.Operation).Settings.Get<RateRules>()?.All;
        var operation = call.Operation.Settings.Get<RateRules>()?.All;
        var plan = PlanBook.Of(call)?.Limits;
        var caller = call.Principal?.Caller.Settings.Get<RateRules>()?.All;
        if (document is null && service is null && operation is null && plan is not { Count: > 0 } && caller is null) return default;
        var demands = scratch ??= new List<Demand>(8);
        demands.Clear();
        Add(demands, document, call, byPayer);
        Add(demands, service, call, byPayer);
        Add(demands, operation, call, byPayer);
        Add(demands, plan, call, byPayer);
        Add(demands, caller, call, byPayer);
        if (exchange.IsDeaf)
        {
            if (demands.Any(demand => demand.Rule is { OnStoreFailure: OnStoreFailure.Deny, Shadow: false }))
                return new(new Refusal(Reasons.StoreDown, "Nothing was taken: a limit that all nodes count together cannot be kept.") { RetryAfter = TimeSpan.FromSeconds(5) });
            demands.RemoveAll(demand => demand.Rule.OnStoreFailure == OnStoreFailure.Allow);
        }
        return demands.Count == 0 ? default : TakeAsync(call, [.. demands], ct);
    }

    private async ValueTask<Answer?> TakeAsync(Call call, Demand[] demands, CancellationToken ct)
    {
        if (!counters.TryTake(demands, out var tight, out var wait) && await WaitAsync(demands, tight, wait, ct) is { } last)
        {
            call.Policies = Told(call, demands);
            return Refuse(call, demands[last.Tight], last.Wait);
        }
        call.Policies = Told(call, demands);
        call.Lease(new Admission(call, demands));
        foreach (var demand in demands)
            if (demand.Exceeded) await audit.RecordAsync(call.Event(AuditKinds.LimitShadowed, Reasons.TooManyCalls.Code, demand.Rule.Id), ct);
        return null;
    }

    /// <summary>Keeps a call waiting as long as its tightest rule lets it. Null when it was admitted after all.</summary>
    private async ValueTask<(int Tight, TimeSpan Wait)?> WaitAsync(Demand[] demands, int tight, TimeSpan wait, CancellationToken ct)
    {
        var (most, asked) = (demands[tight].Rule.Wait, time.GetTimestamp());
        // What cannot come in time is told at once; when a place at once is free again, nobody knows.
        if (most == TimeSpan.Zero || wait > most && demands[tight].Rule.Per is not null || Volatile.Read(ref waiting) >= MostWaiting) return (tight, wait);
        Interlocked.Increment(ref waiting);
        try
        {
            while (time.GetElapsedTime(asked) < most)
            {
                await Task.Delay(wait < Look ? wait : Look, time, ct);
                if (counters.TryTake(demands, out tight, out wait)) return null;
            }
            return (tight, wait);
        }
        finally { Interlocked.Decrement(ref waiting); }
    }

    private static List<Policy> Told(Call call, Demand[] demands)
    {
        var told = new List<Policy>((call.Policies?.Count ?? 0) + demands.Length);
        if (call.Policies is { } before) told.AddRange(before);
        foreach (ref readonly var d in demands.AsSpan())
            if (!d.Rule.Shadow) told.Add(new Policy(d.Rule.Name, d.Rule.Amount, d.Rule.Per, d.Left, d.Until));
        return told;
    }

    private static void Add(List<Demand> demands, IReadOnlyList<RateRule>? rules, Call call, bool byPayer)
    {
        for (var i = 0; i < rules?.Count; i++)
            if (rules[i].ByPayer == byPayer && rules[i].For?.Holds(call) != false && AmountOf(rules[i], call) is > 0 and var amount) demands.Add(new Demand(rules[i], CallerKey.Of(call, rules[i].Key), amount));
    }

    /// <summary>What this call may come to at most in the rule's unit; zero when it is not counted in it.</summary>
    private static long AmountOf(RateRule rule, Call call)
    {
        if (rule.Amount.Currency == RateRule.Requests) return rule.Per is null ? 1 : call.Operation.Settings.Get<CallWeight>()?.Requests ?? 1;
        if (!rule.CountsUse) return call.Quote is { } quote && quote.Ceiling.Currency == rule.Amount.Currency ? quote.Ceiling.Units : 0;
        if (call.Metered is not { } metered || !metered.Tells(rule.Amount.Currency)) return 0;
        return (call.Quote as MeteredQuote)?.MostOf(rule.Amount.Currency) ?? metered.MostOf(rule.Amount.Currency) ?? rule.Reserve?.Units ?? 1;
    }

    private static Refusal Refuse(Call call, Demand demand, TimeSpan wait) => new(Reasons.TooManyCalls, demand.Rule.Per is { } per
        ? $"At most {demand.Rule.Amount} per {per.TotalSeconds} seconds."
        : $"At most {demand.Rule.Amount} at once.")
    {
        RetryAfter = wait,
        Limit = new LimitState(demand.Rule.Name, demand.Rule.Amount.Units, Math.Max(0, demand.Rule.Amount.Units - demand.Left), call.Now + wait, demand.Rule.Per ?? TimeSpan.Zero, demand.Rule.Amount.Currency),
    };

    /// <summary>What a call has reserved, until it is over and known.</summary>
    private sealed class Admission(Call call, Demand[] demands) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            foreach (ref readonly var demand in demands.AsSpan())
            {
                var final = Final(demand);
                if (final != demand.Amount || demand.Rule.Per is null) CounterSet.Correct(demand, final);
            }
            return default;
        }

        /// <summary>A 402 gives everything back, so that paying does not cost two calls; so does a gate that failed.</summary>
        private long Final(in Demand demand)
        {
            if (demand.Rule.Per is null || call.Refused is { Reason.Status: 402 or 409 or >= 500 } || demand.Rule.OnlySuccess && !call.Delivered) return 0;
            if (demand.Rule.Amount.Currency == RateRule.Requests) return demand.Amount;
            if (demand.Rule.CountsUse) return call.Metered?.Usage[demand.Rule.Amount.Currency] ?? 0;
            return call.Charged is { } charged && charged.Currency == demand.Rule.Amount.Currency ? charged.Units : 0;
        }
    }
}
