using Turnpike.Storage;

namespace Turnpike.Ledger;

/// <summary>
/// Loads what a batch needs where other nodes write the same books: nothing is kept from before, and everything a decision rests on
/// is locked until the commit. Holds first, then accounts, each in the order of their ids: nodes wait for each other, never in a
/// circle. Who opens an account wants the list of accounts alone, so that nobody takes an account for unlimited meanwhile.
/// </summary>
internal static class SharedBooks
{
    /// <summary>Numbers a batch may give out; as many as the sequence steps.</summary>
    public const int Numbers = 8192;

    public static void Load(Sql sql, Books books, ReadOnlySpan<WriteCommand> batch, bool alone)
    {
        HashSet<string> holds = [];
        HashSet<AccountKey> accounts = [];
        List<Transfer> transfers = [];
        foreach (var command in batch)
            if (command is ILedgerWrite write)
                Name(write.Names, holds, accounts, transfers);
        if (holds.Count + transfers.Count == 0) return;

        sql.Share(SqlShare.Accounts, alone);
        books.LastHold = books.LastEntry = LedgerStore.TakeNumbers(sql);
        foreach (var state in holds.Count == 0 ? [] : LedgerStore.LockHolds(sql, [.. holds.Order(StringComparer.Ordinal)]))
        {
            books.Load(state);
            Name(state.Hold.Legs, accounts);
        }
        foreach (var transfer in transfers)
            if (LedgerStore.FindTransfer(sql, transfer.Id) is { } known)
                books.Load(known);
        var keys = accounts.OrderBy(key => key.Account, StringComparer.Ordinal).ThenBy(key => key.Currency, StringComparer.Ordinal).ToArray();
        if (keys.Length == 0) return;
#if TURNPIKE_SABOTAGE
        if (Sabotage.Of("account-order")) Random.Shared.Shuffle(keys);
#endif
        foreach (var (key, posted, held, raised) in LedgerStore.LockBalances(sql, [.. keys.Select(key => key.Account)], [.. keys.Select(key => key.Currency)]))
            books.Balances.Load(key, posted, held, raised);
    }

    private static void Name(in LedgerNames names, HashSet<string> holds, HashSet<AccountKey> accounts, List<Transfer> transfers)
    {
        if (names.Hold is { } id) holds.Add(id);
        if (names.Opening is { } hold)
        {
            Name(hold.Legs, accounts);
            foreach (var source in hold.Sources) accounts.Add(new AccountKey(source, hold.Ceiling.Currency));
            foreach (var raise in hold.Raises)
            {
                accounts.Add(new AccountKey(raise.Account, raise.To.Currency));
                accounts.Add(new AccountKey(raise.From, raise.To.Currency));
            }
        }
        if (names.Transfer is { } transfer) Name(transfer, accounts, transfers);
        foreach (var besides in names.Besides ?? []) Name(besides, accounts, transfers);
    }

    private static void Name(Transfer transfer, HashSet<AccountKey> accounts, List<Transfer> transfers)
    {
        transfers.Add(transfer);
        accounts.Add(new AccountKey(transfer.From, transfer.Amount.Currency));
        accounts.Add(new AccountKey(transfer.To, transfer.Amount.Currency));
    }

    private static void Name(IReadOnlyList<Leg> legs, HashSet<AccountKey> accounts)
    {
        foreach (var leg in legs)
        {
            accounts.Add(leg.Giver());
            accounts.Add(leg.Taker());
        }
    }
}
