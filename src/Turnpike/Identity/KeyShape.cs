using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Turnpike.Catalog;
using Turnpike.Catalog.Document;

namespace Turnpike.Identity;

/// <summary>A key by reference, or its SHA-256; what is read is the hash alone, so that no catalog holds a key.</summary>
internal sealed class KeyShape : Shape<FileKey>
{
    private static readonly SecretShape Reference = new(check: Unfit);

    public override string Says => "a reference to a key, ${env:NAME} or ${file:PATH}, or its hash, sha256:<64 hex digits>";

    public override bool TryRead(Spot at, [MaybeNullWhen(false)] out FileKey value)
    {
        value = null;
        if (at.Node is ScalarNode { Text: var written } && written.StartsWith(KeyHash.Written, StringComparison.Ordinal))
        {
            if (KeyHash.Parse(written) is not { } imported) return at.Refuse("is no hash; write sha256: and 64 hex digits");
            value = new FileKey(imported);
            return true;
        }
        if (!Reference.TryRead(at, out Secret secret)) return false;
        value = new FileKey(KeyHash.Parse(secret.Reveal()) ?? KeyHash.Of(secret.Reveal()));
        return true;
    }

    public override void WriteSchema(Utf8JsonWriter json)
    {
        json.WriteString("type", "string");
        json.WriteString("pattern", @"^\$\{(env:[A-Za-z0-9_]+|file:[^}]+)\}$|^sha256:[0-9a-fA-F]{64}$");
    }

    private static string? Unfit(string key) =>
        key.StartsWith(KeyHash.Written, StringComparison.Ordinal) ? KeyHash.Parse(key) is null ? "is no hash; write sha256: and 64 hex digits" : null
        : key.Any(c => c is <= ' ' or > '~' or ',') ? "is no key: a key is printable ASCII without spaces and commas, or it cannot be sent in a header"
        : key.StartsWith("tp_", StringComparison.Ordinal) ? "begins with tp_, as prepaid tokens do; a key is something else"
        : !KeyText.IsSound(key) ? "is no key of ours: its checksum is wrong"
        : null;
}
