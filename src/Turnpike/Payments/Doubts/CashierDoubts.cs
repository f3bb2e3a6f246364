using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Storage;

namespace Turnpike.Payments.Doubts;

/// <summary>What the cashier does when the books do not answer.</summary>
internal static class CashierDoubts
{
    /// <summary>A hold nobody answered for may be there all the same, and whoever asked does not know it: then it is the settler's to end.</summary>
    public static async ValueTask<HoldResult> ReserveAsync(this ILedger ledger, InHand inHand, Hold hold, CancellationToken ct)
    {
        try { return await ledger.HoldAsync(hold, ct); }
        catch (StorageUnknownException)
        {
            inHand.Leave(hold, delivered: false);
            throw;
        }
    }

    public static Refusal Refusal(StorageUnavailableException away, string detail) => away is StorageUnknownException
        ? new Refusal(Reasons.SettlementUnknown, "The books have not answered for seconds. What was taken in them is given back, or pays for this very request when it comes again.") { RetryAfter = TimeSpan.FromSeconds(5) }
        : new Refusal(Reasons.StoreDown, detail) { RetryAfter = TimeSpan.FromSeconds(5) };
}
