using Turnpike.Storage;

namespace Turnpike.Tests.Storage;

/// <summary>A folder for one test's database, gone with the test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("turnpike-");

    /// <summary>What the ledger's specification runs against here.</summary>
    public static TheoryData<string> Ledgers => ["memory", "sqlite"];

    public string File => Path.Combine(folder.FullName, "books.db");

    public StorageOptions Options => new("sqlite:" + File);

    public StorageOptions Look => Options with { Access = StorageAccess.Read };

    public Database Open() => Open(TimeProvider.System);

    public Database Open(TimeProvider clock)
    {
        if (!System.IO.File.Exists(File)) EmptyDatabase.Put(File);
        return Database.Open(Options, clock);
    }

    public Database Open(TimeProvider clock, IReadOnlyList<Migration> migrations) => Database.Open(Options, clock, migrations);

    /// <summary>With this schema and no other.</summary>
    public Database OpenEmpty(IReadOnlyList<Migration> migrations) => Database.Open(Options, TimeProvider.System, migrations);

    public void Dispose()
    {
        if (Directory.Exists(folder.FullName)) folder.Delete(recursive: true);
    }
}
