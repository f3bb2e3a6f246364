using Turnpike.Catalog.Document;
using Turnpike.Catalog.Loading;
using Turnpike.Ledger;

namespace Turnpike.Plans;

/// <summary>The <c>caps</c> of a caller.</summary>
internal static class CapSection
{
    private static readonly Key<Money> Amount = new("amount", Shapes.Money, "The most that may be spent.") { Required = true, Example = "500.00 USD" };
    private static readonly Key<CapScope> Each = new("each", new ChoiceShape<CapScope>(("caller", CapScope.Caller), ("key", CapScope.Key), ("task", CapScope.Task)), "Whom it holds for: the caller, each of its keys, or each task that the header Turnpike-Task names, or else the trace id of traceparent.") { Default = "caller", Example = "task" };

    private static readonly Shape<Cap> One = new MapShape<Cap>([Amount, .. PeriodShape.Keys, Each], m => new Cap(m.Get(Amount), PeriodShape.Read(m), m.Get(Each)));

    public static readonly Key OfCaller = new Key<Caps>("caps", new ConvertedShape<IReadOnlyList<Cap>, Caps>(new ListShape<Cap>(One), caps => new Caps(caps)), "The most it may spend in a period, whatever way it pays; what is on its way counts, too.") { Default = "none", Example = "[{ amount: 500.00 USD, per: 1mo }]" };
}
