namespace Turnpike.Tests.Architecture;

/// <summary>The checkout the tests run from: every file a reviewer would see, read once.</summary>
internal static class SourceTree
{
    private static readonly string[] NotOurs = [".git", "node_modules", "bin", "obj", ".vs", ".idea"];
    private static readonly string[] NotOursAtTheRoot = ["artifacts", "data"];
    private static readonly string[] TextEndings = [".cs", ".razor", ".md", ".mjs", ".js", ".json", ".yaml", ".yml", ".sol", ".csproj", ".props", ".slnx", ".config", ".txt", ".css", ".html", ".env", ""];

    public static string Root { get; } = FindRoot();

    /// <summary>Paths of all files relative to the root, with forward slashes.</summary>
    public static IReadOnlyList<string> Paths { get; } = [.. Walk(Root).Order(StringComparer.Ordinal)];

    /// <summary>All our C# files.</summary>
    public static IReadOnlyList<SourceFile> Code { get; } = [.. Paths.Where(p => p.EndsWith(".cs", StringComparison.Ordinal)).Select(Read)];

    /// <summary>All text files, C# among them; third-party test data and lock files are not.</summary>
    public static IReadOnlyList<(string Path, string Text)> Texts { get; } =
        [.. Paths.Where(p => TextEndings.Contains(Path.GetExtension(p)) && !p.Contains("/Vectors/", StringComparison.Ordinal) && !p.EndsWith("package-lock.json", StringComparison.Ordinal))
            .Select(p => (p, File.ReadAllText(Full(p))))];

    public static string Full(string path) => Path.Combine(Root, path);

    private static SourceFile Read(string path) => SourceFile.Of(path, File.ReadAllText(Full(path)));

    private static IEnumerable<string> Walk(string folder)
    {
        foreach (var file in Directory.EnumerateFiles(folder)) yield return Path.GetRelativePath(Root, file).Replace('\\', '/');
        foreach (var sub in Directory.EnumerateDirectories(folder).Where(d => !NotOurs.Contains(Path.GetFileName(d)) && !(folder == Root && NotOursAtTheRoot.Contains(Path.GetFileName(d)))))
            foreach (var file in Walk(sub)) yield return file;
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Turnpike.slnx"))) return folder.FullName;
        throw new InvalidOperationException("The law tests read the checkout they were built in, and there is no Turnpike.slnx above them.");
    }
}
