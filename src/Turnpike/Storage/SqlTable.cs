namespace Turnpike.Storage;

/// <summary>A table as either database's catalogue describes it.</summary>
internal sealed record SqlTable(string Name, IReadOnlyList<SqlColumn> Columns)
{
    /// <summary>From rows of table, column, type and place in the primary key, in the order of tables and columns.</summary>
    public static IReadOnlyList<SqlTable> Read(Sql sql, string query) =>
        [.. sql.Query(query, row => (Table: row.Text(0), Column: new SqlColumn(row.Text(1), Kind(row.Text(2)), (int)row.Long(3))))
            .GroupBy(each => each.Table, each => each.Column, StringComparer.Ordinal)
            .Select(columns => new SqlTable(columns.Key, [.. columns]))
            .OrderBy(table => table.Name, StringComparer.Ordinal)];

    private static SqlKind Kind(string type) => type switch
    {
        "integer" or "bigint" => SqlKind.Number,
        "text" => SqlKind.Text,
        "blob" or "bytea" => SqlKind.Bytes,
        _ => throw new StorageException($"The schema has a column of the type {type}."),
    };
}

/// <summary>What a column holds.</summary>
internal enum SqlKind
{
    Number,
    Text,
    Bytes,
}

/// <param name="Key">Its place in the primary key, from 1; 0 where it is no part of it.</param>
internal sealed record SqlColumn(string Name, SqlKind Kind, int Key);
