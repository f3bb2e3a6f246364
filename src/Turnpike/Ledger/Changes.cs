using Turnpike.Audit;

namespace Turnpike.Ledger;

/// <summary>What the books decided and the database does not know yet; balances are told apart in <see cref="Balances"/>.</summary>
internal sealed class Changes
{
    private readonly List<BookedHold> holds = [];

    public IReadOnlyList<BookedHold> Holds => holds;

    public List<Transfer> Transfers { get; } = [];

    public List<Entry> Entries { get; } = [];

    public List<AuditEvent> Events { get; } = [];

    public void Add(BookedHold hold)
    {
        if (hold.Changed) return;
        hold.Changed = true;
        holds.Add(hold);
    }

    /// <summary>Holds and transfers by their ids.</summary>
    public void Sort()
    {
        holds.Sort((a, b) => string.CompareOrdinal(a.State.Hold.Id, b.State.Hold.Id));
        Transfers.Sort((a, b) => string.CompareOrdinal(a.Id, b.Id));
    }

    public void Clear()
    {
        foreach (var hold in holds) (hold.Stored, hold.Changed, hold.Retaken) = (true, false, false);
        holds.Clear();
        Transfers.Clear();
        Entries.Clear();
        Events.Clear();
    }
}
