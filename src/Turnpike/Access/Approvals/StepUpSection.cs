using Turnpike.Catalog;
using Turnpike.Catalog.Document;
using Turnpike.Catalog.Loading;
using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Pricing;

namespace Turnpike.Access.Approvals;

/// <summary>The <c>step-up</c> of an operation.</summary>
internal static class StepUpSection
{
    private static readonly Key<Money> Above = new("above", Shapes.Money, "Calls that cost more than this are asked for more.") { Default = "whatever they cost", Example = "1.00 USD" };
    private static readonly Key<StepUpRequirement> Require = new("require", new ChoiceShape<StepUpRequirement>(("approval", StepUpRequirement.Approval), ("identity", StepUpRequirement.Identity), ("confirmations", StepUpRequirement.Confirmations)), "An operator's yes, a request signed by its caller, or a payment on a chain that so many blocks hold before anything is forwarded.") { Default = "approval", Example = "approval" };
    private static readonly Key<long> Confirmations = new("confirmations", Shapes.Integer(1, 1000), "With require: confirmations: how many blocks, the payment's own among them.") { Default = "3", Example = "3" };
    private static readonly Key<TimeSpan> Valid = new("valid", Shapes.Duration, "How long one yes, or no, holds for a caller.") { Default = "1d", Example = "1d" };

    private static readonly Key<bool> First = new("first-payment", Shapes.Flag, "Calls of a payer that has never paid here are asked for more.") { Default = "false", Example = "true" };
    private static readonly Key<Money> Day = new("day-above", Shapes.Money, "Calls by which a payer comes above this in one day (UTC), at this operation, are asked for more; what is on its way counts, too.") { Default = "whatever it comes to", Example = "20.00 USD" };

    private static readonly Key<bool> Shadow = new("shadow", Shapes.Flag, "Ask for nothing; audit what would have been asked for.") { Default = "false", Example = "true" };

    private static readonly Key<StepUp> Key = new("step-up", new MapShape<StepUp>([Above, First, Day, Require, Confirmations, Valid, Shadow], Build),
        "Asks for more where more is at stake, before terms are given and before anything is held.") { Default = "nothing more", Example = "{ above: 1.00 USD, require: approval, valid: 1d }" };

    public static readonly Section Section = new(Scope.Operation, Key)
    {
        TellOperation = (_, o) => o.Settings.Get<StepUp>() is { } step ? $"{(step.Above is { } above ? $"above {above}" : "of new or large payers")}: {step.Require.ToString().ToLowerInvariant()}, valid {Shapes.Tell(step.Valid)}" : null,
        Check = draft =>
        {
            foreach (var operation in draft.Operations)
            {
                if (operation.Settings.Get<StepUp>() is not { } step) continue;
                foreach (var (key, line) in new[] { (Above.Name, step.Above), (Day.Name, step.DayAbove) })
                    if (line is { } some && CurrencyOf(operation) is { } priced && priced != some.Currency) draft.At(step, key).Refuse($"is in {some.Currency}, and the price in {priced}: they would never be compared");
                if (step.Require == StepUpRequirement.Confirmations) CheckChains(draft, operation);
                else if (operation.Identity == IdentityRule.Upstream) draft.At(operation, "step-up").Refuse("asks for a caller, but with 'identity: upstream' nobody here knows who calls");
            }
        },
    };

    private static string? CurrencyOf(Operation operation) => operation.Settings.Get<PriceModel>() switch
    {
        PriceModel.Fixed { Amount.IsZero: false } price => price.Amount.Currency,
        PriceModel.Session price => price.Amount.Currency,
        PriceModel.Metered price => price.Ceiling.Currency,
        _ => null,
    };

    /// <summary>Blocks are counted by a node of our own: a facilitator's word is one word.</summary>
    private static void CheckChains(Draft draft, Operation operation)
    {
        var payments = draft.Settings.Get<PaymentSettings>();
        var chains = (payments?.X402?.Chains ?? []).Concat(payments?.Mpp?.EvmChains ?? []).ToList();
        if (chains.Count == 0) draft.At(operation, "step-up").Refuse("asks for confirmations, but nothing is paid on a chain");
        foreach (var chain in chains.Where(c => c.Rpc is null).Select(c => c.Network).Distinct())
            draft.At(operation, "step-up").Refuse($"asks for confirmations, and {chain} has no 'rpc' to count them");
    }

    private static StepUp? Build(MapValues m)
    {
        if (!m.IsWritten(Above) && !m.Get(First) && !m.IsWritten(Day))
        {
            m.At.Refuse("nothing says when more is asked for: above, first-payment or day-above");
            return null;
        }
        if (m.IsWritten(Confirmations) && m.Get(Require) != StepUpRequirement.Confirmations)
        {
            m.Of(Confirmations).Refuse("belongs to 'require: confirmations'");
            return null;
        }
        return new StepUp(m.IsWritten(Above) ? m.Get(Above) : null, m.Get(Require), m.Get(Valid, TimeSpan.FromDays(1))) { Confirmations = (int)m.Get(Confirmations, 3L), FirstPayment = m.Get(First), DayAbove = m.IsWritten(Day) ? m.Get(Day) : null, Shadow = m.Get(Shadow) };
    }
}
