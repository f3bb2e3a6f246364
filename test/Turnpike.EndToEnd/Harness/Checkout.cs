namespace Turnpike.EndToEnd.Harness;

/// <summary>Where things are in the checkout the tests were built from.</summary>
internal static class Checkout
{
    public static string Root { get; } = FindRoot();

    /// <summary>The folder of the scenarios' copies.</summary>
    public static string Contract { get; } = Path.Combine(Root, "test", "Turnpike.EndToEnd", "contract");

    /// <summary>The folder of the originals beside the checkout, which need not exist.</summary>
    public static string SharedContract { get; } = Path.GetFullPath(Path.Combine(Root, "..", "shared", "contract"));

    public static string Clients { get; } = Path.Combine(Root, "test", "Turnpike.EndToEnd", "clients");

    /// <summary>The gateway as it was built with these tests, or another that shall be tested by them.</summary>
    public static string Turnpike { get; } = Environment.GetEnvironmentVariable("TURNPIKE_GATEWAY") ?? Path.Combine(Root, "artifacts", "bin", "Turnpike", Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)), "turnpike.dll");

    /// <summary>The variables of the scenarios.</summary>
    public static IReadOnlyDictionary<string, string> Variables() =>
        File.ReadLines(Path.Combine(Contract, "scenarios.env"))
            .Where(line => line.Contains('=', StringComparison.Ordinal) && !line.StartsWith('#'))
            .Select(line => line.Split('=', 2))
            .ToDictionary(pair => pair[0], pair => pair[1]);

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Turnpike.slnx"))) return folder.FullName;
        throw new InvalidOperationException("The end-to-end tests run inside a checkout, and there is no Turnpike.slnx above them.");
    }
}
