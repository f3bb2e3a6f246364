namespace Turnpike.Tests.Architecture;

/// <summary>The snapshot comparison itself.</summary>
public sealed class SnapshotTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("turnpike-snapshot").FullName;

    [Fact]
    public void A_changed_surface_is_told_by_its_first_line_that_differs()
    {
        var file = Path.Combine(folder, "surface.txt");
        Snapshot.ShouldMatch(file, "one\ntwo", write: true);
        Snapshot.ShouldMatch(file, "one\r\ntwo\n", write: false);
        Should.Throw<ShouldAssertException>(() => Snapshot.ShouldMatch(file, "one\nthree", write: false)).Message.ShouldContain("Line 2 was 'two' and is 'three'");
        Should.Throw<ShouldAssertException>(() => Snapshot.ShouldMatch(file, "one\ntwo\nthree", write: false)).Message.ShouldContain("Line 3");
    }

    [Fact]
    public void A_surface_nobody_reviewed_fails() =>
        Should.Throw<ShouldAssertException>(() => Snapshot.ShouldMatch(Path.Combine(folder, "new.txt"), "one", write: false)).Message.ShouldContain("no snapshot");

    public void Dispose() => Directory.Delete(folder, recursive: true);
}
