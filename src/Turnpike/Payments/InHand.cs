using System.Collections.Concurrent;

namespace Turnpike.Payments;

/// <summary>
/// Holds this process is collecting for or answering right now. Whoever finishes what others left behind keeps away from them,
/// however long they take and whatever the clock says: else the payer would have both the answer and its price as credit.
/// </summary>
internal sealed class InHand
{
    private readonly ConcurrentDictionary<string, bool> holds = new(StringComparer.Ordinal);

    public void Take(string hold) => holds[hold] = true;

    public void Leave(string hold) => holds.TryRemove(hold, out _);

    public bool Has(string hold) => holds.ContainsKey(hold);
}
