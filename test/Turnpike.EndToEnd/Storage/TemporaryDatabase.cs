using Turnpike.Storage;

namespace Turnpike.EndToEnd.Storage;

/// <summary>
/// A database for one test on the run's PostgreSQL. Under the name <c>TemporaryFolder</c> it takes the file's place in the tests this
/// project shares with the fast suite.
/// </summary>
internal sealed class TemporaryDatabase : IDisposable
{
    private static string? template;

    // A server's writer needs its marks, whatever else there is.
    private static readonly Migration Marks = Migrations.Embedded.Single(step => step.Name == "nodes-write") with { Number = 9999 };

    private readonly Lazy<string> location = new(Create);

    public static TheoryData<string> Ledgers => ["postgres"];

    public StorageOptions Options => new(location.Value);

    public StorageOptions Look => Options with { Access = StorageAccess.Read };

    public Database Open() => Database.Open(Options, TimeProvider.System);

    public Database Open(TimeProvider clock) => Database.Open(Options, clock);

    public Database Open(TimeProvider clock, IReadOnlyList<Migration> migrations) => Database.Open(Options, clock, migrations);

    /// <summary>With this schema and no other.</summary>
    public Database OpenEmpty(IReadOnlyList<Migration> migrations) => Database.Open(new StorageOptions(NewEmpty()), TimeProvider.System, [.. migrations, Marks]);

    public static string NewEmpty() => Task.Run(async () => await (await SharedPostgres.GetAsync()).CreateDatabaseAsync()).GetAwaiter().GetResult();

    public void Dispose()
    {
        // it goes with the server
    }

    // The schema is written once and copied: a test of the books is not a test of the migrations.
    private static string Create() => Task.Run(async () =>
    {
        var server = await SharedPostgres.GetAsync();
        if (template is null)
        {
            var first = await server.CreateDatabaseAsync();
            Database.Open(new StorageOptions(first), TimeProvider.System).Dispose();
            template = first[(first.LastIndexOf('/') + 1)..];
        }
        return await server.CreateDatabaseAsync(template: template);
    }).GetAwaiter().GetResult();
}
