using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Storage;

namespace Turnpike.Payments.Doubts;

/// <summary>What the cashier does when the books do not answer.</summary>
internal static partial class CashierDoubts
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

    public static Refusal Down(ILogger log, StorageUnavailableException away, string detail)
    {
        BooksDown(log, away);
        return away is StorageUnknownException
            ? new Refusal(Reasons.SettlementUnknown, "The books have not answered for seconds. What was taken in them is given back, or pays for this very request when it comes again.") { RetryAfter = TimeSpan.FromSeconds(5) }
            : new Refusal(Reasons.StoreDown, detail) { RetryAfter = TimeSpan.FromSeconds(5) };
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Collecting {Hold} failed in the rail's code; its outcome is unknown until the settler asks.")]
    public static partial void RailFailed(ILogger logger, Exception exception, string hold);

    [LoggerMessage(Level = LogLevel.Critical, Message = "The books cannot be written; calls that cost money are refused.")]
    public static partial void BooksDown(ILogger logger, Exception exception);
}
