using System.Globalization;
using Turnpike.Storage;

namespace Turnpike.Admin.Data;

/// <summary>How a column may name somebody.</summary>
internal enum Naming
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>It is a name.</summary>
    Name,

    /// <summary>It is made of names.</summary>
    Parts,

    /// <summary>It tells what somebody did, and belongs to the row's name.</summary>
    Fact,
}

/// <summary>One table of which rows may be about somebody: its columns in the order of its query, and what erasing does to it.</summary>
internal sealed record StoredTable(string Name, string Erased, string Query, IReadOnlyList<StoredColumn> Columns)
{
    /// <summary>Every row that is about this subject, or that goes with one that is.</summary>
    public IEnumerable<StoredRow> Find(Sql sql, Subject subject, StoredLinks links)
    {
        foreach (var row in sql.Stream(Query, Read))
            if (Names(row, subject) || links.Has(row)) yield return row;
    }

    private bool Names(StoredRow row, Subject subject)
    {
        for (var i = 0; i < Columns.Count; i++)
            if (Columns[i].Naming == Naming.Name && subject.Is(row.Values[i] as string) || Columns[i].Naming == Naming.Parts && subject.IsIn(row.Values[i] as string)) return true;
        return false;
    }

    private StoredRow Read(SqlRow row)
    {
        var values = new object?[Columns.Count];
        for (var i = 0; i < values.Length; i++)
            values[i] = row.IsNull(i) ? null : Columns[i].Type switch { 't' => row.Text(i), 'n' => row.Long(i), _ => row.Bytes(i) };
        return new StoredRow(this, values);
    }

    /// <summary>Columns as <c>name:type</c>, type <c>t</c>ext, <c>n</c>umber or <c>b</c>ytes; then <c>!</c> for a name, <c>*</c> for parts, <c>-</c> for facts.</summary>
    public static IReadOnlyList<StoredColumn> Of(string columns) => [.. columns.Split(' ').Select(column =>
    {
        var colon = column.IndexOf(':', StringComparison.Ordinal);
        return new StoredColumn(column[..colon], column[colon + 1], column.Length > colon + 2 ? column[colon + 2] switch { '!' => Naming.Name, '*' => Naming.Parts, _ => Naming.Fact } : Naming.None);
    })];
}

/// <summary>A column of one.</summary>
internal sealed record StoredColumn(string Name, char Type, Naming Naming);

/// <summary>A row as it stands.</summary>
internal sealed record StoredRow(StoredTable Table, object?[] Values)
{
    public string? Text(string column) => this[column] as string;

    public long Number(string column) => Convert.ToInt64(this[column], CultureInfo.InvariantCulture);

    private object? this[string column]
    {
        get
        {
            for (var i = 0; i < Table.Columns.Count; i++)
                if (Table.Columns[i].Name == column) return Values[i];
            throw new ArgumentException($"{Table.Name} has no column {column}.", nameof(column));
        }
    }
}

/// <summary>What holds of somebody lead to: events of their correlations, answers and keys of their ids.</summary>
internal sealed class StoredLinks
{
    public HashSet<string> Holds { get; } = new(StringComparer.Ordinal);

    public HashSet<string> Correlations { get; } = new(StringComparer.Ordinal);

    public bool Has(StoredRow row) => row.Table.Name switch
    {
        "audit" => row.Text("correlation") is { } correlation && Correlations.Contains(correlation),
        "answers" or "retry_keys" => row.Text("hold") is { } hold && Holds.Contains(hold),
        _ => false,
    };

    public void Add(StoredRow hold)
    {
        Holds.Add(hold.Text("id")!);
        Correlations.Add(hold.Text("correlation")!);
    }
}
