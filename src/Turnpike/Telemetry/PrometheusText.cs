using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Turnpike.Telemetry;

/// <summary>
/// Keeps the instruments of the gateway, its server and its runtime, and writes them as Prometheus text (exposition format 0.0.4):
/// dots become underscores, seconds and totals are in the name.
/// </summary>
internal sealed class PrometheusText : IDisposable
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private static readonly HashSet<string> Meters = new(StringComparer.Ordinal) { Instruments.MeterName, "turnpike.books", "System.Runtime" };

    private readonly MeterListener listener = new();
    private readonly ConcurrentDictionary<Instrument, Series> all = new();
    private readonly Lock collecting = new();

    public PrometheusText()
    {
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (Meters.Contains(instrument.Meter.Name)) self.EnableMeasurementEvents(instrument, all.GetOrAdd(instrument, static i => new Series(i)));
        };
        listener.MeasurementsCompleted = (instrument, _) => all.Remove(instrument, out Series? _);
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, state) => Take(instrument, state, value, value, tags));
        listener.SetMeasurementEventCallback<int>((instrument, value, tags, state) => Take(instrument, state, value, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, state) => Take(instrument, state, null, value, tags));
        listener.Start();
    }

    /// <summary>Everything counted so far, observed instruments as they are now.</summary>
    public string Write()
    {
        var text = new StringBuilder(4096);
        lock (collecting)
        {
            foreach (var series in all.Values)
                if (series.Instrument.IsObservable) series.Clear();
            listener.RecordObservableInstruments();
            foreach (var family in all.Values.GroupBy(s => Name(s.Instrument)).OrderBy(f => f.Key, StringComparer.Ordinal)) Write(text, family.Key, [.. family]);
        }
        return text.ToString();
    }

    public void Dispose() => listener.Dispose();

    private static void Take(Instrument instrument, object? state, long? whole, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (state is not Series series) return; // its meter has just ended: what it still tells is nobody's
        var point = series.At(tags);
        if (IsHistogram(instrument)) point.Record(value);
        else if (instrument.IsObservable) point.Set(whole, value);
        else point.Add(whole ?? (long)value);
    }

    private static void Write(StringBuilder text, string name, IReadOnlyList<Series> family)
    {
        var first = family[0].Instrument;
        var type = IsHistogram(first) ? "histogram" : IsCounter(first) ? "counter" : "gauge";
        text.Append("# HELP ").Append(name).Append(' ').Append(Help(first.Description)).Append('\n').Append("# TYPE ").Append(name).Append(' ').Append(type).Append('\n');
        // Two servers in one process have an instrument of the same name each: their series are told as one.
        foreach (var (tags, points) in family.SelectMany(s => s.Points).GroupBy(p => p.Key, p => p.Value, TagSet.Comparer.Instance).Select(g => (g.Key, g.ToList())))
        {
            if (type == "histogram") WriteBuckets(text, name, tags, points);
            else Line(text, name, tags, null, points.Sum(p => p.Read().Value), points.Sum(p => p.Read().Whole), IsFloating(first));
        }
    }

    private static void WriteBuckets(StringBuilder text, string name, TagSet tags, List<Series.Point> points)
    {
        var (total, sum, running) = (0L, 0d, 0L);
        var buckets = new long[Series.Bounds.Length + 1];
        foreach (var point in points)
        {
            var read = point.ReadBuckets();
            for (var i = 0; i < buckets.Length; i++) buckets[i] += read.Buckets[i];
            (total, sum) = (total + read.Count, sum + read.Sum);
        }
        for (var i = 0; i < buckets.Length; i++)
        {
            running += buckets[i];
            Line(text, name + "_bucket", tags, i < Series.Bounds.Length ? Series.Bounds[i].ToString(CultureInfo.InvariantCulture) : "+Inf", 0, running, exact: false);
        }
        Line(text, name + "_sum", tags, null, sum, 0, exact: true);
        Line(text, name + "_count", tags, null, 0, total, exact: false);
    }

    /// <param name="exact">True writes the floating value, false the whole one: money never passes through a double.</param>
    private static void Line(StringBuilder text, string name, TagSet tags, string? bound, double value, long whole, bool exact)
    {
        text.Append(name);
        var separator = '{';
        foreach (var (key, tag) in tags.Tags)
        {
            text.Append(separator).Append(Plain(key)).Append("=\"").Append(Escaped(Convert.ToString(tag, CultureInfo.InvariantCulture) ?? "")).Append('"');
            separator = ',';
        }
        if (bound is not null)
        {
            text.Append(separator).Append("le=\"").Append(bound).Append('"');
            separator = ',';
        }
        if (separator == ',') text.Append('}');
        text.Append(' ');
        if (exact) text.Append(value.ToString("R", CultureInfo.InvariantCulture));
        else text.Append(whole);
        text.Append('\n');
    }

    private static string Name(Instrument instrument)
    {
        var name = Plain(instrument.Name);
        if (instrument.Unit == "s") name += "_seconds";
        else if (instrument.Unit == "By") name += "_bytes";
        return IsCounter(instrument) ? name + "_total" : name;
    }

    private static bool IsHistogram(Instrument instrument) => instrument is Histogram<double> or Histogram<long> or Histogram<int>;

    private static bool IsCounter(Instrument instrument) => instrument is Counter<long> or Counter<int> or Counter<double> or ObservableCounter<long> or ObservableCounter<int> or ObservableCounter<double>;

    private static bool IsFloating(Instrument instrument) => instrument is ObservableGauge<double> or ObservableCounter<double> or ObservableUpDownCounter<double>;

    private static string Plain(string name) => string.Create(name.Length, name, static (to, from) =>
    {
        for (var i = 0; i < to.Length; i++) to[i] = char.IsAsciiLetterOrDigit(from[i]) ? from[i] : '_';
    });

    private static string Help(string? text) => (text ?? "").Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    private static string Escaped(string value) => Help(value).Replace("\"", "\\\"", StringComparison.Ordinal);
}
