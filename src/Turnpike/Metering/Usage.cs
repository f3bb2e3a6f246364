using System.Collections.Frozen;

namespace Turnpike.Metering;

/// <summary>
/// What one call used, in named units. What was <see cref="Observed"/> here and what the upstream <see cref="Reported"/> are kept
/// apart; charged is what was reported once that is complete, and otherwise the larger of both, but for a question whose tokens the
/// upstream has told: it has read all of it.
/// </summary>
internal sealed class Usage
{
    /// <summary>What passed: bytes, time, and an estimate of tokens from the text.</summary>
    public Counts Observed { get; } = new();

    /// <summary>What the upstream says.</summary>
    public Counts Reported { get; } = new();

    /// <summary>What units come to whose tiers count over a period, in millionths of the smallest unit, once they were taken of it.</summary>
    public IReadOnlyDictionary<string, Int128> InPeriod { get; set; } = FrozenDictionary<string, Int128>.Empty;

    /// <summary>The model that served, as the upstream names it.</summary>
    public string? Model { get; set; }

    /// <summary>The upstream has said all it says of usage.</summary>
    public bool IsComplete { get; set; }

    /// <summary>Measures of the document's own that the answer did not tell.</summary>
    public IReadOnlyList<Measure> Missing { get; private set; } = [];

    /// <summary>It was to be told and was not: what the document says instead counts, or nothing.</summary>
    public void Miss(Measure measure)
    {
        Missing = [.. Missing, measure];
        if (measure.Fallback is { } count) Observed[measure.Unit] = count;
    }

    /// <summary>The answer has ended, or broke off: nothing more will be counted.</summary>
    public bool HasEnded { get; set; }

    /// <summary><c>reported</c>, <c>estimated</c>, or <c>mixed</c>: where the charged numbers come from.</summary>
    public string Source => IsComplete && Missing.Count == 0 ? "reported" : Reported.Any() ? "mixed" : "estimated";

    /// <summary>The quantity to charge and to limit by. <c>total_tokens</c> is every token in and out.</summary>
    public long this[string unit] => unit switch
    {
        Units.Total => Sum(Units.Inputs) + Sum(Units.Outputs),
        Units.Requests => 1,
        _ when IsComplete && Reported.Has(unit) => Reported[unit],
        _ when IsMissing(unit) => Observed[unit],
        // A report that is complete and does not name a kind of token says there was none.
        _ when IsComplete && Units.IsToken(unit) => 0,
        _ when InputIsTold && Units.IsInput(unit) => Reported[unit],
        _ => Math.Max(Reported[unit], Observed[unit]),
    };

    /// <summary>Every unit there is a quantity of, without <c>total_tokens</c>.</summary>
    public IEnumerable<KeyValuePair<string, long>> Charged
    {
        get
        {
            foreach (var (unit, _) in Reported)
                if (this[unit] is var count and not 0) yield return new(unit, count);
            foreach (var (unit, _) in Observed)
                if (!Reported.Has(unit) && this[unit] is var count and not 0) yield return new(unit, count);
        }
    }

    private bool IsMissing(string unit)
    {
        for (var i = 0; i < Missing.Count; i++)
            if (Missing[i].Unit == unit) return true;
        return false;
    }

    // Zeroes alone are placeholders.
    private bool InputIsTold
    {
        get
        {
            foreach (var unit in Units.Inputs)
                if (Reported[unit] > 0) return true;
            return false;
        }
    }

    private long Sum(string[] units)
    {
        long sum = 0;
        foreach (var unit in units) sum = checked(sum + this[unit]);
        return sum;
    }
}
