using System.Text.RegularExpressions;

namespace Turnpike.Tests.Architecture;

/// <summary>The gateway's slices in dependency order, and the law that a slice names only slices above its own.</summary>
internal static class Slices
{
    public static readonly string[] InOrder =
    [
        "Telemetry", "Storage", "Audit", "Ledger", "Metering", "Catalog", "Identity", "Plans", "Pricing", "Limits",
        "Tokens", "Payments", "Access", "Gateway", "Mcp", "Discovery", "Billing", "Admin", "Dashboard", "Demo",
    ];

    /// <summary>Names of slices below a file's own: by namespace, or by a type reached through the namespace's last part.</summary>
    public static IEnumerable<string> Upward(IReadOnlyList<SourceFile> files)
    {
        var types = files.Where(f => f.Slice is not null).ToLookup(f => f.Slice!, f => f.Types);
        foreach (var file in files.Where(f => f.Path.StartsWith("src/Turnpike/", StringComparison.Ordinal)))
        {
            foreach (var found in file.Find(new Regex(@"\bglobal\s+using\s+[^;]*Turnpike"), "a global using hides which slice needs which")) yield return found;
            if (file.Slice is not { } own) continue;
            var mine = Array.IndexOf(InOrder, own);
            if (mine < 0) yield return $"{file.Path}:1 {own} is no slice: the list is in {nameof(Slices)}.cs and DESIGN";
            foreach (var below in InOrder.Skip(mine + 1).Where(_ => mine >= 0))
            {
                var names = types[below].SelectMany(t => t).Distinct().Select(Regex.Escape).ToList();
                var half = names.Count == 0 ? "" : $@"|(?<![\w.]){below}\.(?:{string.Join('|', names)})\b";
                foreach (var found in file.Find(new Regex($@"\bTurnpike\.{below}\b{half}"), $"{own} stands above {below} and may not name it")) yield return found;
            }
        }
    }

    /// <summary>A slice that registers itself has tests of its own.</summary>
    public static IEnumerable<string> Untested(IReadOnlyList<string> paths) =>
        from slice in InOrder
        where paths.Contains($"src/Turnpike/{slice}/{slice}Setup.cs")
        where !paths.Any(p => IsTestOf(slice, p))
        select $"src/Turnpike/{slice}:1 has no tests in test/Turnpike.Tests/{slice} or test/Turnpike.EndToEnd/{slice}";

    private static bool IsTestOf(string slice, string path) =>
        path.EndsWith("Tests.cs", StringComparison.Ordinal)
        && (path.StartsWith($"test/Turnpike.Tests/{slice}/", StringComparison.Ordinal) || path.StartsWith($"test/Turnpike.EndToEnd/{slice}/", StringComparison.Ordinal));
}
