using System.Globalization;
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

    /// <summary>Methods of HTTP, in capitals; empty: all. A HEAD is a GET.</summary>
    public IReadOnlyList<string> Methods { get; init; } = [];

    /// <summary>Models by the names that requests have for them, those with a date behind too; empty: all.</summary>
    public IReadOnlyList<string> Models { get; init; } = [];

    /// <summary>The ways a request asks its provider to be served, one of these words; empty: whatever it asks.</summary>
    public IReadOnlyList<string> ServiceTiers { get; init; } = [];

    /// <summary>It is the request's body that says whether it holds.</summary>
    public bool AsksBody => RequestBytes is not null || AsksRequest;

    /// <summary>The request has to be understood for it: something has to know its provider's format.</summary>
    public bool AsksRequest => Models.Count > 0 || ServiceTiers.Count > 0;

    /// <summary>The rule in words: <c>80%, hours 22:00-06:00 Europe/Berlin</c>.</summary>
    public string Told => string.Join(", ", new[]
    {
        string.Create(CultureInfo.InvariantCulture, $"{Hundredths / 100m:0.##}%"),
        Hours is { } hours ? string.Create(CultureInfo.InvariantCulture, $"hours {hours.From:HH:mm}-{hours.To:HH:mm} {Zone.Id}") : null,
        Days.Count > 0 ? $"days {string.Join(' ', Days)} {Zone.Id}" : null,
        Plan is { } plan ? $"plan {plan}" : null,
        Assurance is { } assurance ? $"assurance {assurance.ToString().ToLowerInvariant()}" : null,
        Reputation is null ? null : "reputation",
        Verified is { } verified ? verified ? "verified" : "not verified" : null,
        Busy is { } busy ? $"busy {busy}" : null,
        RequestBytes is { } size ? $"request-bytes {size}" : null,
        Methods.Count > 0 ? $"method {string.Join(' ', Methods)}" : null,
        Models.Count > 0 ? $"model {string.Join(' ', Models)}" : null,
        ServiceTiers.Count > 0 ? $"service-tier {string.Join(' ', ServiceTiers)}" : null,
    }.OfType<string>());

    public bool Holds(Call call, DateTimeOffset at, long inProgress) =>
        Holds(new PriceOccasion(at, call.Plan, call.Principal?.Assurance ?? Catalog.Assurance.Anonymous, call.Principal?.Agent is { IsVerified: true }, inProgress, Math.Max(call.BodyLength, call.Metered?.RequestBytes ?? 0))
        {
            Method = call.Method, Model = call.Metered?.Asked, ServiceTiers = call.Metered?.Request?.Tiers ?? [],
        }) && Reputation?.Hold(call) != false;

    /// <summary>Whether all but the reputation is as it asks.</summary>
    public bool Holds(in PriceOccasion occasion) =>
        (Plan is null || occasion.Plan == Plan)
        && (Assurance is not { } least || occasion.Assurance >= least)
        && (Verified is not { } verified || verified == occasion.IsVerified)
        && (Busy is not { } busy || occasion.InProgress >= busy)
        && (RequestBytes is not { } size || occasion.RequestBytes >= size)
        && (Methods.Count == 0 || Methods.Contains(occasion.Method == "HEAD" ? "GET" : occasion.Method))
        && (Models.Count == 0 || occasion.Model is { } asked && Models.Any(model => MeteredQuote.IsDated(asked, model)))
        && (ServiceTiers.Count == 0 || occasion.ServiceTiers.Any(ServiceTiers.Contains))
        && (Hours is null && Days.Count == 0 || HoldsAt(TimeZoneInfo.ConvertTime(occasion.At, Zone)));

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

/// <summary>What rules look at, besides what somebody did before.</summary>
/// <param name="InProgress">Calls of the operation in progress on this node, this one too.</param>
internal readonly record struct PriceOccasion(DateTimeOffset At, string? Plan, Assurance Assurance, bool IsVerified, long InProgress, long RequestBytes)
{
    public required string Method { get; init; }

    public required string? Model { get; init; }

    public required IReadOnlyList<string> ServiceTiers { get; init; }
}
