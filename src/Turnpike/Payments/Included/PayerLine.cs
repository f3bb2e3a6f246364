using Turnpike.Catalog;
using Turnpike.Ledger;

namespace Turnpike.Payments.Included;

/// <summary>
/// A sum above which more is asked of a payer. It is reserved like a cap, as one more leg of the hold: two payments at once cannot
/// both come below it, on any number of nodes.
/// </summary>
/// <param name="Over">Asks for what is wanted above it. Null: it has been given, and the payment goes on.</param>
internal sealed record PayerLine(string Payer, string Operation, DateTimeOffset End, Money Most, Func<CancellationToken, ValueTask<Answer?>> Over)
{
    public string Account { get; } = $"step-up:{Payer}:{Operation}:{End.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}";

    public bool IsMissing(HoldResult result) => result is HoldResult.InsufficientFunds missing && missing.Account == Account;

    /// <summary>What is paid from credit was counted when it was paid first.</summary>
    public Hold Under(Hold hold) => hold.Ceiling.Currency != Most.Currency || hold.Method == "credit" ? hold : hold with
    {
        Legs = [.. hold.Legs, new Leg(Account, "used:step-up", hold.Ceiling, Limited: true)],
        Raises = [.. hold.Raises, new Raise(Account, "external:step-up", Most)],
    };
}
