using Turnpike.Ledger;

namespace Turnpike.Pricing;

/// <summary>How an operation is priced; absent from its settings when it is free.</summary>
internal abstract record PriceModel
{
    /// <summary>The same amount for every delivered answer.</summary>
    internal sealed record Fixed(Money Amount) : PriceModel;
}
