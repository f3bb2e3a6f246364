using System.Text.RegularExpressions;

namespace Turnpike.Tests.Architecture;

/// <summary>Laws over every text file of the checkout, whatever its language.</summary>
internal static partial class TextLaws
{
    private static readonly string[] RootNames =
    [
        "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "AGENTS.md", "LICENSE", "turnpike", "turnpike.example.yaml",
        "Turnpike.slnx", "global.json", "Directory.Build.props", "Directory.Packages.props", "nuget.config", ".editorconfig",
        "BannedSymbols.txt", ".gitignore", ".gitattributes", "Dockerfile", ".dockerignore", "compose.yaml",
    ];

    public static IEnumerable<string> KnownRoot(IEnumerable<string> paths) =>
        paths.Where(p => !p.Contains('/', StringComparison.Ordinal) && !RootNames.Contains(p)).Select(p => $"{p}:1 does not belong at the root; plans go to issues, decisions to docs/adr");

    public static IEnumerable<string> NothingUnfinished(string path, string text) => Find(path, text, Marks(), "unfinished work does not merge");

    public static IEnumerable<string> NoMachinePaths(string path, string text) => Find(path, text, MachinePaths(), "a path of somebody's machine");

    public static IEnumerable<string> NoRegistryHosts(string path, string text) => Find(path, text, RegistryHosts(), "where packages come from is the machine's business");

    /// <summary>Every relative link of a page leads to a file, and its anchor to a heading there.</summary>
    public static IEnumerable<string> LinksResolve(string path, string text, Func<string, string?> read)
    {
        var prose = CodeBlock().Replace(text, m => new string('\n', m.Value.AsSpan().Count('\n')));
        foreach (Match link in Link().Matches(prose))
        {
            var target = link.Groups["target"].Value;
            if (target.Contains("://", StringComparison.Ordinal) || target.StartsWith("mailto:", StringComparison.Ordinal)) continue;
            var parts = target.Split('#', 2);
            var page = parts[0].Length == 0 ? path : Resolve(path, parts[0]);
            var where = $"{path}:{1 + prose.AsSpan(0, link.Index).Count('\n')} ";
            if (read(page) is not { } there) yield return $"{where}the link to {target} leads nowhere";
            else if (parts.Length == 2 && page.EndsWith(".md", StringComparison.Ordinal) && !Anchors(there).Contains(parts[1])) yield return $"{where}{page} has no heading #{parts[1]}";
        }
    }

    private static string Resolve(string from, string target)
    {
        var parts = new Stack<string>(from.Split('/')[..^1]);
        foreach (var part in target.Split('/'))
            if (part == "..") parts.TryPop(out _);
            else if (part is not ("." or "")) parts.Push(part);
        return string.Join('/', parts.Reverse());
    }

    private static IEnumerable<string> Anchors(string page) =>
        Heading().Matches(CodeBlock().Replace(page, "")).Select(m => NotInAnchor().Replace(m.Groups["title"].Value.Trim().ToLowerInvariant(), "").Replace(' ', '-'));

    private static IEnumerable<string> Find(string path, string text, Regex pattern, string what) =>
        pattern.Matches(text).Select(m => $"{path}:{1 + text.AsSpan(0, m.Index).Count('\n')} '{m.Value.Trim()}': {what}");

    [GeneratedRegex(@"\b(TO" + @"DO|FIX" + @"ME|HA" + @"CK|NotImplemented" + @"Exception)\b")]
    private static partial Regex Marks();

    [GeneratedRegex(@"(?<![.a-zA-Z0-9_\-<])/(tmp|work|root|home|Users)/[a-zA-Z.]")]
    private static partial Regex MachinePaths();

    [GeneratedRegex(@"registry\.npm|npmjs\.|api\.nuget|nuget\.org|pypi\.|jfrog|artifactory|registry\.yarn", RegexOptions.IgnoreCase)]
    private static partial Regex RegistryHosts();

    [GeneratedRegex(@"```.*?```|`[^`\n]*`", RegexOptions.Singleline)]
    private static partial Regex CodeBlock();

    [GeneratedRegex(@"\]\((?<target>[^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"^#+\s+(?<title>.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NotInAnchor();
}
