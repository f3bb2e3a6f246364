using System.Collections.Frozen;
using Turnpike.Ledger;

namespace Turnpike.Metering;

/// <summary>
/// What one call used, as it is kept. Unique by source and id, so that telling it twice counts once; a correction is a record of its
/// own, with quantities that may be negative.
/// </summary>
internal sealed record UsageRecord
{
    /// <summary>Who tells: <c>turnpike</c>, or whoever imported it.</summary>
    public string Source { get; init; } = Here;

    public required string Id { get; init; }

    public required DateTimeOffset Happened { get; init; }

    public required string Operation { get; init; }

    public string? Caller { get; init; }

    public string? Payer { get; init; }

    /// <summary>The model that served, or was asked for where the answer names none.</summary>
    public string? Model { get; init; }

    /// <summary>The model that was asked for; its rates hold where the one that served has none.</summary>
    public string? Asked { get; init; }

    /// <summary><c>reported</c>, <c>estimated</c>, <c>mixed</c>, or <c>correction</c>.</summary>
    public required string Origin { get; init; }

    /// <summary>The quantities that count.</summary>
    public required Counts Charged { get; init; }

    /// <summary>What passed, as far as it was seen here.</summary>
    public Counts Observed { get; init; } = new();

    /// <summary>What the upstream told, all of it or in part.</summary>
    public Counts Reported { get; init; } = new();

    /// <summary>What meters group by beside names: <c>header:x-team</c>, <c>path:city</c>, <c>claim:team</c>.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = FrozenDictionary<string, string>.Empty;

    /// <summary>What was paid for it.</summary>
    public Money? Cost { get; init; }

    /// <summary>What it cost the owner; null where nobody wrote that down.</summary>
    public Money? Expense { get; init; }

    public string? Receipt { get; init; }

    /// <summary>Whose use it is: the caller's, or the payer's where nobody said who calls.</summary>
    public string Subject => Caller ?? Payer ?? "anonymous";

    public bool IsCorrection => Origin == "correction";

    public const string Here = "turnpike";

    /// <summary>True when the record says something about a unit.</summary>
    public bool Tells(string unit) => unit is Units.Requests or Units.Total || Charged.Has(unit);

    /// <summary>The quantity of a unit. A correction moves sums; it is no call of its own.</summary>
    public long QuantityOf(string unit) => unit switch
    {
        Units.Requests => IsCorrection ? Charged[unit] : 1,
        Units.Total => Units.Inputs.Concat(Units.Outputs).Sum(u => Charged[u]),
        _ => Charged[unit],
    };
}
