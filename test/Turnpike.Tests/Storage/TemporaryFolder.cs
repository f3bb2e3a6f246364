using Turnpike.Storage;

namespace Turnpike.Tests.Storage;

/// <summary>A folder for one test's database, gone with the test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("turnpike-");

    public string File => Path.Combine(folder.FullName, "books.db");

    public StorageOptions Options => new("sqlite:" + File);

    public StorageOptions Look => Options with { Access = StorageAccess.Read };

    public Database Open() => Open(TimeProvider.System);

    public Database Open(TimeProvider clock) => Database.Open(Options, clock);

    public Database Open(TimeProvider clock, IReadOnlyList<Migration> migrations) => Database.Open(Options, clock, migrations);

    public void Dispose()
    {
        if (Directory.Exists(folder.FullName)) folder.Delete(recursive: true);
    }
}
