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
            // Somebody may have cut it: then it goes on from where it ends.
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

    /// <summary>
    /// Today's file. One that is not here is on another machine, or was moved away: it is never begun again, so that whoever has it keeps it whole.
    /// A new one is made where no file of that name is, and is ours when the database says so.
    /// </summary>
    private async ValueTask<FilePlace> PlaceAsync(CancellationToken ct)
    {
        var known = await store.PlaceAsync(destination, ct);
        var (day, ending) = ($"usage-{time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}", target.Csv ? ".csv" : ".jsonl");
        var number = 1;
        if (known is not null && known.File.StartsWith(day, StringComparison.Ordinal))
        {
            if (known.File.EndsWith(ending, StringComparison.Ordinal) && File.Exists(Path.Combine(target.Folder, known.File))) return known;
            number = int.TryParse(Path.GetFileNameWithoutExtension(known.File).AsSpan(day.Length).TrimStart('-'), NumberStyles.None, CultureInfo.InvariantCulture, out var last) ? last + 1 : 2;
        }
        string name;
        while (!TryMake(Path.Combine(target.Folder, name = (number == 1 ? day : $"{day}-{number}") + ending))) number++;
        var fresh = new FilePlace(name, 0);
        await store.SetPlaceAsync(destination, fresh, ct);
        return fresh;
    }

    private static bool TryMake(string path)
    {
        try
        {
            using var made = new FileStream(path, FileMode.CreateNew, FileAccess.Write);
            return true;
        }
        catch (IOException) when (File.Exists(path)) { return false; }
    }
}
