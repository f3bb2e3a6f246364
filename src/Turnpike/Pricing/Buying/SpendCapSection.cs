using Turnpike.Catalog.Document;
using Turnpike.Catalog.Loading;
using Turnpike.Ledger;

namespace Turnpike.Pricing.Buying;

/// <summary>The <c>caps</c> of a wallet and of a service that pays.</summary>
internal static class SpendCapSection
{
    private static readonly Key<Money> Amount = new("amount", Shapes.Money, "The most that may be spent in a period.") { Required = true, Example = "50.00 USD" };
    private static readonly Key<SpendScope> Each = new("each", new ChoiceShape<SpendScope>(("all", SpendScope.All), ("host", SpendScope.Host), ("operation", SpendScope.Operation)), "What it holds for: everything together, each host that is paid, or each operation.") { Default = "all", Example = "host" };

    private static readonly Shape<SpendCap> One = new MapShape<SpendCap>([Amount, .. PeriodShape.Keys, Each], m => new SpendCap(m.Get(Amount), PeriodShape.Read(m), m.Get(Each)));

    public static readonly Key<IReadOnlyList<SpendCap>> Key = new("caps", new ListShape<SpendCap>(One, least: 1), "The most that is spent in a period; what is on its way counts, too.") { Default = "none", Example = "[{ amount: 5.00 USD, per: 1h }, { amount: 50.00 USD, per: 1d }]" };
}
