using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Turnpike.Storage;

namespace Turnpike.Tests.Storage;

/// <summary>One file, one writer, forward only.</summary>
public sealed class DatabaseTests
{
    private static readonly Migration First = new(1, "first", "create table a (x bigint);");
    private static readonly Migration Second = new(2, "second", "create table b (x bigint);\ncreate table c (x bigint);");

    [Fact]
    public void A_second_writer_is_refused_and_the_first_goes_on()
    {
        using var folder = new TemporaryFolder();
        using (var first = folder.Open())
        {
            Should.Throw<StorageException>(folder.Open).Message.ShouldContain("in use by another process");
            Should.Throw<StorageException>(folder.Open);
        }
        folder.Open().Dispose();
    }

    [Fact]
    public async Task Readers_come_and_go_with_and_without_a_server()
    {
        using var folder = new TemporaryFolder();
        Should.Throw<StorageException>(() => Database.Open(folder.Look, TimeProvider.System)).Message.ShouldContain("no database");
        using (var server = folder.Open())
        {
            await server.WriteAsync(sql => sql.Run("insert into counters (name, value) values ($1, $2)", "x", 7), default);
            using var reader = Database.Open(folder.Look, TimeProvider.System);
            (await reader.ReadAsync(sql => sql.First("select value from counters where name = $1", row => row.Long(0), "x"), default)).ShouldBe(7);
            await Should.ThrowAsync<StorageException>(async () => await reader.ReadAsync(sql => sql.Change("delete from counters"), default));
        }
        using var after = Database.Open(folder.Look, TimeProvider.System);
        (await after.ReadAsync(sql => sql.First("select value from counters where name = $1", row => row.Long(0), "x"), default)).ShouldBe(7);
    }

    [Fact, UnsupportedOSPlatform("windows")]
    public void File_folder_log_and_lock_are_the_owners_alone()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(Path.GetDirectoryName(folder.File)!, "data", "books.db");
        using var database = Database.Open(new StorageOptions("sqlite:" + path), TimeProvider.System);
        foreach (var file in (string[])[path, path + "-wal", path + "-shm", path + ".lock"])
            File.GetUnixFileMode(file).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite, file);
        File.GetUnixFileMode(Path.GetDirectoryName(path)!).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    [Fact]
    public async Task Acknowledged_means_synchronised()
    {
        using var folder = new TemporaryFolder();
        using var database = folder.Open();
        (await database.WriteAsync(sql => sql.First("pragma journal_mode", row => row.Text(0)), default)).ShouldBe("wal");
        (await database.WriteAsync(sql => sql.First("pragma synchronous", row => row.Long(0)), default)).ShouldBe(2);
    }

    [Fact]
    public void Steps_are_applied_once_in_order_and_an_older_reader_or_binary_is_refused()
    {
        using var folder = new TemporaryFolder();
        Open(folder.Options, First).Dispose();
        Open(folder.Options, First, Second).Dispose();
        Open(folder.Options, First, Second).Dispose();
        Should.Throw<StorageException>(() => Open(folder.Options, First)).Message.ShouldContain("newer version");
        Should.Throw<StorageException>(() => Open(folder.Look, First)).Message.ShouldContain("newer version");
        Should.Throw<StorageException>(() => Open(folder.Look, First, Second, new Migration(3, "third", "select 1;"))).Message.ShouldContain("older");
    }

    [Fact]
    public void A_step_edited_after_it_was_applied_is_refused()
    {
        using var folder = new TemporaryFolder();
        Open(folder.Options, First).Dispose();
        Should.Throw<StorageException>(() => Open(folder.Options, First with { Text = First.Text + " " }, Second)).Message.ShouldContain("edited");
        Open(folder.Options, First with { Text = First.Text }, Second).Dispose();
    }

    [Fact]
    public void A_step_that_fails_leaves_nothing_of_itself()
    {
        using var folder = new TemporaryFolder();
        Should.Throw<StorageException>(() => Open(folder.Options, First, Second with { Text = "create table b (x bigint); create table a (x bigint);" }));
        Open(folder.Options, First, Second).Dispose();
    }

    [Fact]
    public void A_machine_without_SQLite_finds_the_bundled_one() =>
        NativeLibrary.TryLoad("e_sqlite3", typeof(Database).Assembly, null, out _).ShouldBeTrue();

    [Fact]
    public void Line_ends_do_not_change_a_steps_hash() =>
        new Migration(1, "x", "a;\r\nb;").Hash.ShouldBe(new Migration(1, "x", "a;\nb;").Hash);

    [Fact]
    public void Embedded_steps_are_in_the_order_of_their_numbers_and_none_has_two() =>
        Migrations.Embedded.Select(step => step.Number).ShouldBe(Migrations.Embedded.Select(step => step.Number).Distinct().Order());

    [Theory]
    [InlineData("books.db")]
    [InlineData("sqlite:")]
    [InlineData("mysql://localhost/books")]
    public void A_location_of_another_form_is_refused(string location) =>
        Should.Throw<StorageException>(() => Database.Open(new StorageOptions(location), TimeProvider.System)).Message.ShouldContain("sqlite:path");

    private static Database Open(StorageOptions options, params Migration[] steps) => Database.Open(options, TimeProvider.System, steps);
}
