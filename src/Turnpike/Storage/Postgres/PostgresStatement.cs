using System.Collections.Concurrent;
using NpgsqlTypes;

namespace Turnpike.Storage.Postgres;

/// <summary>A statement as the server understood it: the types of its parameters, and its forms for many rows.</summary>
internal sealed class PostgresStatement
{
    private const int MostForms = 64;

    private readonly ConcurrentDictionary<ulong, string> many = [];
    private readonly Lazy<string> locking;

    /// <param name="types"><c>bigint</c>, <c>text</c> or <c>bytea</c>, by parameter.</param>
    public PostgresStatement(string text, IReadOnlyList<string> types)
    {
        Text = text;
        Types = types;
        Kinds = [.. types.Select(type => type switch { "bigint" => NpgsqlDbType.Bigint, "bytea" => NpgsqlDbType.Bytea, _ => NpgsqlDbType.Text })];
        locking = new Lazy<string>(() => PostgresDialect.Locking(text, types));
        var verb = text.AsSpan().TrimStart();
        IsUpdate = verb.StartsWith("update");
        ReturnsRows = verb.StartsWith("select") || verb.StartsWith("with") || verb.StartsWith("fetch") || verb.StartsWith("show") || text.Contains("returning", StringComparison.Ordinal);
    }

    public string Text { get; }

    public IReadOnlyList<string> Types { get; }

    public IReadOnlyList<NpgsqlDbType> Kinds { get; }

    public bool ReturnsRows { get; }

    public bool IsUpdate { get; }

    /// <summary>For many rows that have the columns of <paramref name="same"/> (a bit each) in common: those are sent once. Of the many forms there could be, some are kept prepared; the one for anything serves the others.</summary>
    public (string Text, ulong Same) ForMany(ulong same)
    {
        if (many.TryGetValue(same, out var known)) return (known, same);
        if (many.Count >= MostForms) same = 0;
        return (many.GetOrAdd(same, some => PostgresDialect.ForMany(Text, Types, some)), same);
    }

    public string Locking => locking.Value;
}
