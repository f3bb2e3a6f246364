namespace Turnpike.Ledger;

/// <summary>
/// Recounts the books from what is fed to it, in this order: sums of entries per account, balances, then holds with the sums of
/// their entries. Findings are sentences; at most a hundred are kept.
/// </summary>
internal sealed class BooksCheck
{
    private const int MostFindings = 100;

    private readonly Dictionary<AccountKey, Int128> sums = [];
    private readonly Dictionary<(string Role, string Currency), Int128> roles = [];
    private readonly Dictionary<AccountKey, long> held = [];
    private readonly Dictionary<AccountKey, (long Posted, long Held)> balances = [];
    private readonly List<string> findings = [];
    private long holds;
    private long open;
    private long entries;

    /// <summary>All entries of one account, added up.</summary>
    public void Sum(AccountKey key, Int128 units, long count)
    {
        var colon = key.Account.IndexOf(':', StringComparison.Ordinal);
        var role = (colon < 0 ? key.Account : key.Account[..colon], key.Currency);
        sums[key] = units;
        roles[role] = roles.GetValueOrDefault(role) + units;
        entries += count;
    }

    public void Balance(AccountKey key, long posted, long reserved)
    {
        balances[key] = (posted, reserved);
        var sum = sums.GetValueOrDefault(key);
        if (sum != posted) Find($"Account {key.Account} has {new Money(posted, key.Currency)}; its entries say {Shown(sum, key.Currency)}.");
        if (reserved < 0 || posted < reserved) Find($"Account {key.Account} is overdrawn: {new Money(posted, key.Currency)} with {new Money(reserved, key.Currency)} held (I2).");
    }

    /// <summary>A hold and the sums of its entries per account.</summary>
    public void Hold(HoldState state, IReadOnlyDictionary<AccountKey, long> moved)
    {
        holds++;
        if (state.IsOpen) open++;
        var hold = state.Hold;
        if (state.Captured > hold.Ceiling || state.Captured.Units < 0) Find($"Hold {hold.Id} captured {state.Captured} of {hold.Ceiling} (I4).");
        Dictionary<AccountKey, long> expected = [];
        var captured = state.Status is HoldStatus.Captured or HoldStatus.Unknown or HoldStatus.Settled;
        for (var i = 0; i < hold.Legs.Count; i++)
        {
            var leg = hold.Legs[i];
            if (state.Status == HoldStatus.Held && leg.Limited) Add(held, leg.Giver(), leg.Amount.Units);
            if (!captured) continue;
            Add(expected, leg.Giver(), -Legs.Moves(hold.Legs, i, state.Captured.Units));
            Add(expected, leg.Taker(), Legs.Moves(hold.Legs, i, state.Captured.Units));
        }
        foreach (var key in expected.Keys.Union(moved.Keys))
            if (expected.GetValueOrDefault(key) != moved.GetValueOrDefault(key))
                Find($"Hold {hold.Id} is {HoldRow.Text(state.Status)} for {state.Captured}; {key.Account} moved {new Money(moved.GetValueOrDefault(key), key.Currency)} (I3).");
    }

    /// <summary>Entries of a transfer, or of a hold that does not exist.</summary>
    public void Transfer(string source, bool exists, IReadOnlyDictionary<AccountKey, long> moved)
    {
        if (!exists) Find($"Entries of {source} belong to no hold and no transfer.");
        foreach (var currency in moved.GroupBy(each => each.Key.Currency))
            if (currency.Sum(each => each.Value) != 0)
                Find($"The entries of {source} in {currency.Key} do not sum to zero (I1).");
    }

    public BooksReport Report()
    {
        foreach (var currency in roles.GroupBy(role => role.Key.Currency))
            if (currency.Aggregate(Int128.Zero, (sum, role) => sum + role.Value) is var off && off != 0)
                Find($"The books of {currency.Key} are off by {Shown(off, currency.Key)} (I1).");
        foreach (var key in balances.Keys.Union(held.Keys))
            if (balances.GetValueOrDefault(key).Held != held.GetValueOrDefault(key))
                Find($"Account {key.Account} has {new Money(balances.GetValueOrDefault(key).Held, key.Currency)} held; its open holds say {new Money(held.GetValueOrDefault(key), key.Currency)}.");
        var totals = roles.OrderBy(role => role.Key.Currency, StringComparer.Ordinal).ThenBy(role => role.Key.Role, StringComparer.Ordinal)
            .Select(role => new AccountTotal(role.Key.Role, Shown(role.Value, role.Key.Currency)));
        return new BooksReport([.. totals], holds, open, entries, findings);
    }

    private static void Add(Dictionary<AccountKey, long> to, AccountKey key, long units) => to[key] = checked(to.GetValueOrDefault(key) + units);

    /// <summary>What is beyond the largest amount is shown as that.</summary>
    private static Money Shown(Int128 units, string currency) => new((long)Int128.Clamp(units, long.MinValue, long.MaxValue), currency);

    private void Find(string finding)
    {
        if (findings.Count < MostFindings) findings.Add(finding);
    }
}
