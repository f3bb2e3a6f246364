using Turnpike.Storage;
using Turnpike.Storage.Copying;

namespace Turnpike.EndToEnd.Storage;

/// <summary>The schema's history on a server: once, in order, by one of those that start at the same time.</summary>
public sealed class PostgresMigrationTests
{
    private static readonly Migration Writers = Migrations.Embedded.Single(step => step.Name == "nodes-write") with { Number = 1 };
    private static readonly Migration Counted = new(2, "counted", "create table times (n bigint not null); insert into times (n) values (1);");
    private static readonly Migration Later = new(3, "later", "insert into times (n) values (2);");

    [Fact]
    public async Task Four_nodes_that_start_at_once_take_each_step_once()
    {
        var store = TemporaryDatabase.NewEmpty();
        var slow = Counted with { Text = Counted.Text + "\n-- postgres: select pg_sleep(0.5);" };
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => Open(store, Writers, slow, Later).Dispose())));
        using var database = Open(store, Writers, slow, Later);
        (await database.ReadAsync(sql => sql.Query("select n from times order by n", row => row.Long(0)), default)).ShouldBe([1, 2]);
        (await database.ReadAsync(sql => sql.First("select count(*) from migrations", row => row.Long(0)), default)).ShouldBe(3);
    }

    [Fact]
    public void A_newer_database_refuses_an_older_binary_and_an_older_one_is_not_only_looked_at()
    {
        var store = TemporaryDatabase.NewEmpty();
        Open(store, Writers, Counted, Later).Dispose();
        Should.Throw<StorageException>(() => Open(store, Writers, Counted)).Message.ShouldContain("newer version");
        Should.Throw<StorageException>(() => Database.Open(Look(store), TimeProvider.System, [Writers, Counted])).Message.ShouldContain("newer version");
        Should.Throw<StorageException>(() => Database.Open(Look(store), TimeProvider.System, [Writers, Counted, Later, new Migration(4, "fourth", "select 1;")])).Message.ShouldContain("older");
    }

    [Fact]
    public void An_edited_step_is_refused()
    {
        var store = TemporaryDatabase.NewEmpty();
        Open(store, Writers, Counted).Dispose();
        Should.Throw<StorageException>(() => Open(store, Writers, Counted with { Text = Counted.Text + " " }, Later)).Message.ShouldContain("edited");
        Open(store, Writers, Counted, Later).Dispose();
    }

    [Fact]
    public async Task A_step_that_fails_leaves_nothing_of_itself()
    {
        var store = TemporaryDatabase.NewEmpty();
        Should.Throw<StorageException>(() => Open(store, Writers, Counted with { Text = Counted.Text + " insert into nowhere values (1);" }));
        using var database = Open(store, Writers, Counted);
        (await database.ReadAsync(sql => sql.First("select count(*) from times", row => row.Long(0)), default)).ShouldBe(1);
    }

    [Fact]
    public async Task A_copy_is_cut_short_and_the_server_has_nothing_of_it()
    {
        using var source = new TemporaryDatabase();
        using (var database = source.Open()) await database.WriteAsync(sql => sql.Run("insert into counters (name, value) values ('x', 7)"), default);
        var target = TemporaryDatabase.NewEmpty();
        using (var copy = StoreCopy.Open(source.Options.Location, target, TimeProvider.System))
        {
            Should.Throw<StorageException>(() => StoreCopy.Open(source.Options.Location, target, TimeProvider.System)).Message.ShouldContain("in use");
            Should.Throw<IOException>(() => copy.Run(table => { if (table.Table == "holds") throw new IOException("cut"); }, default));
        }
        using (var copy = StoreCopy.Open(source.Options.Location, target, TimeProvider.System))
            copy.Run(_ => { }, default).Single(table => table.Table == "counters").Rows.ShouldBe(1);
    }

    private static StorageOptions Look(string store) => new(store, StorageAccess.Read);

    private static Database Open(string store, params Migration[] steps) => Database.Open(new StorageOptions(store), TimeProvider.System, steps);
}
