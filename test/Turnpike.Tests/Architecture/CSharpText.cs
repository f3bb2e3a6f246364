using System.Text;

namespace Turnpike.Tests.Architecture;

/// <summary>Tells code from comments and string literals: just enough of C#'s lexical grammar for the laws, holes of interpolated strings included.</summary>
internal sealed class CSharpText
{
    private readonly string text;
    private readonly StringBuilder code;
    private readonly List<Literal> literals = [];
    private int at;

    private CSharpText(string text) => (this.text, code) = (text, new StringBuilder(text.Length));

    /// <summary>The code alone, with comments and literals blanked and every line kept; and the literals with their lines.</summary>
    public static (string Code, IReadOnlyList<Literal> Literals) Split(string text)
    {
        var reader = new CSharpText(text);
        reader.ReadCode(stopAtHoleEnd: false);
        return (reader.code.ToString(), reader.literals);
    }

    private char Peek(int ahead = 0) => at + ahead < text.Length ? text[at + ahead] : '\0';

    private bool Starts(string what) => string.CompareOrdinal(text, at, what, 0, what.Length) == 0;

    private void Keep() => code.Append(text[at++]);

    private void Blank(int count = 1)
    {
        for (; count > 0 && at < text.Length; count--, at++) code.Append(text[at] is '\n' or '\r' ? text[at] : ' ');
    }

    private void ReadCode(bool stopAtHoleEnd)
    {
        for (var depth = 0; at < text.Length;)
        {
            if (Starts("//")) while (at < text.Length && Peek() != '\n') Blank();
            else if (Starts("/*")) { while (at < text.Length && !Starts("*/")) Blank(); Blank(2); }
            else if (Peek() == '\'') ReadChar();
            else if (StringAhead() is { } prefix) ReadString(prefix);
            else
            {
                if (Peek() == '{') depth++;
                if (Peek() == '}' && --depth < 0 && stopAtHoleEnd) return;
                Keep();
            }
        }
    }

    private void ReadChar()
    {
        Blank(Peek(1) == '\\' ? 3 : 2);
        while (at < text.Length && Peek() is not ('\'' or '\n')) Blank();
        Blank();
    }

    /// <summary>The <c>$</c> and <c>@</c> before a quote, or null when no string begins here.</summary>
    private string? StringAhead()
    {
        var end = at;
        while (end < text.Length && text[end] is '$' or '@') end++;
        return end < text.Length && text[end] == '"' ? text[at..end] : null;
    }

    private void ReadString(string prefix)
    {
        var line = 1 + text.AsSpan(0, at).Count('\n');
        var holes = prefix.Count(c => c == '$');
        Blank(prefix.Length);
        var quotes = 0;
        while (Peek(quotes) == '"') quotes++;
        var raw = quotes >= 3;
        if (!raw) quotes = 1;
        var end = new string('"', quotes);
        Blank(quotes);
        var content = new StringBuilder();
        while (at < text.Length)
        {
            if (!raw && prefix.Contains('@', StringComparison.Ordinal) && Starts("\"\"")) Take(2);
            else if (Starts(end)) break;
            else if (!raw && !prefix.Contains('@', StringComparison.Ordinal) && Peek() == '\\') Take(2);
            else if (!raw && holes > 0 && (Starts("{{") || Starts("}}"))) Take(2);
            else if (holes > 0 && Starts(new string('{', holes))) ReadHole(holes);
            else Take(1);
        }
        Blank(quotes);
        literals.Add(new Literal(line, content.ToString(), holes > 0));

        void Take(int count)
        {
            content.Append(text, at, Math.Min(count, text.Length - at));
            Blank(count);
        }
    }

    private void ReadHole(int braces)
    {
        Blank(braces);
        ReadCode(stopAtHoleEnd: true);
        Blank(braces);
    }
}

/// <summary>A string literal: the line it begins on, its text without holes, and whether it is interpolated.</summary>
internal sealed record Literal(int Line, string Text, bool Interpolated);
