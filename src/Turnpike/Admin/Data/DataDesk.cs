using System.Buffers;
using System.Text.Json;
using Turnpike.Admin.Callers;
using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Identity;
using Turnpike.Storage;
using Turnpike.Storage.Nodes;
using Turnpike.Tokens;

namespace Turnpike.Admin.Data;

/// <summary>
/// Everything that is stored about somebody: shown, or erased. Erasing keeps the books: what was paid stays, under a pseudonym nobody
/// else has, and the trail still verifies. It is one transaction, alone; on SQLite the file and its log hold nothing of it afterwards.
/// </summary>
internal sealed class DataDesk(Database database, AuditTrail trail, Revisions revisions)
{
    private static readonly string[] Owned = ["token:", "credit:", "balance:"];

    /// <summary>JSON: the subject, and its rows by table.</summary>
    public async ValueTask<byte[]> ExportAsync(Subject subject, string name, CancellationToken ct)
    {
        if (database is { IsWritable: true }) await trail.FlushAsync(ct);
        var rows = await database.ScanAsync(sql => Find(sql, subject.With(TokenStore.Lineage(sql, subject.Text)), ct), ct);
        var buffer = new ArrayBufferWriter<byte>(4096);
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("subject", name);
            foreach (var table in StoredStore.All)
            {
                json.WriteStartArray(table.Name);
                foreach (var row in rows)
                    if (row.Table == table) Write(json, row);
                json.WriteEndArray();
            }
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>How many rows it came to; a no while money is on its way, or left and not to be forfeited.</summary>
    public async ValueTask<(ErasedView? Erased, Denial? Denied)> EraseAsync(Subject subject, bool forfeit, CancellationToken ct)
    {
        await trail.FlushAsync(ct);
        var (pseudonym, hasher) = (Ids.New("erased"), new AuditHash());
        return await database.WriteAloneAsync(sql =>
        {
            sql.Share(SqlShare.Accounts, alone: true);
            var tokens = TokenStore.Lineage(sql, subject.Text);
            ErasureStore.Keep(sql, tokens);
            var all = subject.With(tokens);
            var rows = Find(sql, all, ct);
            if (Object(rows, forfeit) is { } no) return ((ErasedView?)null, (Denial?)no);
            foreach (var row in rows) ErasureStore.Erase(sql, row, all, pseudonym, hasher);
            var counts = rows.GroupBy(row => row.Table.Name).ToDictionary(group => group.Key, group => group.Count());
            revisions.Bump(sql, CallerStore.Revision);
            revisions.Bump(sql, "tokens");
            trail.Chain.Append(sql, new AuditEvent { Kind = AuditKinds.DataErased, Correlation = Ids.New("c"), Detail = string.Join(", ", counts.Select(count => $"{count.Key} {count.Value}")) });
            return (new ErasedView(pseudonym, counts), null);
        }, ct);
    }

    private static List<StoredRow> Find(Sql sql, Subject subject, CancellationToken ct)
    {
        var links = new StoredLinks();
        List<StoredRow> found = [];
        foreach (var table in StoredStore.All)
            foreach (var row in table.Find(sql, subject, links))
            {
                ct.ThrowIfCancellationRequested();
                found.Add(row);
                if (table == StoredStore.Holds) links.Add(row);
            }
        return found;
    }

    private static Denial? Object(List<StoredRow> rows, bool forfeit)
    {
        var open = rows.Count(row => row.Table == StoredStore.Holds && row.Text("status") is "held" or "captured" or "unknown" || row.Table == StoredStore.Holds && row.Text("status") == "settled" && row.Number("outcome") == 0);
        // A card that is being charged: forgotten now, what it gives would come to nobody, and nobody would ask what became of it.
        open += rows.Count(row => row.Table == StoredStore.Mandates && row.Text("pending") is not null);
        if (open > 0) return new Denial(409, "payments-open", "Payments are on their way", $"{open} have not come to their end. Erase when they have.");
        var left = rows.Where(row => row.Table == StoredStore.Accounts && Owned.Any(role => row.Text("account")!.StartsWith(role, StringComparison.Ordinal)) && row.Number("posted") > 0 && row.Text("currency") != Token.CallsCurrency).ToList();
        return left.Count == 0 || forfeit ? null
            : new Denial(409, "balance-left", "Something is left that would be forfeited", $"{string.Join(", ", left.Select(row => new Ledger.Money(row.Number("posted"), row.Text("currency")!)))}. Give it back first, or say that it is forfeited.");
    }

    private static void Write(Utf8JsonWriter json, StoredRow row)
    {
        json.WriteStartObject();
        for (var i = 0; i < row.Values.Length; i++)
        {
            json.WritePropertyName(row.Table.Columns[i].Name);
            switch (row.Values[i])
            {
                case string text: json.WriteStringValue(text); break;
                case long number: json.WriteNumberValue(number); break;
                case byte[] bytes: json.WriteStringValue(Convert.ToHexStringLower(bytes)); break;
                default: json.WriteNullValue(); break;
            }
        }
        json.WriteEndObject();
    }
}

/// <summary>What was erased.</summary>
/// <param name="Pseudonym">Stands in the books in its place; only this answer says whose it was.</param>
/// <param name="Rows">How many rows of each table.</param>
internal sealed record ErasedView(string Pseudonym, IReadOnlyDictionary<string, int> Rows);
