using System.Text;

namespace Turnpike.Catalog.Document;

/// <summary>A scalar with its references looked up. What came out of a reference is never shown: <see cref="Shown"/> gives the text as written then.</summary>
internal readonly record struct Resolved(string Text, string Written, int References, bool HasDefault)
{
    public string Shown => Reading.Shown(References > 0 ? Written : Text);

    /// <summary>True when the text is one reference and nothing else, without a default: the only way to write a secret.</summary>
    public bool IsOneReference => References == 1 && !HasDefault && Written.StartsWith("${", StringComparison.Ordinal) && Written.IndexOf('}') == Written.Length - 1;
}

/// <summary><c>${env:NAME}</c>, <c>${env:NAME:-default}</c> and <c>${file:PATH}</c> inside text; <c>$${</c> is a plain <c>${</c>.</summary>
internal static class References
{
    /// <summary>False with a sentence in <paramref name="problem"/> that names the variable or file, never a value.</summary>
    public static bool TryResolve(string written, ConfigEnvironment environment, out Resolved resolved, out string problem)
    {
        problem = "";
        resolved = new Resolved(written, written, 0, false);
        if (!written.Contains("${", StringComparison.Ordinal)) return true;
        var text = new StringBuilder();
        var (rest, count, hasDefault) = (written, 0, false);
        while (rest.IndexOf("${", StringComparison.Ordinal) is >= 0 and var start)
        {
            var escaped = start > 0 && rest[start - 1] == '$';
            text.Append(rest, 0, escaped ? start - 1 : start);
            if (escaped) { text.Append("${"); rest = rest[(start + 2)..]; continue; }
            var end = rest.IndexOf('}', start);
            if (end < 0) { problem = "a reference is not closed: '}' is missing"; return false; }
            if (LookUp(rest[(start + 2)..end], environment, ref hasDefault, out problem) is not { } value) return false;
            text.Append(value);
            count++;
            rest = rest[(end + 1)..];
        }
        resolved = new Resolved(text.Append(rest).ToString(), written, count, hasDefault);
        return true;
    }

    private static string? LookUp(string reference, ConfigEnvironment environment, ref bool hasDefault, out string problem)
    {
        problem = "";
        if (reference.StartsWith("file:", StringComparison.Ordinal))
        {
            if (environment.File(reference[5..])?.TrimEnd('\r', '\n') is { Length: > 0 } content) return content;
            problem = $"file '{Reading.Shown(reference[5..])}' cannot be read, is empty, or is larger than 64 KiB";
            return null;
        }
        var split = reference.IndexOf(":-", StringComparison.Ordinal);
        var name = reference.StartsWith("env:", StringComparison.Ordinal) ? split < 0 ? reference[4..] : reference[4..Math.Max(split, 4)] : "";
        if (name.Length == 0 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_'))
        {
            problem = "a reference is ${env:NAME}, ${env:NAME:-default} or ${file:PATH}";
            return null;
        }
        hasDefault |= split >= 0;
        if (environment.Variable(name) is { Length: > 0 } value) return value;
        if (split >= 0) return reference[(split + 2)..];
        problem = $"environment variable {name} is not set";
        return null;
    }
}
