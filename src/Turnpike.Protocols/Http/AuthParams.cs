using System.Buffers;
using System.Globalization;
using System.Text;

namespace Turnpike.Protocols.Http;

/// <summary>Reads and writes the values of <c>WWW-Authenticate</c> and <c>Authorization</c> (RFC 9110 §11).</summary>
public static class AuthParams
{
    /// <summary>Longest header value that is read, in characters.</summary>
    public const int MaxLength = 64 * 1024;

    internal static readonly SearchValues<char> TokenCharacters =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    private static readonly SearchValues<char> Plain = SearchValues.Create(
        " !#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~");

    /// <summary>
    /// Reads a list of challenges or credentials of any schemes. Null, with a short reason, if the list is malformed, a
    /// parameter appears twice in one scheme, or a limit is passed. Never throws.
    /// </summary>
    /// <remarks>
    /// In quoted strings <c>\x</c> stands for <c>x</c>, and <c>\u</c> with four hexadecimal digits for that UTF-16 code
    /// unit, as MPP's reference implementation writes what Latin-1 cannot hold.
    /// </remarks>
    public static IReadOnlyList<AuthScheme>? Parse(string? value, out string? error)
    {
        value ??= "";
        if (value.Length > MaxLength)
        {
            error = "the value is too long";
            return null;
        }
        var reader = new AuthReader(value);
        var schemes = reader.ReadAll();
        error = reader.Error;
        return error is null ? schemes : null;
    }

    /// <summary>Appends <c>name="value"</c>, escaping quotes and backslashes and writing what is beyond Latin-1 as <c>\uXXXX</c>.</summary>
    /// <exception cref="ArgumentException">The value holds CR, LF or another control character: header injection.</exception>
    public static StringBuilder AppendQuoted(StringBuilder target, string name, string value)
    {
        target.Append(name).Append("=\"");
        var rest = value.AsSpan();
        while (rest.Length > 0)
        {
            var special = rest.IndexOfAnyExcept(Plain);
            if (special < 0) special = rest.Length;
            target.Append(rest[..special]);
            if (special == rest.Length) break;
            var c = rest[special];
            if (c is < ' ' or (>= '\x7f' and < '\xa0')) throw new ArgumentException($"'{name}' holds a control character", nameof(value));
            if (c is '"' or '\\') target.Append('\\').Append(c);
            else if (c <= '\xff') target.Append(c);
            else target.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            rest = rest[(special + 1)..];
        }
        return target.Append('"');
    }
}
