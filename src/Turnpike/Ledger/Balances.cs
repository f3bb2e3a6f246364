using System.Diagnostics.CodeAnalysis;

namespace Turnpike.Ledger;

/// <summary>The limited accounts the books know. A change over several of them is kept whole or dropped whole.</summary>
internal sealed class Balances
{
    private readonly Dictionary<AccountKey, Balance> all = [];
    private readonly List<Balance> tried = [];
    private readonly List<Balance> changed = [];

    /// <summary>Accounts that differ from the database.</summary>
    public IReadOnlyList<Balance> Changed => changed;

    public IReadOnlyCollection<Balance> All => all.Values;

    public void Load(AccountKey key, long posted, long held, long raised) => all[key] = new Balance(key, posted, held, raised, stored: true);

    public bool TryGet(AccountKey key, [NotNullWhen(true)] out Balance? balance) => all.TryGetValue(key, out balance);

    /// <summary>Tries a change of an account; one without a row is not limited, and takes anything.</summary>
    public bool Try(AccountKey key, long posted, long held)
    {
        if (!all.TryGetValue(key, out var balance)) return true;
        if (!balance.Tried) tried.Add(balance);
        return balance.Try(posted, held);
    }

    public void Open(AccountKey key, long posted) => Mark(all[key] = new Balance(key, posted, 0, 0, stored: false));

    public void Keep()
    {
        foreach (var balance in tried)
        {
            balance.Keep();
            Mark(balance);
        }
        tried.Clear();
    }

    public void Drop()
    {
        foreach (var balance in tried) balance.Drop();
        tried.Clear();
    }

    /// <summary>What changed is in the database now.</summary>
    public void Saved()
    {
        foreach (var balance in changed) (balance.Stored, balance.Changed) = (true, false);
        changed.Clear();
    }

    public void Clear()
    {
        all.Clear();
        tried.Clear();
        changed.Clear();
    }

    private void Mark(Balance balance)
    {
        if (balance.Changed) return;
        balance.Changed = true;
        changed.Add(balance);
    }
}
