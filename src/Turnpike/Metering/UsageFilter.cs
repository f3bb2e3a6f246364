namespace Turnpike.Metering;

/// <summary>Which records of use are asked for.</summary>
internal sealed record UsageFilter(DateTimeOffset From, DateTimeOffset To, string? Caller = null, string? Payer = null, string? Operation = null)
{
    /// <summary>Only those older than this one.</summary>
    public UsagePlace Before { get; init; } = UsagePlace.Newest;
}

/// <summary>A record's place among all: by its time, and by its name among those of one microsecond.</summary>
internal sealed record UsagePlace(long Happened, string Source, string Id)
{
    public static readonly UsagePlace Newest = new(long.MaxValue, "", "");
}
