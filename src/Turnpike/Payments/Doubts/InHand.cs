using System.Collections.Concurrent;
using Turnpike.Ledger;
using Turnpike.Storage.Nodes;

namespace Turnpike.Payments.Doubts;

/// <summary>
/// Holds this process is collecting for or answering right now. Whoever finishes what others left behind keeps away from them,
/// however long they take and whatever the clock says: else the payer would have both the answer and its price as credit.
/// </summary>
internal sealed class InHand(NodeLease lease)
{
    private readonly ConcurrentDictionary<string, bool> holds = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Doubt> doubts = new(StringComparer.Ordinal);
    private long left;

    /// <summary>Holds of calls that are over, and that the database did not let come to their end: oldest first.</summary>
    public IEnumerable<Doubt> Doubts => doubts.IsEmpty ? [] : doubts.Values.OrderBy(doubt => doubt.Order);

    public void Take(string hold) => holds[hold] = true;

    public void Leave(string hold) => holds.TryRemove(hold, out _);

    public bool Has(string hold) => holds.ContainsKey(hold);

    /// <summary>True also while it is another node's: its answer may be on its way there, and when that node is gone its heir ends it.</summary>
    public bool IsBusy(HoldState hold) => Has(hold.Hold.Id) || hold.Outcome == HoldOutcome.Open && !lease.IsOurs(hold.Incarnation);

    /// <summary>A call that was the only one to know of this hold is over: the settler ends it, should it be there.</summary>
    public void Leave(Hold hold, bool delivered, Money? due = null, IReadOnlyList<Transfer>? besides = null) => doubts[hold.Receipt] = new Doubt(hold.Id, hold.Receipt, delivered, due, besides ?? [], Interlocked.Increment(ref left));

    public void Ended(Doubt doubt) => doubts.TryRemove(doubt.Receipt, out _);

    /// <summary>True while it is the hold of the call that was in doubt: the same id may be held anew, by another call or another node.</summary>
    public bool IsStill(Doubt doubt, HoldState found) => found.Hold.Receipt == doubt.Receipt && lease.IsOurs(found.Incarnation);
}

/// <summary>A hold that may be there, or may be further than its call was told.</summary>
/// <param name="Delivered">The answer it pays for was passed on to its end.</param>
/// <param name="Due">What was to be taken for it, where that was known; it may not have been.</param>
/// <param name="Besides">What was to be booked with it.</param>
/// <param name="Order">Grows with every doubt of this process.</param>
internal sealed record Doubt(string Hold, string Receipt, bool Delivered, Money? Due, IReadOnlyList<Transfer> Besides, long Order);
