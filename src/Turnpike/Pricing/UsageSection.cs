using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using Turnpike.Catalog;
using Turnpike.Catalog.Document;
using Turnpike.Catalog.Loading;
using Turnpike.Metering;
using Turnpike.Metering.Formats;
using Turnpike.Metering.Reading;

namespace Turnpike.Pricing;

/// <summary>
/// The <c>usage:</c> of an operation: a provider's name, or units with where they come from, or both
/// (<c>{ format: openai, images: "$.data[*]" }</c>).
/// </summary>
internal static class UsageSection
{
    private const long MostFallback = 1_000_000_000_000;

    private static readonly Key<string> From = new("from", Shapes.Text, "Where the quantity comes from: a $.path or header:NAME.") { Required = true, Example = "$.pages" };
    private static readonly Key<long> Fallback = new("fallback", Shapes.Integer(0, MostFallback), "What is counted where an answer does not tell it.") { Required = true, Example = "1" };
    private static readonly MapShape<Measure> Told = new([From, Fallback], Build);

    private static readonly Key<UsageSettings> Key = new("usage", new UsageShape(), "What an answer tells of its use: openai, openai-responses, anthropic, gemini, bedrock; or units with their sources ($.path, header:NAME, milliseconds, seconds, minutes, hours, bytes, request-bytes, a number; { from: $.path, fallback: 1 } where an answer may not tell it); or both, with format for the former: { format: openai, images: \"$.data[*]\" }.")
    { Default = "nothing is read", Example = "openai" };

    public static readonly Section Section = new(Scope.Operation, Key)
    {
        Check = Check,
        TellOperation = (_, operation) => operation.Settings.Get<UsageSettings>() is { } usage ? Names(usage) : null,
    };

    private static string Names(UsageSettings usage) => string.Join(", ", new[] { usage.Format.Name }.Where(n => n != "none").Concat(usage.Units));

    /// <summary>Whatever is priced must be told by something.</summary>
    private static void Check(Draft draft)
    {
        foreach (var operation in draft.Operations)
        {
            if (operation.Settings.Get<PriceModel>() is not PriceModel.Metered price) continue;
            var usage = operation.Settings.Get<UsageSettings>();
            if (price.Withholds && usage is not null) { draft.At(operation, "usage").Refuse("per-record counts its records alone: beside other usage, tell them by it (records: \"$.items[*]\") and price them per-unit"); continue; }
            if (price.By is not null && usage is null or { Format: NoFormat }) { draft.At(operation, "price").Refuse("a price by model needs usage to name a provider's format"); continue; }
            if (price.By?.Segment is { } segment && !operation.Path.Names.Contains(segment)) { draft.At(operation, "price").Refuse($"path:{segment} names no part of {operation.Path}"); continue; }
            var unknown = price.Models.Values.SelectMany(card => card.Priced).Distinct().FirstOrDefault(unit => !Tells(usage, price, unit));
            if (unknown is not null) draft.At(operation, "price").Refuse($"nothing tells '{unknown}': usage has to say where it comes from");
        }
    }

    private static bool Tells(UsageSettings? usage, PriceModel.Metered price, string unit) =>
        Units.IsMeasured(unit) || price.Count is not null && unit == Units.Records
        || usage?.Tells(unit) == true;

    /// <summary>Null for what is no source.</summary>
    private static Measure? MeasureOf(string unit, string text) => text switch
    {
        "milliseconds" => new Measure.Time(unit, TimeSpan.FromMilliseconds(1)),
        "seconds" => new Measure.Time(unit, TimeSpan.FromSeconds(1)),
        "minutes" => new Measure.Time(unit, TimeSpan.FromMinutes(1)),
        "hours" => new Measure.Time(unit, TimeSpan.FromHours(1)),
        "bytes" => new Measure.Size(unit, OfRequest: false),
        "request-bytes" => new Measure.Size(unit, OfRequest: true),
        ['$', ..] when PathNode.Check(text) is null => new Measure.Path(unit, text),
        ['h', 'e', 'a', 'd', 'e', 'r', ':', .. var name] when name.Length > 0 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_') => new Measure.Header(unit, name),
        _ when long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count > 0 => new Measure.Constant(unit, count),
        _ => null,
    };

    private static Measure? Build(MapValues m)
    {
        if (MeasureOf(m.At.Name, m.Get(From)!) is { } measure and (Measure.Path or Measure.Header)) return measure with { Fallback = m.Get(Fallback) };
        m.Of(From).Refuse("is no $.path and no header:NAME; nothing else can be missing");
        return null;
    }

    /// <summary>A provider's name, or a map of units.</summary>
    private sealed class UsageShape : Shape<UsageSettings>
    {
        private static readonly IReadOnlyList<string> Formats = [.. UsageFormats.ByName.Keys.Order(StringComparer.Ordinal)];

        public override string Says => $"one of {string.Join(", ", Formats)}, or a map of units";

        public override bool TryRead(Spot at, [MaybeNullWhen(false)] out UsageSettings value)
        {
            value = null;
            if (at.Node is not MapNode map)
            {
                if (!TryFormat(at, out var alone)) return false;
                value = new UsageSettings(alone, []);
                return true;
            }
            var (format, measures, sound) = (UsageFormats.None, new List<Measure>(), map.Entries.Count > 0 || at.Refuse("at least one unit is wanted here"));
            foreach (var entry in map.Entries)
            {
                var spot = at.Member(entry.Key.Text, entry.Value);
                if (entry.Key.Text == "format") sound &= TryFormat(spot, out format);
                else if (Units.CheckName(entry.Key.Text) is { } wrong) sound = spot.Refuse(wrong);
                else if (entry.Key.Text is Units.Total or Units.Requests) sound = spot.Refuse("is counted by itself");
                else if (TryMeasure(spot, entry.Key.Text, out var measure)) measures.Add(measure);
                else sound = false;
            }
            value = new UsageSettings(format, measures);
            return sound;
        }

        private bool TryFormat(Spot at, out UsageFormat format)
        {
            format = UsageFormats.None;
            if (!at.TryText(Says, out var text)) return false;
            if (UsageFormats.ByName.TryGetValue(text.Text, out var known)) { format = known; return true; }
            var near = Nearest.Of(text.Text, Formats);
            return at.Refuse($"'{text.Shown}' is not {Says}{(near is null ? "" : $"; did you mean '{near}'?")}");
        }

        private static bool TryMeasure(Spot at, string unit, [NotNullWhen(true)] out Measure? measure)
        {
            measure = null;
            if (at.Node is MapNode) return Told.TryRead(at, out measure);
            if (!at.TryText("where the quantity comes from", out var text)) return false;
            measure = MeasureOf(unit, text.Text);
            return measure is not null || at.Refuse($"'{text.Shown}' is no source; write $.path, header:NAME, milliseconds, seconds, minutes, hours, bytes, request-bytes or a number");
        }

        public override void WriteSchema(Utf8JsonWriter json)
        {
            json.WriteStartArray("anyOf");
            json.WriteStartObject();
            json.WriteStartArray("enum");
            foreach (var name in Formats) json.WriteStringValue(name);
            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteStartObject();
            json.WriteString("type", "object");
            json.WriteStartObject("additionalProperties");
            json.WriteStartArray("anyOf");
            json.WriteStartObject();
            json.WriteStartArray("type");
            json.WriteStringValue("string");
            json.WriteStringValue("integer");
            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteStartObject();
            Told.WriteSchema(json);
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteEndArray();
        }
    }
}
