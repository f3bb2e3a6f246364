using System.Collections;

namespace Turnpike.Metering;

/// <summary>Quantities by unit; a unit that was never set is zero. Few enough to be looked through.</summary>
internal sealed class Counts : IEnumerable<KeyValuePair<string, long>>
{
    private const int Usual = 10; // what a model's call has: no growing from four to eight to sixteen

    private readonly List<KeyValuePair<string, long>> all = [];

    /// <summary>The quantity of a unit; setting one replaces it.</summary>
    public long this[string unit]
    {
        get => IndexOf(unit) is var at and >= 0 ? all[at].Value : 0;
        set
        {
            if (IndexOf(unit) is var at and >= 0) all[at] = KeyValuePair.Create(unit, value);
            else Add(KeyValuePair.Create(unit, value));
        }
    }

    public bool Has(string unit) => IndexOf(unit) >= 0;

    public void Add(string unit, long count) => this[unit] = checked(this[unit] + count);

    public IEnumerator<KeyValuePair<string, long>> GetEnumerator() => all.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public override string ToString() => string.Join(", ", all.Select(c => $"{c.Value} {c.Key}"));

    private void Add(KeyValuePair<string, long> count)
    {
        if (all.Capacity == 0) all.Capacity = Usual;
        all.Add(count);
    }

    private int IndexOf(string unit)
    {
        for (var i = 0; i < all.Count; i++)
            if (string.Equals(all[i].Key, unit, StringComparison.Ordinal)) return i;
        return -1;
    }
}
