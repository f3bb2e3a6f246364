using System.Text.RegularExpressions;

namespace Turnpike.Tests.Architecture;

/// <summary>Finds methods in blanked code by counting braces: every member of a type whose header has parameters.</summary>
internal static partial class Members
{
    public static IEnumerable<Member> Methods(SourceFile file)
    {
        var found = new List<Member>();
        ReadBlock(file.Code, 0, insideType: false, found);
        return found;
    }

    /// <summary>Reads declarations from <paramref name="at"/> to the brace that closes the block; returns the index behind it.</summary>
    private static int ReadBlock(string code, int at, bool insideType, List<Member> found)
    {
        for (var start = at; at < code.Length; at++)
        {
            if (code[at] == '}') return at + 1;
            if (code[at] == '(') { at = Close(code, at); continue; }
            if (code[at] == '[') { at = Close(code, at); continue; }
            if (code[at] != ';' && code[at] != '{') continue;
            var header = code[start..at];
            if (code[at] == '{')
            {
                var declares = TypeHeader().IsMatch(Constraints().Replace(header, "")) && !header.Contains("=>", StringComparison.Ordinal);
                if (declares || NamespaceHeader().IsMatch(header)) { at = ReadBlock(code, at + 1, declares, found) - 1; start = at + 1; continue; }
                at = Close(code, at);
                var goesOn = header.Contains('=', StringComparison.Ordinal) && InitializerHeader().IsMatch(header) || header.Contains("=>", StringComparison.Ordinal);
                if (goesOn) continue;
            }
            if (insideType && MethodHeader().Match(code[start..at]) is { Success: true } method)
                found.Add(new Member(method.Groups["name"].Value, LineOf(code, start + method.Groups["first"].Index), LineOf(code, at)));
            start = at + 1;
        }
        return at;
    }

    private static int Close(string code, int at)
    {
        var (open, close) = code[at] switch { '(' => ('(', ')'), '[' => ('[', ']'), _ => ('{', '}') };
        for (var depth = 0; at < code.Length; at++)
        {
            if (code[at] == open) depth++;
            if (code[at] == close && --depth == 0) return at;
        }
        return code.Length - 1;
    }

    private static int LineOf(string code, int index) => 1 + code.AsSpan(0, index).Count('\n');

    [GeneratedRegex(@"\b(class|struct|interface|record|enum|extension)\b")]
    private static partial Regex TypeHeader();

    [GeneratedRegex(@"\bnamespace\b")]
    private static partial Regex NamespaceHeader();

    [GeneratedRegex(@"\bwhere\s+\w+\s*:.*", RegexOptions.Singleline)]
    private static partial Regex Constraints();

    [GeneratedRegex(@"^[^(]*[^=!<>]=[^=>]")]
    private static partial Regex InitializerHeader();

    /// <summary>Attributes, modifiers and a type, a name, parameters: no '=' before them, or it would be a field.</summary>
    [GeneratedRegex(@"^\s*(?:\[[^\]]*\]\s*)*(?<first>[^\s\[({=;])[^=({;]*?(?<name>\w+)\s*(?:<[^>()]*>)?\s*\(")]
    private static partial Regex MethodHeader();
}

/// <summary>A method and the lines it spans, signature and closing brace included.</summary>
internal sealed record Member(string Name, int FirstLine, int LastLine)
{
    public int Lines => LastLine - FirstLine + 1;
}
