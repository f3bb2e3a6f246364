namespace Turnpike.Tests.Architecture;

/// <summary>
/// Compares a public surface with its reviewed copy in test/Turnpike.Tests/Snapshots. TURNPIKE_SNAPSHOTS=write renews the copies:
/// the diff of the commit then shows what changed for others.
/// </summary>
internal static class Snapshot
{
    public static void ShouldMatch(string name, string actual) =>
        ShouldMatch(SourceTree.Full($"test/Turnpike.Tests/Snapshots/{name}"), actual, Environment.GetEnvironmentVariable("TURNPIKE_SNAPSHOTS") == "write");

    public static void ShouldMatch(string file, string actual, bool write)
    {
        actual = actual.ReplaceLineEndings("\n").TrimEnd('\n') + "\n";
        if (write)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, actual);
            return;
        }
        var name = Path.GetFileName(file);
        File.Exists(file).ShouldBeTrue($"There is no snapshot {name} yet. TURNPIKE_SNAPSHOTS=write writes it; review it before committing.");
        if (Difference(File.ReadAllText(file), actual) is { } difference)
            throw new ShouldAssertException($"{name} is not what was reviewed. {difference} TURNPIKE_SNAPSHOTS=write renews it, if the change is meant.");
    }

    /// <summary>The first line that differs, or null.</summary>
    private static string? Difference(string reviewed, string actual)
    {
        var (old, now) = (reviewed.ReplaceLineEndings("\n").Split('\n'), actual.Split('\n'));
        for (var i = 0; i < Math.Max(old.Length, now.Length); i++)
            if (old.ElementAtOrDefault(i) != now.ElementAtOrDefault(i))
                return $"Line {i + 1} was '{old.ElementAtOrDefault(i) ?? "(end)"}' and is '{now.ElementAtOrDefault(i) ?? "(end)"}'.";
        return null;
    }
}
