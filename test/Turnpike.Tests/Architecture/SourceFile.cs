using System.Text.RegularExpressions;

namespace Turnpike.Tests.Architecture;

/// <summary>One C# file as the laws see it.</summary>
/// <param name="Path">Relative to the root, forward slashes.</param>
/// <param name="Code">Its text with comments and literals blanked, line for line.</param>
internal sealed partial record SourceFile(string Path, string Text, string Code, IReadOnlyList<Literal> Literals)
{
    public static SourceFile Of(string path, string text)
    {
        var (code, literals) = CSharpText.Split(text);
        return new SourceFile(path, text, code, literals);
    }

    public string Name => System.IO.Path.GetFileNameWithoutExtension(Path);

    public string Folder => System.IO.Path.GetDirectoryName(Path)!.Replace('\\', '/');

    /// <summary>The slice of a file below src/Turnpike; null at its root and elsewhere.</summary>
    public string? Slice => Path.Split('/') is ["src", "Turnpike", var slice, _, ..] ? slice : null;

    public int LineCount => Text.AsSpan().TrimEnd('\n').Count('\n') + 1;

    /// <summary>Types declared anywhere in the file, in order.</summary>
    public IEnumerable<string> Types => TypeDeclaration().Matches(Code).Select(m => m.Groups["name"].Value);

    /// <summary>Where the pattern stands in the code, as <c>path:line what</c>.</summary>
    public IEnumerable<string> Find(Regex pattern, string what) => pattern.Matches(Code).Select(m => $"{At(m.Index)} {m.Value.Trim()}: {what}");

    public string At(int index) => $"{Path}:{1 + Code.AsSpan(0, index).Count('\n')}";

    [GeneratedRegex(@"\b(?:class|struct|interface|enum|record(?:\s+(?:class|struct))?)\s+(?<name>[A-Z]\w*)")]
    private static partial Regex TypeDeclaration();
}
