using System.Globalization;

namespace Turnpike.Metering;

/// <summary>Answers questions to meters from the records themselves: what was corrected or came late is in the next answer.</summary>
internal sealed class MeterQueries(UsageStore records)
{
    public const string Others = "(others)";

    public async ValueTask<IReadOnlyList<MeterValue>> AskAsync(MeterDefinition meter, MeterQuery query, CancellationToken ct)
    {
        var dimensions = query.GroupBy ?? meter.GroupBy;
        var groups = new Dictionary<string, string?[]>(StringComparer.Ordinal);
        var tallies = new SortedDictionary<(long Window, string Group), Tally>(Comparer<(long Window, string Group)>.Create((a, b) => a.Window != b.Window ? a.Window.CompareTo(b.Window) : string.CompareOrdinal(a.Group, b.Group)));
        await records.ScanAsync(query.From, query.To, query.Filters.GetValueOrDefault("payer"), record =>
        {
            foreach (var (dimension, value) in query.Filters)
                if (MeterDefinition.DimensionOf(record, dimension) != value) return;
            var group = GroupOf(record, dimensions, groups, meter.MostGroups);
            var key = (StartOf(record.Happened, query).UtcTicks, group);
            if (!tallies.TryGetValue(key, out var tally)) tallies[key] = tally = new Tally();
            tally.Add(meter, record);
        }, ct);
        return [.. tallies.Where(t => t.Value.HasValue(meter.Aggregation)).Select(t =>
        {
            var start = new DateTimeOffset(t.Key.Window, TimeSpan.Zero);
            var values = groups[t.Key.Group];
            return new MeterValue(start, EndOf(start, query), dimensions.Select((d, i) => (d, values[i])).ToDictionary(p => p.d, p => p.Item2), t.Value.Of(meter.Aggregation));
        })];
    }

    private static string GroupOf(UsageRecord record, IReadOnlyList<string> dimensions, Dictionary<string, string?[]> groups, int most)
    {
        var values = dimensions.Select(d => MeterDefinition.DimensionOf(record, d)).ToArray();
        var key = string.Join('\0', values);
        if (groups.ContainsKey(key)) return key;
        if (groups.Count < most)
        {
            groups[key] = values;
            return key;
        }
        groups.TryAdd(Others, [.. dimensions.Select(_ => Others)]);
        return Others;
    }

    /// <summary>The beginning of the window a moment is in. Days and months are those of the calendar in the zone, however long the clock makes them.</summary>
    public static DateTimeOffset StartOf(DateTimeOffset moment, MeterQuery query)
    {
        if (query.Window is not { } window) return query.From;
        var local = TimeZoneInfo.ConvertTime(moment, query.Zone);
        if (window is MeterWindow.Minute or MeterWindow.Hour)
        {
            // Counted from the local hour, so that zones of half an hour have theirs; where the clock jumps within an hour, one ends and another begins.
            var into = window == MeterWindow.Minute ? TimeSpan.FromSeconds(local.Second) : new TimeSpan(0, local.Minute, local.Second);
            var start = new DateTimeOffset((local - into).UtcTicks / TimeSpan.TicksPerSecond * TimeSpan.TicksPerSecond, TimeSpan.Zero);
            while (query.Zone.GetUtcOffset(start) != local.Offset) start = start.AddMinutes(1);
            return start;
        }
        return Midnight(new DateTime(local.Year, local.Month, window == MeterWindow.Day ? local.Day : 1, 0, 0, 0, DateTimeKind.Unspecified), query.Zone);
    }

    private static DateTimeOffset EndOf(DateTimeOffset start, MeterQuery query)
    {
        if (query.Window is not { } window) return query.To;
        if (window == MeterWindow.Minute) return start.AddMinutes(1);
        var first = TimeZoneInfo.ConvertTime(start, query.Zone);
        if (window == MeterWindow.Hour)
        {
            var end = start.AddMinutes(60 - first.Minute);
            while (query.Zone.GetUtcOffset(end.AddMinutes(-1)) != first.Offset) end = end.AddMinutes(-1);
            return end;
        }
        var local = first.DateTime.Date;
        return Midnight(window == MeterWindow.Day ? local.AddDays(1) : new DateTime(local.Year, local.Month, 1, 0, 0, 0, DateTimeKind.Unspecified).AddMonths(1), query.Zone);
    }

    /// <summary>The first moment of a local day; where the clock jumps over midnight, the first there is.</summary>
    private static DateTimeOffset Midnight(DateTime day, TimeZoneInfo zone)
    {
        while (zone.IsInvalidTime(day)) day = day.AddMinutes(15);
        var offset = zone.IsAmbiguousTime(day) ? zone.GetAmbiguousTimeOffsets(day).Max() : zone.GetUtcOffset(day);
        return new DateTimeOffset(day, offset).ToUniversalTime();
    }

    /// <summary>What is kept of one group in one window.</summary>
    private sealed class Tally
    {
        private const int MostDistinct = 1_000_000;

        private Int128 sum;
        private long count, least = long.MaxValue, most = long.MinValue, latest;
        private HashSet<string>? distinct;

        public void Add(MeterDefinition meter, UsageRecord record)
        {
            if (meter.Aggregation == Aggregation.Unique)
            {
                if (record.IsCorrection) return;
                distinct ??= new(StringComparer.Ordinal);
                if (distinct.Count < MostDistinct && (MeterDefinition.Dimensions.Contains(meter.Unit) ? MeterDefinition.DimensionOf(record, meter.Unit) : QuantityText(record, meter.Unit)) is { } value) distinct.Add(value);
                return;
            }
            var quantity = record.QuantityOf(meter.Unit);
            sum += quantity;
            if (record.IsCorrection || !record.Tells(meter.Unit)) return;
            count++;
            (least, most, latest) = (Math.Min(least, quantity), Math.Max(most, quantity), quantity);
        }

        public bool HasValue(Aggregation aggregation) => aggregation is Aggregation.Sum or Aggregation.Count or Aggregation.Unique || count > 0;

        public string Of(Aggregation aggregation) => aggregation switch
        {
            Aggregation.Sum => sum.ToString(CultureInfo.InvariantCulture),
            Aggregation.Count => count.ToString(CultureInfo.InvariantCulture),
            Aggregation.Average => Math.Round((decimal)sum / count, 6).ToString("0.######", CultureInfo.InvariantCulture),
            Aggregation.Minimum => least.ToString(CultureInfo.InvariantCulture),
            Aggregation.Maximum => most.ToString(CultureInfo.InvariantCulture),
            Aggregation.Unique => (distinct?.Count ?? 0).ToString(CultureInfo.InvariantCulture),
            _ => latest.ToString(CultureInfo.InvariantCulture),
        };

        private static string? QuantityText(UsageRecord record, string unit) => record.Tells(unit) ? record.QuantityOf(unit).ToString(CultureInfo.InvariantCulture) : null;
    }
}
