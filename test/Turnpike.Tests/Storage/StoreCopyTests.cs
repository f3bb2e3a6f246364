using Turnpike.Admin.Cli;
using Turnpike.Audit;
using Turnpike.Catalog.Document;
using Turnpike.Ledger;
using Turnpike.Storage;
using Turnpike.Storage.Copying;
using static Turnpike.Tests.Ledger.Some;

namespace Turnpike.Tests.Storage;

/// <summary><c>turnpike store copy</c> from one file to another; what is the same with a server is proved here.</summary>
public sealed class StoreCopyTests : IDisposable
{
    private readonly TemporaryFolder source = new();
    private readonly TemporaryFolder target = new();
    private readonly StringWriter said = new();

    [Fact]
    public async Task A_copy_holds_the_same_money_and_goes_on_from_there()
    {
        await FillAsync();
        (await CopyAsync()).ShouldBe(0, said.ToString());
        said.ToString().ShouldMatch(@"The books balance: 2 payments, 1 of them open.*The audit trail is intact: [1-9]");
        using var database = target.Open();
        using var audit = new AuditTrail(database, TimeProvider.System);
        var ledger = new SqlLedger(database, audit, "there");
        (await ledger.AvailableAsync("token:a", "USD", default)).ShouldBe(Usd(50));
        (await ledger.HoldAsync(Hold("spent", Usd(1)), default)).ShouldBeOfType<HoldResult.AlreadyUsed>();
        await ledger.HoldAsync(Hold("new", Usd(1)), default);
        await ledger.CaptureAsync(Capture("new", Usd(1), "new"), default);
        (await ledger.VerifyAsync(default)).Findings.ShouldBeEmpty();
    }

    [Fact]
    public async Task No_table_is_forgotten()
    {
        await FillAsync();
        using var copy = StoreCopy.Open(source.Options.Location, target.Options.Location, TimeProvider.System);
        var copied = copy.Run(_ => { }, default).Select(table => table.Table).ToList();
        using var sql = Database.Source(source.Look, TimeProvider.System, Migrations.Embedded);
        sql.Take().Tables().Select(table => table.Name).Except(copied).ShouldBe(["migrations", "nodes", "writers"]);
        copied.Count.ShouldBeGreaterThan(15);
    }

    [Fact]
    public async Task What_a_process_had_taken_for_a_while_is_taken_by_nobody_in_the_copy()
    {
        using (var database = source.Open())
            await database.WriteAsync(sql =>
            {
                sql.Run("insert into signers (chain, signer, next, filler, until) values (8453, '0xa', 7, 'node-1', 9000000000000000)");
                sql.Run("insert into usage_exports (destination, holder, until, file, length) values ('lake', 'node-1', 9000000000000000, 'use.jsonl', 42)");
                sql.Run("insert into approvals (id, caller, operation, amount, currency, status, created, until) values ('a', 'c', 'o', 1, 'USD', 'approved', 1, 9000000000000000)");
            }, default);
        (await CopyAsync()).ShouldBe(0, said.ToString());
        using var copy = target.Open();
        async Task<string?> RowAsync(string sql) => await copy.ReadAsync(s => s.First(sql, row => $"{row.Text(0)} {row.Long(1)} {row.Long(2)}"), default);
        (await RowAsync("select filler, until, next from signers")).ShouldBe(" 0 7", "the next number is the chain's business, and goes along");
        (await RowAsync("select holder, until, length from usage_exports")).ShouldBe(" 0 42");
        (await RowAsync("select status, until, created from approvals")).ShouldBe("approved 9000000000000000 1", "this end is no lease");
    }

    [Fact]
    public async Task A_store_in_use_is_neither_copied_from_nor_to()
    {
        await FillAsync();
        using (source.Open()) (await CopyAsync()).ShouldBe(1);
        said.ToString().ShouldMatch("copied from.*in use");
        said.GetStringBuilder().Clear();
        using (target.Open()) (await CopyAsync()).ShouldBe(1);
        said.ToString().ShouldMatch("copied to.*in use");
        (await CopyAsync()).ShouldBe(0, said.ToString());
    }

    [Fact]
    public async Task A_target_with_rows_is_refused_and_left_as_it_was()
    {
        await FillAsync();
        (await CopyAsync()).ShouldBe(0);
        (await CopyAsync()).ShouldBe(1);
        said.ToString().ShouldContain("not empty");
        using var database = target.Open();
        using var audit = new AuditTrail(database, TimeProvider.System);
        (await new SqlLedger(database, audit, "there").VerifyAsync(default)).Holds.ShouldBe(2);
    }

    [Fact]
    public async Task An_interrupted_copy_leaves_the_target_empty_and_can_be_made_again()
    {
        await FillAsync();
        using (var copy = StoreCopy.Open(source.Options.Location, target.Options.Location, TimeProvider.System))
            Should.Throw<IOException>(() => copy.Run(table => { if (table.Table == "holds") throw new IOException("cut"); }, default));
        (await CopyAsync()).ShouldBe(0, said.ToString());
    }

    [Fact]
    public async Task Rows_that_change_on_the_way_are_noticed_and_nothing_is_kept()
    {
        await FillAsync();
        target.Open().Dispose();
        using (var file = new Turnpike.Storage.Sqlite.SqliteSql(target.File, readOnly: false))
            file.Script("create trigger t after insert on entries begin update entries set units = units + 1 where sequence = new.sequence; end");
        (await CopyAsync()).ShouldBe(1);
        said.ToString().ShouldContain("The copy of entries does not read as it was written");
        using var database = target.Open();
        (await database.ReadAsync(sql => sql.First("select count(*) from holds", row => row.Long(0)), default)).ShouldBe(0);
    }

    [Theory]
    [InlineData("sqlite:", "sqlite:x", 2)]
    [InlineData("sqlite:nowhere/at-all.db", "sqlite:y.db", 1)]
    [InlineData("sqlite:a.db", "sqlite:./a.db", 2)]
    [InlineData("sqlite:a.db", "postgres://u:${env:NOT_SET}@db/books", 2)]
    [InlineData("sqlite:a.db", "mysql://u:hush@db/books", 2)]
    public async Task Wrong_input_is_told_without_repeating_it(string from, string to, int code)
    {
        (await StoreCommand.CopyAsync(from, to, new ConfigEnvironment(_ => null, _ => null), said, said, default)).ShouldBe(code, said.ToString());
        said.ToString().ShouldStartWith("turnpike: ");
        said.ToString().ShouldNotContain("hush");
        File.Exists("y.db").ShouldBeFalse();
    }

    public void Dispose()
    {
        source.Dispose();
        target.Dispose();
    }

    private async Task FillAsync()
    {
        using var database = source.Open();
        using var audit = new AuditTrail(database, TimeProvider.System);
        var ledger = new SqlLedger(database, audit, "here");
        await ledger.PostAsync(TopUp("t", "token:a", Usd(100)), default);
        await ledger.HoldAsync(Hold("spent", Usd(30)), default);
        await ledger.CaptureAsync(Capture("spent", Usd(30), "tx"), default);
        await ledger.HoldAsync(Hold("open", Usd(20)), default);
        await audit.RecordAsync(new AuditEvent { Kind = AuditKinds.Terms, Correlation = "c", Detail = "ünïcode ☃" }, default);
        await new InstallationStore(database).KeyAsync("terms", default);
    }

    private Task<int> CopyAsync() => StoreCommand.CopyAsync(source.Options.Location, target.Options.Location, ConfigEnvironment.Process, said, said, default);
}
