using Turnpike.Catalog;
using Turnpike.Catalog.Document;
using Turnpike.Catalog.Loading;
using Turnpike.Metering;
using Turnpike.Pricing;

namespace Turnpike.Limits;

/// <summary>The <c>limits:</c> section.</summary>
internal static class LimitSection
{
    private static readonly Shape<string> Part = new ChoiceShape<string>(("caller", "caller"), ("key", "key"), ("organisation", "organisation"), ("address", "address"), ("address-prefix", "address-prefix"), ("operation", "operation"), ("service", "service"));

    private static readonly Key<long> Amount = new("amount", Shapes.Count("requests"), "How many.") { Required = true, Example = "60 requests" };
    private static readonly Key<TimeSpan> Per = new("per", Shapes.Duration, "In how long.") { Required = true, Example = "1m" };
    private static readonly Key<IReadOnlyList<string>> Parts = new("key", new ListShape<string>(Part), "Whom to count together: one key made of all parts; an absent part drops out.") { Default = "everybody together", Example = "[caller, address]" };

    private static readonly Shape<RateLimit> Limit = new MapShape<RateLimit>([Amount, Per, Parts], m => new RateLimit(m.Get(Amount), m.Get(Per), m.Get(Parts, [])));

    private static readonly Key<RateLimit> Unpaid = new("unpaid", Limit, "How often terms are handed out.") { Default = Told(LimitSettings.DefaultUnpaid), Example = "{ amount: 60 requests, per: 1m, key: [caller, address] }" };
    private static readonly Key<RateLimit> InvalidProofs = new("invalid-proofs", Limit, "How often a payment may be wrong.") { Default = Told(LimitSettings.DefaultInvalidProofs), Example = "{ amount: 10 requests, per: 1m, key: [caller, address] }" };
    private static readonly Key<RateLimit> VerifierCalls = new("verifier-calls", Limit, "How often an outside verifier (chain node, facilitator, Stripe) is asked.") { Default = Told(LimitSettings.DefaultVerifierCalls), Example = "{ amount: 100 requests, per: 1s }" };

    private static readonly Key<IReadOnlyList<RateRule>> Calls = new("calls", RateShape.List(), "How many calls there may be in all, of every service.") { Default = "no limit", Example = "[{ amount: 10000 requests, per: 1m, key: [address] }]" };

    private static readonly Key<LimitSettings> Key = new("limits", new MapShape<LimitSettings>([Unpaid, InvalidProofs, VerifierCalls, Calls], m => new LimitSettings
    {
        Unpaid = m.Get(Unpaid, LimitSettings.DefaultUnpaid),
        InvalidProofs = m.Get(InvalidProofs, LimitSettings.DefaultInvalidProofs),
        VerifierCalls = m.Get(VerifierCalls, LimitSettings.DefaultVerifierCalls),
        Calls = m.Get(Calls),
    }), "The doors that stand open to strangers, and limits over all calls.") { Default = "as each key says", Example = "{ unpaid: { amount: 60 requests, per: 1m } }" };

    /// <summary>How fast one operation may be taken.</summary>
    public static readonly Section OfOperation = new(Scope.Operation, RateShape.Key("How much of it may be taken in how long; 'key' says by whom."));

    private static readonly Key<CallWeight> Weight = new("weight", new ConvertedShape<long, CallWeight>(Shapes.Integer(1, 1_000_000), requests => new CallWeight(requests)), "For how many requests one call counts in limits; in what plans include, and at once, it is one.") { Default = "1", Example = "10" };

    /// <summary>How much one call weighs.</summary>
    public static readonly Section OfWeight = new(Scope.Operation, Weight);

    /// <summary>How fast a service may be taken.</summary>
    public static readonly Section OfService = new(Scope.Service, RateShape.Key("How much of all its operations together may be taken in how long; 'key' says by whom."));

    /// <summary>How fast one caller may take anything.</summary>
    public static readonly Key OfCaller = RateShape.Key("How much it may take in how long, of everything.", "caller");

    public static readonly Section Section = new(Scope.Document, Key) { Check = Check, Tell = catalog => Tell(catalog.Settings.Get<LimitSettings>() ?? new LimitSettings()) };

    /// <summary>A limit in something that no answer tells would hold nothing.</summary>
    private static void Check(Draft draft)
    {
        foreach (var rule in WrittenLimits.Of(draft.Settings, draft.Services))
            if (IsUntold(rule, draft.Operations))
                draft.At(rule, "amount").Refuse($"nothing sold here tells '{rule.Amount.Currency}', so it would never be counted; 'usage' of an operation says where it comes from");
    }

    /// <summary>A unit of these limits that nothing sold here tells; null: there is none.</summary>
    public static string? Untold(ServiceCatalog catalog, RateRules? limits) => limits?.All.FirstOrDefault(rule => IsUntold(rule, catalog.Operations.Values))?.Amount.Currency;

    private static bool IsUntold(RateRule rule, IEnumerable<Operation> sold) =>
        rule.CountsUse && rule.Amount.Currency is not (Units.Bytes or Units.RequestBytes) && !sold.Any(o => Tells(o, rule.Amount.Currency));

    private static bool Tells(Operation operation, string unit) =>
        operation.Settings.Get<UsageSettings>()?.Tells(unit) == true || unit == Units.Records && operation.Settings.Get<PriceModel>() is PriceModel.Metered { Count: not null };

    private static IEnumerable<string> Tell(LimitSettings limits) =>
        [$"{Unpaid.Name}: {Told(limits.Unpaid)}", $"{InvalidProofs.Name}: {Told(limits.InvalidProofs)}", $"{VerifierCalls.Name}: {Told(limits.VerifierCalls)}"];

    private static string Told(RateLimit limit) =>
        $"{limit.Amount} requests per {Shapes.Tell(limit.Per)}{(limit.Key.Count > 0 ? " for each " + string.Join(" and ", limit.Key) : " for everybody together")}";
}
