using Turnpike.Catalog;

namespace Turnpike.Pricing;

/// <summary>A condition, and the share of the price that is asked where it holds. Of several, the first that holds counts.</summary>
/// <param name="Hundredths">Hundredths of a percent of the price.</param>
internal sealed record PriceRule(long Hundredths)
{
    public const long Whole = 10_000;

    /// <summary>Local time of day; over midnight where the end comes before the beginning.</summary>
    public (TimeOnly From, TimeOnly To)? Hours { get; init; }

    /// <summary>Empty: all. Hours over midnight belong to the day they begin on.</summary>
    public IReadOnlyList<DayOfWeek> Days { get; init; } = [];

    public TimeZoneInfo Zone { get; init; } = TimeZoneInfo.Utc;

    public string? Plan { get; init; }

    public Assurance? Assurance { get; init; }

    public ReputationBounds? Reputation { get; init; }

    /// <summary>True: verified agents; false: all others; null: all.</summary>
    public bool? Verified { get; init; }

    /// <summary>At least so many calls of the operation in progress on this node, this one too.</summary>
    public long? Busy { get; init; }

    /// <summary>At least so many bytes of request body.</summary>
    public long? RequestBytes { get; init; }

    public bool Holds(Call call, DateTimeOffset at, long inProgress) =>
        (Plan is null || call.Plan == Plan)
        && (Assurance is not { } least || (call.Principal?.Assurance ?? Catalog.Assurance.Anonymous) >= least)
        && Reputation?.Hold(call) != false
        && (Verified is not { } verified || verified == call.Principal?.Agent is { IsVerified: true })
        && (Busy is not { } busy || inProgress >= busy)
        && (RequestBytes is not { } size || call.BodyLength >= size)
        && (Hours is null && Days.Count == 0 || HoldsAt(TimeZoneInfo.ConvertTime(at, Zone)));

    private bool HoldsAt(DateTimeOffset local)
    {
        var (day, time) = (local.DayOfWeek, TimeOnly.FromTimeSpan(local.TimeOfDay));
        if (Hours is { } hours)
        {
            var over = hours.To <= hours.From;
            if (over ? time < hours.From && time >= hours.To : time < hours.From || time >= hours.To) return false;
            if (over && time < hours.To) day = (DayOfWeek)(((int)day + 6) % 7);
        }
        return Days.Count == 0 || Days.Contains(day);
    }
}
