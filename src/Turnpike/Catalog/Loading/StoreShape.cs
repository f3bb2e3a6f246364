using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.RegularExpressions;
using Turnpike.Catalog.Document;
using Turnpike.Storage;
using Turnpike.Storage.Postgres;

namespace Turnpike.Catalog.Loading;

/// <summary>Where the database is: a file, or a server. A password in it is a reference, and no error shows the value.</summary>
internal sealed partial class StoreShape : Shape<string>
{
    public override string Says => "sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/DATABASE";

    public override bool TryRead(Spot at, [MaybeNullWhen(false)] out string value)
    {
        value = default;
        if (at.Node is ScalarNode scalar && (LiteralPassword().IsMatch(scalar.Text) || DefaultPassword().IsMatch(scalar.Text)))
            return at.Refuse("the password is a secret; a secret is a reference, ${env:NAME} or ${file:PATH}, never a value or a default in the file");
        if (!at.TryText(Says, out var text)) return false;
        if (Wrong(text.Text) is { } wrong) return at.Refuse($"the value is no store; {wrong}");
        value = text.Text;
        return true;
    }

    public override void WriteSchema(Utf8JsonWriter json)
    {
        json.WriteString("type", "string");
        json.WriteString("pattern", @"(?:^sqlite:[^;]+$|^postgres(?:ql)?://.+/.+$)|\$\{");
    }

    private static string? Wrong(string location)
    {
        if (location.StartsWith("sqlite:", StringComparison.Ordinal)) return location.Length > 7 && !location.Contains(';', StringComparison.Ordinal) ? null : "write sqlite:PATH";
        if (!new StorageOptions(location).IsPostgres) return "write sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/DATABASE";
        try
        {
            PostgresLocation.Parse(location);
            return null;
        }
        catch (StorageException)
        {
            return "write postgres://USER:PASSWORD@HOST:PORT/DATABASE, with sslmode, sslrootcert, sslcert, sslkey, target_session_attrs or application_name after a question mark";
        }
    }

    [GeneratedRegex(@"postgres(?:ql)?://[^/@:\s]*:(?!\$\{)[^@\s]+@")]
    private static partial Regex LiteralPassword();

    [GeneratedRegex(@":\$\{[^}]*:-[^}]*\}@")]
    private static partial Regex DefaultPassword();
}
