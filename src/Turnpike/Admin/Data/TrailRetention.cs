using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Storage;

namespace Turnpike.Admin.Data;

/// <summary>
/// Drops the part of the trail that need not be kept any longer: always the whole beginning of a chain, no further than a link that
/// was signed, a step at a time. Each step signs anew where the chain begins, so that the trail verifies after every one of them.
/// </summary>
internal sealed partial class TrailRetention(Database database, AuditTrail trail, InstallationKeys keys, TimeProvider time, ILogger<TrailRetention> log)
{
    public const int Step = 1000;
    private readonly AuditHash hasher = new();

    /// <param name="before">What is older goes.</param>
    /// <param name="archive">A folder that gets each part as an export first; null: it is gone.</param>
    /// <returns>True when there may be more to drop.</returns>
    public async ValueTask<bool> StepAsync(DateTimeOffset before, string? archive, CancellationToken ct)
    {
        foreach (var (checkpoint, until) in await database.ReadAsync(sql => AuditDropStore.SignedBefore(sql, before.ToMicroseconds()), ct))
        {
            var (start, from, rows) = await database.ReadAsync(sql =>
            {
                var (begin, since) = (AuditDropStore.Start(sql, checkpoint.Node), AuditDropStore.StartTime(sql, checkpoint.Node));
                return (begin, since, AuditDropStore.OfNode(sql, checkpoint.Node, since, begin?.Sequence ?? 0, checkpoint.Sequence, until, Step));
            }, ct);
            if (rows.Count == 0) continue;
            if (Follow(rows, start) is not { } end)
            {
                Log.Broken(log, checkpoint.Node);
                continue;
            }
            if (archive is not null) await ArchiveAsync(archive, rows, start, end, ct);
            var next = AuditCheckpoint.Sign(checkpoint.Node, end, time.GetUtcNow(), keys, AuditCheckpoint.StartTyp);
            var told = new AuditEvent { Kind = AuditKinds.TrailDropped, Correlation = Ids.New("c"), Reference = checkpoint.Node, Detail = $"{rows[0].Sequence} to {end.Sequence}, {Convert.ToHexStringLower(end.Hash)}" };
            await database.WriteAsync(sql =>
            {
                AuditDropStore.Drop(sql, next, from, end.Microseconds);
                trail.Chain.Append(sql, told);
            }, ct);
            return true;
        }
        return false;
    }

    /// <summary>Null when the links do not hold: what is broken is evidence, and stays.</summary>
    private AuditHead? Follow(List<AuditRow> rows, AuditCheckpoint? start)
    {
        var last = start is null ? AuditHead.None : new AuditHead(start.Sequence, 0, start.Hash);
        foreach (var row in rows)
        {
            if (row.Sequence != last.Sequence + 1 || !row.Hash.AsSpan().SequenceEqual(hasher.Link(last.Hash, row))) return null;
            last = new AuditHead(row.Sequence, row.Microseconds, row.Hash);
        }
        return last;
    }

    /// <summary>A file that verifies by itself, and is whole on the disk before anything is dropped.</summary>
    private async ValueTask ArchiveAsync(string folder, List<AuditRow> rows, AuditCheckpoint? start, AuditHead end, CancellationToken ct)
    {
        var node = rows[0].Node;
        var buffer = new ArrayBufferWriter<byte>(rows.Count * 512);
        Line(buffer, json => AuditLine.Write(json, node, new AuditHead(rows[0].Sequence - 1, 0, start?.Hash ?? AuditHash.Origin)));
        foreach (var row in rows) Line(buffer, json => AuditLine.Write(json, row));
        Line(buffer, json => AuditLine.Write(json, AuditCheckpoint.Sign(node, end, time.GetUtcNow(), keys)));
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"audit-{node}-{rows[0].Sequence:D12}-{end.Sequence:D12}.jsonl"));
        await using var file = new FileStream(path, FileMode.Create, FileAccess.Write);
        await file.WriteAsync(buffer.WrittenMemory, ct);
        file.Flush(flushToDisk: true);
    }

    private static void Line(ArrayBufferWriter<byte> buffer, Action<Utf8JsonWriter> write)
    {
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { SkipValidation = true })) write(json);
        buffer.Write("\n"u8);
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Error, Message = "The old part of node {Node}'s audit trail does not hold and is not dropped; see turnpike audit verify.")]
        public static partial void Broken(ILogger logger, string node);
    }
}
