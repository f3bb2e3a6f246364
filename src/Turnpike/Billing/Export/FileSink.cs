using System.Globalization;
using System.Text;
using Turnpike.Catalog.Webhooks;

namespace Turnpike.Billing.Export;

/// <summary>
/// A file a day. How far it is right stands in the database, written when its events leave the queue: what a crash left behind that
/// is overwritten, so that no line stands there twice.
/// </summary>
internal sealed class FileSink(string destination, ExportTarget.Files target, OutboxStore store, TimeProvider time) : IUsageSink
{
    public int Most => 500;

    public async ValueTask<Sent> SendAsync(IReadOnlyList<OutboxRow> batch, CancellationToken ct)
    {
        try
        {
            Directory.CreateDirectory(target.Folder);
            var place = await PlaceAsync(ct);
            await using var file = new FileStream(Path.Combine(target.Folder, place.File), FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read);
            // Somebody may have moved it away or cut it: then it goes on from where it ends.
            file.SetLength(Math.Min(file.Length, place.Length));
            file.Position = file.Length;
            if (target.Csv && file.Length == 0) file.Write(Encoding.UTF8.GetBytes(UsageLines.CsvHeader));
            foreach (var row in batch) file.Write(target.Csv ? UsageLines.Csv(row.Record, row.Subject) : UsageLines.Json(row.Record, row.Subject));
            file.Flush(flushToDisk: true);
            return new Written(place with { Length = file.Length });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { return new Sent.Later(e.Message); }
    }

    public void Dispose() { }

    /// <summary>Today's file. A new one is ours only when the database says so before its first byte is there: a file of that name that is not known is left alone.</summary>
    private async ValueTask<FilePlace> PlaceAsync(CancellationToken ct)
    {
        var known = await store.PlaceAsync(destination, ct);
        var day = $"usage-{time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}";
        if (known is not null && known.File.StartsWith(day, StringComparison.Ordinal)) return known;
        var (name, ending) = (day, target.Csv ? ".csv" : ".jsonl");
        for (var i = 2; File.Exists(Path.Combine(target.Folder, name + ending)); i++) name = $"{day}-{i}";
        var fresh = new FilePlace(name + ending, 0);
        await store.SetPlaceAsync(destination, fresh, ct);
        return fresh;
    }
}
