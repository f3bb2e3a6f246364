using System.Buffers;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Turnpike.Storage;

namespace Turnpike.Audit;

/// <summary>How exported lines are written.</summary>
internal enum AuditFormat
{
    /// <summary>JSON Lines.</summary>
    JsonLines,

    /// <summary>The same objects as the data of CloudEvents 1.0, one a line; an event's id never changes.</summary>
    CloudEvents,
}

/// <summary>
/// The trail between two times, line by line, a page of the database at a time: a slow reader holds nothing up. Checkpoints stand
/// after the last event they cover; those events they do not cover yet are at the end.
/// </summary>
internal sealed class AuditExport(Database database, AuditFormat format, Uri source)
{
    private const int Page = 500;

    private static readonly string[] TimeFormats = ["yyyy-MM-dd", "yyyy-MM-ddTHH:mm:ssK", "yyyy-MM-ddTHH:mm:ss.FFFFFFK"];

    private readonly ArrayBufferWriter<byte> buffer = new(4096);
    private readonly HashSet<string> begun = new(StringComparer.Ordinal);

    /// <param name="from">The first time that is told, inclusive.</param>
    /// <param name="to">The end, exclusive.</param>
    /// <param name="ct">Ends the export.</param>
    /// <returns>Lines with their line feeds, many at a time; each is overwritten by the next.</returns>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> LinesAsync(DateTimeOffset from, DateTimeOffset to, [EnumeratorCancellation] CancellationToken ct)
    {
        var after = AuditPlace.Start with { Microseconds = from.ToMicroseconds() };
        while (true)
        {
            var rows = await database.ReadAsync(sql => Read(sql, after, to.ToMicroseconds()), ct);
            if (buffer.WrittenCount > 0) yield return buffer.WrittenMemory;
            if (rows.Count < Page) yield break;
            after = new AuditPlace(rows[^1].Microseconds, rows[^1].Node, rows[^1].Sequence);
        }
    }

    /// <summary>A day or a time by ISO 8601, UTC unless it says otherwise; null: what stands instead of nothing.</summary>
    public static bool TryTime(string? text, DateTimeOffset instead, out DateTimeOffset time)
    {
        time = instead;
        return text is null || DateTimeOffset.TryParseExact(text, TimeFormats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out time);
    }

    /// <summary><c>jsonl</c>, also when nothing is said, or <c>cloudevents</c>.</summary>
    public static bool TryFormat(string? text, out AuditFormat format)
    {
        format = text == "cloudevents" ? AuditFormat.CloudEvents : AuditFormat.JsonLines;
        return text is null or "jsonl" or "cloudevents";
    }

    private List<AuditRow> Read(Sql sql, AuditPlace after, long until)
    {
        buffer.ResetWrittenCount();
        var rows = AuditStore.Between(sql, after, until, Page);
        foreach (var row in rows)
        {
            if (begun.Add(row.Node)) Line(row.Node, AuditLine.Time(row.Microseconds), "start", $"{row.Node}/{row.Sequence}/start", json => AuditLine.Write(json, row.Node, new AuditHead(row.Sequence - 1, 0, Previous(sql, row))));
            Line(row.Node, AuditLine.Time(row.Microseconds), row.Event.Kind, $"{row.Node}/{row.Sequence}", json => AuditLine.Write(json, row), row.Event.Correlation);
            if (AuditStore.Checkpoint(sql, row.Node, row.Sequence) is { } checkpoint) Line(row.Node, AuditLine.Time(row.Microseconds), "checkpoint", $"{row.Node}/{row.Sequence}/checkpoint", json => AuditLine.Write(json, checkpoint));
        }
        return rows;
    }

    private static byte[] Previous(Sql sql, AuditRow row) =>
        row.Sequence == 1 ? AuditHash.Origin : AuditStore.HashOf(sql, row.Node, row.Sequence - 1, row.Microseconds) ?? (AuditStore.Checkpoint(sql, row.Node, row.Sequence - 1) ?? AuditDropStore.Start(sql, row.Node))?.Hash ?? AuditHash.Origin;

    private void Line(string node, string time, string type, string id, Action<Utf8JsonWriter> write, string? subject = null)
    {
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { SkipValidation = true }))
        {
            if (format == AuditFormat.JsonLines) write(json);
            else Wrap(json, time, type, id, write, subject);
        }
        buffer.Write("\n"u8);
    }

    /// <summary>CloudEvents 1.0, structured JSON: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md</summary>
    private void Wrap(Utf8JsonWriter json, string time, string type, string id, Action<Utf8JsonWriter> write, string? subject)
    {
        json.WriteStartObject();
        json.WriteString("specversion", "1.0");
        json.WriteString("id", id);
        json.WriteString("source", new Uri(source, "/audit").AbsoluteUri);
        json.WriteString("type", "turnpike." + type);
        json.WriteString("time", time);
        if (subject is not null) json.WriteString("subject", subject);
        json.WriteString("datacontenttype", "application/json");
        json.WritePropertyName("data");
        write(json);
        json.WriteEndObject();
    }
}
