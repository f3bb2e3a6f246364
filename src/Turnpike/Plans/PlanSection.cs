using System.Collections.Frozen;
using Turnpike.Catalog;
using Turnpike.Catalog.Document;
using Turnpike.Catalog.Loading;
using Turnpike.Identity;
using Turnpike.Ledger;
using Turnpike.Metering;

namespace Turnpike.Plans;

/// <summary>The <c>plans:</c> section.</summary>
internal static class PlanSection
{
    private static readonly Key<Money> Amount = new("amount", PeriodShape.Amount, "How much: requests, a unit of usage, or money that prices are taken from.") { Required = true, Example = "10000 total_tokens" };
    private static readonly Key<WhenUsedUp> UsedUp = new("when-used-up", new ChoiceShape<WhenUsedUp>(("pay", WhenUsedUp.Pay), ("wait", WhenUsedUp.Wait), ("refuse", WhenUsedUp.Refuse), ("bill", WhenUsedUp.Bill)),
        "The next call then: 402 with terms, 429 until the next period, 403, or go on and count it as overage.") { Default = "pay", Example = "wait" };
    private static readonly Key<string> Tier = new("tier", Shapes.Text, "Only for models of this tier.") { Default = "for all models that no other allowance of the same unit names", Example = "premium" };
    private static readonly Key<IReadOnlyList<string>> Operations = new("operations", new ListShape<string>(Shapes.Text, least: 1), "Only for these operations.") { Default = "all", Example = "[chat]" };
    private static readonly Key<Money> Overage = new("overage", PeriodShape.Amount, "With bill: how much more may be taken in one period.") { Default = "as much as is asked for", Example = "1000 total_tokens" };

    private static readonly Shape<Allowance> Include = new MapShape<Allowance>([Amount, .. PeriodShape.Keys, UsedUp, Overage, Tier, Operations], Build);

    private static readonly Key<IReadOnlyList<Allowance>> Includes = new("includes", new ListShape<Allowance>(Include), "What is paid with the plan, period by period.") { Default = "nothing", Example = "[{ amount: 10000 total_tokens, per: 1mo, when-used-up: wait }]" };
    private static readonly Key<IReadOnlyList<RateRule>> Limits = new("limits", RateShape.List("caller"), "How fast each of its callers may take it.") { Default = "none", Example = "[{ amount: 10 requests, per: 1m }]" };
    private static readonly Key<IReadOnlyList<KeyValuePair<string, IReadOnlyList<string>>>> Tiers = new("tiers", new NamedShape<IReadOnlyList<string>>("models by tier", "tier", OperationSection.CheckName, new ListShape<string>(Shapes.Text, least: 1)), "Models by the tier they belong to.") { Default = "none", Example = "{ premium: [gpt-4o] }" };

    private static readonly Shape<string> Entitled = new ScalarShape<string>("true, false, a whole number or a word", (string t, out string? v) => Plans.Entitlements.CheckValue(v = t));
    private static readonly Key<IReadOnlyList<KeyValuePair<string, string>>> Entitlements = new("entitlements", new NamedShape<string>("entitlements by name", "entitlement", Plans.Entitlements.CheckName, Entitled), "What else it opens: switches that operations ask for, and values; the upstream is told them.") { Default = "nothing", Example = "{ export: true, seats: 5 }" };

    private static readonly Key<long> Weight = new("weight", Shapes.Integer(1, 1000), "Its turns, where calls wait for an upstream that takes only so much at once.") { Default = "1", Example = "5" };

    private static readonly Shape<Plan> One = new MapShape<Plan>([Includes, PostpaidSection.Key, Limits, Tiers, Entitlements, Weight], BuildPlan);

    private static readonly Key<PlanSettings> Key = new("plans", new ConvertedShape<IReadOnlyList<KeyValuePair<string, Plan>>, PlanSettings>(new NamedShape<Plan>("plans by name", "plan", OperationSection.CheckName, One), Named),
        "What callers can buy: allowances and limits.") { Default = "none", Example = "{ free: { includes: [{ amount: 5 requests, per: 1m }] } }" };

    public static readonly Section Section = new(Scope.Document, Key) { Check = Check, Tell = catalog => catalog.Settings.Get<PlanSettings>() is { } plans ? Tell(plans) : [] };

    private static Allowance? Build(MapValues m)
    {
        var (amount, used) = (m.Get(Amount), m.Get(UsedUp));
        if (amount.Currency is not (RateRule.Requests or Units.Total) && !Money.IsMoney(amount.Currency))
        {
            m.Of(Amount).Refuse($"'{amount.Currency}' is nothing a plan can include; write requests, total_tokens or money");
            return null;
        }
        Money? overage = m.IsWritten(Overage) ? m.Get(Overage) : null;
        if (overage is { } more && (used != WhenUsedUp.Bill || more.Currency != amount.Currency))
        {
            m.Of(Overage).Refuse("is of the allowance's own unit, and only with 'when-used-up: bill'");
            return null;
        }
        return new Allowance(amount, PeriodShape.Read(m), used) { Overage = overage, Tier = m.Get(Tier), Operations = m.Get(Operations, []) };
    }

    private static Plan? BuildPlan(MapValues m)
    {
        var tiers = m.Get(Tiers, []).ToFrozenDictionary(t => t.Key, t => t.Value.ToFrozenSet(StringComparer.Ordinal), StringComparer.Ordinal);
        var includes = m.Get(Includes, []);
        foreach (var allowance in includes)
            if (allowance.Tier is { } tier && !tiers.ContainsKey(tier)) m.At.Reading.PlaceOf(allowance, "tier").Refuse($"'{tier}' is no tier of this plan");
        foreach (var twice in includes.GroupBy(a => a.Feature, StringComparer.Ordinal).Where(g => g.Count() > 1))
            m.Of(Includes).Refuse($"{twice.First().Amount.Currency} per {twice.First().Per.Text} is included twice for the same");
        // A call comes to so many tokens, or to so much money: the other would be charged the most the call could have been.
        foreach (var counted in includes.Where(a => a.Amount.Currency == Units.Total))
            if (includes.FirstOrDefault(other => Money.IsMoney(other.Amount.Currency) && IsForTheSame(counted, other, tiers)) is { } paid)
                m.At.Reading.PlaceOf(paid, Amount.Name).Refuse("is included for the same calls as total_tokens; include one of them, or name 'operations' or a 'tier' for each");
        var postpaid = m.Get(PostpaidSection.Key);
        foreach (var counted in includes.Where(a => postpaid is not null && a.Overage is not null))
            m.At.Reading.PlaceOf(counted, Overage.Name).Refuse("counts units; a postpaid plan bills the price of the calls, up to the 'limit' of 'postpaid'");
        return new Plan("") { Includes = includes, Postpaid = postpaid, Limits = m.Get(Limits, []), Tiers = tiers, Entitlements = new Entitlements(m.Get(Entitlements, [])), Weight = (int)m.Get(Weight, 1L) };
    }

    private static bool IsForTheSame(Allowance a, Allowance b, FrozenDictionary<string, FrozenSet<string>> tiers) =>
        (a.Operations.Count == 0 || b.Operations.Count == 0 || a.Operations.Intersect(b.Operations, StringComparer.Ordinal).Any())
        && (a.Tier is null || b.Tier is null || tiers.TryGetValue(a.Tier, out var some) && tiers.TryGetValue(b.Tier, out var others) && some.Overlaps(others));

    private static PlanSettings Named(IReadOnlyList<KeyValuePair<string, Plan>> plans) =>
        new(plans.ToFrozenDictionary(p => p.Key, p => p.Value with { Name = p.Key }, StringComparer.Ordinal));

    private static void Check(Draft draft)
    {
        if (!draft.IsBroken(Key)) CheckCallers(draft, draft.Settings.Get<PlanSettings>()?.Plans.Keys ?? []);
        if (draft.Settings.Get<PlanSettings>() is not { } settings) return;
        var known = draft.Operations.Select(o => o.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var allowance in settings.Plans.Values.SelectMany(p => p.Includes))
            foreach (var name in allowance.Operations.Where(name => !known.Contains(name)))
                draft.At(allowance, "operations").Refuse($"'{Reading.Shown(name)}' is no operation{(Nearest.Of(name, known) is { } near ? $"; did you mean '{near}'?" : "")}");
    }

    /// <summary>Whoever has a plan that nobody wrote down would have none.</summary>
    private static void CheckCallers(Draft draft, IReadOnlyList<string> plans)
    {
        foreach (var caller in draft.Settings.Get<CallerSettings>()?.All ?? [])
            foreach (var (key, name) in new[] { ("plan", caller.Caller.Plan), ("plan-then", caller.Caller.Term?.Then) })
                if (name is not null && !plans.Contains(name)) draft.At(caller, key).Refuse($"names no plan of 'plans'{(Nearest.Of(name, plans) is { } near ? $"; did you mean '{near}'?" : "")}");
    }

    private static IEnumerable<string> Tell(PlanSettings settings)
    {
        foreach (var plan in settings.Plans.Values.OrderBy(p => p.Name, StringComparer.Ordinal))
        {
            var parts = plan.Includes.Select(a => $"{a.Amount} per {a.Per.Text} included, then {a.WhenUsedUp.ToString().ToLowerInvariant()}")
                .Concat(plan.Limits.Select(l => $"at most {l.Amount}{(l.Per is { } per ? $" per {Shapes.Tell(per)}" : " at once")}"));
            if (plan.Postpaid is { } account) parts = parts.Append($"on account per {account.Per.Text}{(account.Fee is { } fee ? $" for {fee}" : "")}{(account.Limit is { } most ? $" up to {most}" : "")}, due after {Shapes.Tell(account.Due)}");
            yield return $"{plan.Name}: {string.Join("; ", parts)}";
        }
    }
}
