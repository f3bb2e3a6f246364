using NpgsqlTypes;

namespace Turnpike.Storage.Postgres;

/// <summary>A statement as the server understood it: the types of its parameters, and its forms for many rows.</summary>
internal sealed class PostgresStatement
{
    private readonly Lazy<string> many;
    private readonly Lazy<string> locking;

    /// <param name="types"><c>bigint</c>, <c>text</c> or <c>bytea</c>, by parameter.</param>
    public PostgresStatement(string text, IReadOnlyList<string> types)
    {
        Text = text;
        Types = types;
        Kinds = [.. types.Select(type => type switch { "bigint" => NpgsqlDbType.Bigint, "bytea" => NpgsqlDbType.Bytea, _ => NpgsqlDbType.Text })];
        many = new Lazy<string>(() => PostgresDialect.ForMany(text, types));
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

    public string ForMany => many.Value;

    public string Locking => locking.Value;
}
