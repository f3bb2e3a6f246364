using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace Turnpike.Protocols.Http;

/// <summary>One pass over an authentication header; stops at the first error.</summary>
internal ref struct AuthReader(ReadOnlySpan<char> text)
{
    private const int MaxSchemes = 32;
    private const int MaxParameters = 32;

    private static readonly IReadOnlyDictionary<string, string> None = FrozenDictionary<string, string>.Empty;

    private readonly ReadOnlySpan<char> text = text;
    private int at;

    public string? Error { get; private set; }

    public List<AuthScheme> ReadAll()
    {
        var schemes = new List<AuthScheme>();
        while (true)
        {
            SkipListSpace();
            if (at == text.Length) return schemes;
            if (schemes.Count == MaxSchemes) return Fail(schemes, "too many schemes");
            var scheme = ReadToken();
            if (scheme.IsEmpty) return Fail(schemes, "a scheme name is missing");
            var name = scheme.ToString();
            if (at < text.Length && text[at] is not (' ' or '\t' or ',')) return Fail(schemes, "a scheme name is malformed");
            SkipSpace();
            schemes.Add(ReadToken68() is { } token68 ? new AuthScheme(name, token68, None) : new AuthScheme(name, null, ReadParameters()));
            if (Error is not null) return schemes;
        }
    }

    private IReadOnlyDictionary<string, string> ReadParameters()
    {
        Dictionary<string, string>? parameters = null;
        while (true)
        {
            var start = at;
            if (parameters is not null) SkipListSpace();
            var name = ReadToken();
            SkipSpace();
            if (name.IsEmpty || at == text.Length || text[at] != '=')
            {
                at = start; // the next scheme, or the end
                if (parameters is null && at < text.Length && text[at] != ',') Error = "a parameter is malformed";
                return parameters ?? None;
            }
            at++;
            SkipSpace();
            var value = at < text.Length && text[at] == '"' ? ReadQuoted() : ReadBare();
            if (value is null) return None;
            parameters ??= [];
            if (parameters.Count == MaxParameters) Error = "too many parameters";
            // Two readers may each take another one of the two.
            else if (!parameters.TryAdd(name.ToString().ToLowerInvariant(), value)) Error = "a parameter appears twice";
            SkipSpace();
            if (Error is null && at < text.Length && text[at] != ',') Error = "a comma is missing";
            if (Error is not null) return None;
        }
    }

    // token68 fills its scheme to the next comma; "a=b" and "a=\"b\"" are parameters.
    private string? ReadToken68()
    {
        var end = at;
        while (end < text.Length && (char.IsAsciiLetterOrDigit(text[end]) || text[end] is '-' or '.' or '_' or '~' or '+' or '/')) end++;
        if (end == at) return null;
        while (end < text.Length && text[end] == '=') end++;
        var next = end;
        while (next < text.Length && text[next] is ' ' or '\t') next++;
        if (next < text.Length && text[next] != ',') return null;
        var token = text[at..end].ToString();
        at = next;
        return token;
    }

    private string? ReadQuoted()
    {
        StringBuilder? unescaped = null;
        var start = ++at;
        for (; at < text.Length; at++)
        {
            var c = text[at];
            if (c == '"')
            {
                var tail = text[start..at];
                at++;
                return unescaped is null ? tail.ToString() : unescaped.Append(tail).ToString();
            }
            if (c is < ' ' and not '\t' or '\x7f') break;
            if (c != '\\') continue;
            (unescaped ??= new StringBuilder()).Append(text[start..at]);
            if (++at == text.Length) break;
            if (text[at] == 'u' && text.Length - at > 4
                && ushort.TryParse(text.Slice(at + 1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var unit))
            {
                unescaped.Append((char)unit);
                at += 4;
                start = at + 1;
            }
            else if (text[at] is < ' ' and not '\t' or '\x7f') break;
            else start = at;
        }
        Error = "a quoted string is malformed";
        return null;
    }

    private string? ReadBare()
    {
        var start = at;
        while (at < text.Length && text[at] is > ' ' and < '\x7f' and not (',' or '"')) at++;
        if (at > start) return text[start..at].ToString();
        Error = "a parameter has no value";
        return null;
    }

    private ReadOnlySpan<char> ReadToken()
    {
        var rest = text[at..];
        var length = rest.IndexOfAnyExcept(AuthParams.TokenCharacters);
        if (length < 0) length = rest.Length;
        at += length;
        return rest[..length];
    }

    private void SkipSpace()
    {
        while (at < text.Length && text[at] is ' ' or '\t') at++;
    }

    private void SkipListSpace()
    {
        while (at < text.Length && text[at] is ' ' or '\t' or ',') at++;
    }

    private List<AuthScheme> Fail(List<AuthScheme> schemes, string error)
    {
        Error = error;
        return schemes;
    }
}
