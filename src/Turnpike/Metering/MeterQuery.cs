namespace Turnpike.Metering;

/// <summary>A question to a meter.</summary>
/// <param name="Window">minute, hour, day or month in <paramref name="Zone"/>; null: the whole time as one.</param>
internal sealed record MeterQuery(DateTimeOffset From, DateTimeOffset To, MeterWindow? Window, TimeZoneInfo Zone)
{
    /// <summary>Dimensions to keep apart; null: the meter's own.</summary>
    public IReadOnlyList<string>? GroupBy { get; init; }

    /// <summary>Only these values of a dimension.</summary>
    public IReadOnlyDictionary<string, string> Filters { get; init; } = new Dictionary<string, string>();
}

/// <summary>How long a window is.</summary>
internal enum MeterWindow
{
    Minute,
    Hour,
    Day,
    Month,
}

/// <summary>One value: of a window, for one group.</summary>
/// <param name="Value">Decimal text; an average has at most six decimals.</param>
internal sealed record MeterValue(DateTimeOffset From, DateTimeOffset To, IReadOnlyDictionary<string, string?> Group, string Value);
