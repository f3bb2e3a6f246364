using System.Collections.Frozen;

namespace Turnpike.Plans;

/// <summary>Callers with an invoice that is past due beyond its grace: this node's copy, renewed by whoever bills.</summary>
internal sealed class Arrears
{
    private volatile FrozenSet<string> callers = FrozenSet<string>.Empty;

    public bool Has(string caller) => callers.Contains(caller);

    public void Replace(IEnumerable<string> now) => callers = now.ToFrozenSet(StringComparer.Ordinal);
}
