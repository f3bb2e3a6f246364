using System.Security.Cryptography;
using System.Text;
using Turnpike.Ledger;

namespace Turnpike.Payments.Refunds;

/// <summary>What an operator wants given back of a payment.</summary>
/// <param name="Payment">The payment, as it stood when it was ordered.</param>
/// <param name="Amount">How much; null: all that is left of it.</param>
/// <param name="As">Which way; null: by its rail where that can be, else as credit.</param>
/// <param name="Reason">The operator's own words.</param>
/// <param name="Key">The operator's idempotency key: one key is one refund of a payment.</param>
internal sealed record RefundOrder(HoldState Payment, Money? Amount, RefundAs? As, string Reason, string Key)
{
    /// <summary>What the payment bought that can be spent again: it goes out of this account in the same act, or nothing is given back. Null: it bought an answer.</summary>
    public Bought? Bought { get; init; }

    /// <summary>The id of its hold: what holds it once under any concurrency.</summary>
    public string HoldId => $"{Hold.RefundPrefix}{Payment.Hold.Receipt}:{Key}";

    /// <summary>What the key was used for; another order under it is refused.</summary>
    public string Binding => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{Payment.Hold.Id}\n{Amount?.ToString() ?? "all"}\n{As}\n{Reason}")));
}

/// <summary>Money a payment put into an account of the buyer's.</summary>
internal sealed record Bought(string Account, Money Paid);

/// <summary>The way back.</summary>
internal enum RefundAs
{
    /// <summary>Where it came from: the card, the payer's wallet.</summary>
    Rail,

    /// <summary>In our books: the token's budget, or the payer's credit.</summary>
    Credit,
}

/// <summary>What came of an order.</summary>
internal abstract record RefundResult
{
    /// <summary>It is in the books: done when settled, on its way while captured or unknown.</summary>
    internal sealed record Ordered(HoldState State) : RefundResult;

    /// <summary>Nothing was given back.</summary>
    internal sealed record Refused(string Reason, string Title, string Detail) : RefundResult;
}
