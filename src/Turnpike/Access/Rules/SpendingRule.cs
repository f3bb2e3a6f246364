using Turnpike.Catalog;
using Turnpike.Payments;
using Turnpike.Payments.Buying;
using Turnpike.Pricing;
using Turnpike.Pricing.Buying;

namespace Turnpike.Access.Rules;

/// <summary>Nobody is told a price that could buy nothing: where a cap on what upstreams are paid has nothing left, that is said before any terms.</summary>
internal sealed class SpendingRule(CashierPurchases purchases, PaymentRegistry rails) : IAccessRule
{
    /// <summary>A proof may be of something that was paid for and is kept: that is found out first.</summary>
    public ValueTask<Answer?> CheckAsync(Call call, CancellationToken ct) =>
        Spending.Of(call) is { } spending && call.Operation.Settings.Get<PriceModel>() is not null && rails.Read(call) is null ? purchases.SpentAsync(call, spending, ct) : default;
}
