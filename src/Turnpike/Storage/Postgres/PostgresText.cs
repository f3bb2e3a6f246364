using System.Buffers;
using System.Text;

namespace Turnpike.Storage.Postgres;

/// <summary>Text as PostgreSQL can keep it: it has no NUL, and halves of surrogate pairs are no text. Either would fail a whole batch, again and again.</summary>
internal static class PostgresText
{
    private static readonly SearchValues<char> Suspicious = SearchValues.Create(['\0', .. Enumerable.Range(0xD800, 0x800).Select(c => (char)c)]);

    public static string Clean(string text) =>
        text.AsSpan().ContainsAny(Suspicious) ? Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)).Replace('\0', '\uFFFD') : text;
}
