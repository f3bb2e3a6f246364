using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Turnpike.Storage.Copying;

/// <summary>
/// One table on its way from one database to the other. Its statements are made of the names in the schema's own catalogue, never of
/// a value. What a running process has taken for a while (<paramref name="freed"/>) arrives as taken by nobody. Both databases order numbers, text and bytes alike, so the digest of all rows by primary key says whether they hold the same.
/// </summary>
internal sealed class CopiedTable(SqlTable table, IReadOnlyDictionary<string, SqlValue> freed)
{
    private const int MostRows = 1_000;
    private const int MostBytes = 4 << 20;

    private readonly string select = $"select {Names(table.Columns)} from {table.Name} order by {Names(table.Columns.Any(column => column.Key > 0) ? table.Columns.Where(column => column.Key > 0).OrderBy(column => column.Key) : table.Columns)}";
    private readonly string insert = $"insert into {table.Name} ({Names(table.Columns)}) values ({string.Join(", ", table.Columns.Select((_, i) => $"${i + 1}"))})";
    private readonly string any = $"select 1 from {table.Name} limit 1";

    public string Name => table.Name;

    public bool IsEmpty(Sql sql) => sql.First(any, row => row.Long(0)) == 0;

    /// <summary>Copies every row, a few megabytes at a time, and tells what it read.</summary>
    public TableDigest Copy(Sql from, Sql to, CancellationToken ct)
    {
        var (rows, bytes) = (0, 0);
        return Digest(from, ct, values =>
        {
            to.RunRow(insert, values);
            bytes += Size(values);
            if (++rows < MostRows && bytes < MostBytes) return;
            to.Send();
            (rows, bytes) = (0, 0);
        });
    }

    public TableDigest Digest(Sql sql, CancellationToken ct) => Digest(sql, ct, static _ => { });

    private TableDigest Digest(Sql sql, CancellationToken ct, Action<SqlValue[]> each)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long rows = 0;
        foreach (var values in sql.Stream(select, Read))
        {
            ct.ThrowIfCancellationRequested();
            foreach (var value in values) Append(hash, value);
            each(values);
            rows++;
        }
        return new TableDigest(table.Name, rows, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    private SqlValue[] Read(SqlRow row) => [.. table.Columns.Select((column, i) => freed.TryGetValue(column.Name, out var free) ? free : row.IsNull(i) ? SqlValue.Null : column.Kind switch
    {
        SqlKind.Number => row.Long(i),
        SqlKind.Text => row.Text(i),
        _ => (SqlValue)row.Bytes(i),
    })];

    // Each value is its kind and its length before its bytes: no two rows read alike.
    private static void Append(IncrementalHash hash, SqlValue value)
    {
        Span<byte> head = stackalloc byte[9];
        var (kind, number, bytes) = value.Reference switch
        {
            null => ((byte)0, 0L, Array.Empty<byte>()),
            string text when Encoding.UTF8.GetBytes(text) is var utf8 => ((byte)2, utf8.Length, utf8),
            byte[] given => ((byte)3, given.Length, given),
            _ => ((byte)1, value.Number, []),
        };
        head[0] = kind;
        BinaryPrimitives.WriteInt64BigEndian(head[1..], number);
        hash.AppendData(head);
        hash.AppendData(bytes);
    }

    private static int Size(SqlValue[] values) => values.Sum(value => value.Reference switch { string text => text.Length, byte[] bytes => bytes.Length, _ => 8 });

    private static string Names(IEnumerable<SqlColumn> columns) => string.Join(", ", columns.Select(column => column.Name));
}

/// <summary>What a table holds.</summary>
/// <param name="Digest">SHA-256 over all rows in the order of the primary key, in hex.</param>
internal sealed record TableDigest(string Table, long Rows, string Digest);
