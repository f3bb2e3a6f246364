using Turnpike.Catalog;
using Turnpike.Catalog.Document;
using Turnpike.Catalog.Loading;
using Turnpike.Ledger;

namespace Turnpike.Access.Approvals;

/// <summary>The <c>step-up</c> of an operation.</summary>
internal static class StepUpSection
{
    private static readonly Key<Money> Above = new("above", Shapes.Money, "Calls that cost more than this are asked for more.") { Default = "whatever they cost", Example = "1.00 USD" };
    private static readonly Key<StepUpRequirement> Require = new("require", new ChoiceShape<StepUpRequirement>(("approval", StepUpRequirement.Approval), ("identity", StepUpRequirement.Identity)), "An operator's yes, or a request signed by its caller.") { Default = "approval", Example = "approval" };
    private static readonly Key<TimeSpan> Valid = new("valid", Shapes.Duration, "How long one yes, or no, holds for a caller.") { Default = "1d", Example = "1d" };

    private static readonly Key<bool> First = new("first-payment", Shapes.Flag, "Calls of a payer that has never paid here are asked for more.") { Default = "false", Example = "true" };
    private static readonly Key<Money> Day = new("day-above", Shapes.Money, "Calls by which a payer comes above this within 24 hours are asked for more.") { Default = "whatever it comes to", Example = "20.00 USD" };

    private static readonly Key<StepUp> Key = new("step-up", new MapShape<StepUp>([Above, First, Day, Require, Valid], Build),
        "Asks for more where more is at stake, before terms are given and before anything is held.") { Default = "nothing more", Example = "{ above: 1.00 USD, require: approval, valid: 1d }" };

    public static readonly Section Section = new(Scope.Operation, Key)
    {
        TellOperation = (_, o) => o.Settings.Get<StepUp>() is { } step ? $"{(step.Above is { } above ? $"above {above}" : "of new or large payers")}: {step.Require.ToString().ToLowerInvariant()}, valid {Shapes.Tell(step.Valid)}" : null,
        Check = draft =>
        {
            foreach (var operation in draft.Operations)
                if (operation.Settings.Get<StepUp>() is not null && operation.Identity == IdentityRule.Upstream) draft.At(operation, "step-up").Refuse("asks for a caller, but with 'identity: upstream' nobody here knows who calls");
        },
    };

    private static StepUp? Build(MapValues m)
    {
        if (!m.IsWritten(Above) && !m.Get(First) && !m.IsWritten(Day))
        {
            m.At.Refuse("nothing says when more is asked for: above, first-payment or day-above");
            return null;
        }
        return new StepUp(m.IsWritten(Above) ? m.Get(Above) : null, m.Get(Require), m.Get(Valid, TimeSpan.FromDays(1))) { FirstPayment = m.Get(First), DayAbove = m.IsWritten(Day) ? m.Get(Day) : null };
    }
}
