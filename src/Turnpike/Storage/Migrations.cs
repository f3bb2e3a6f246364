using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;

namespace Turnpike.Storage;

/// <summary>One numbered step of the schema. <see cref="Hash"/> is SHA-256 over its text with line feeds only, in hex.</summary>
internal sealed record Migration(int Number, string Name, string Text)
{
    public string Hash => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Text.ReplaceLineEndings("\n"))));
}

/// <summary>
/// The schema's history: files <c>Storage/Migrations/0001-name.sql</c>, embedded, applied forward only, each in a transaction of its
/// own. What was applied must still read the same; a database that knows more than this binary is refused.
/// </summary>
internal static class Migrations
{
    private const string Prefix = "Turnpike.Migrations.";

    /// <summary>The steps this binary carries, in order.</summary>
    public static IReadOnlyList<Migration> Embedded { get; } = Load(typeof(Migrations).Assembly);

    /// <summary>Brings the database up to the last step.</summary>
    /// <exception cref="StorageException">An applied step was edited, or the database is newer.</exception>
    public static void Apply(Sql sql, IReadOnlyList<Migration> known, DateTimeOffset now)
    {
        sql.Script("create table if not exists migrations (number integer primary key, name text not null, hash text not null, applied bigint not null)");
        foreach (var next in known.Skip(Check(sql, known)))
        {
            sql.Begin();
            try
            {
                sql.Script(next.Text);
                sql.Run("insert into migrations (number, name, hash, applied) values ($1, $2, $3, $4)", next.Number, next.Name, next.Hash, now);
                sql.Commit();
            }
            catch
            {
                sql.Rollback();
                throw;
            }
        }
    }

    /// <summary>For those who only look: the database must be exactly at the last step.</summary>
    public static void Require(Sql sql, IReadOnlyList<Migration> known)
    {
        if (Check(sql, known) < known.Count) throw new StorageException("The database is older than this version of Turnpike: start the server once to bring it up to date.");
    }

    private static int Check(Sql sql, IReadOnlyList<Migration> known)
    {
        var applied = sql.Query("select number, name, hash from migrations order by number", row => (Number: row.Long(0), Name: row.Text(1), Hash: row.Text(2)));
        foreach (var (step, index) in applied.Select((step, index) => (step, index)))
        {
            if (index >= known.Count) throw new StorageException($"The database was written by a newer version of Turnpike (step {step.Number}, {step.Name}); this one knows {known.Count} steps.");
            if (known[index].Number != step.Number || known[index].Hash != step.Hash) throw new StorageException($"Step {step.Number} ({step.Name}) of the database is not the one this version carries: it was edited after it was applied.");
        }
        return applied.Count;
    }

    private static List<Migration> Load(Assembly assembly)
    {
        List<Migration> steps = [];
        foreach (var resource in assembly.GetManifestResourceNames().Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
            var name = Path.GetFileNameWithoutExtension(resource[Prefix.Length..]);
            steps.Add(new Migration(int.Parse(name.AsSpan(0, 4), CultureInfo.InvariantCulture), name[5..], reader.ReadToEnd()));
        }
        return steps;
    }
}
