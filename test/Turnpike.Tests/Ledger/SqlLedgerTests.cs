using Turnpike.Audit;
using Turnpike.Ledger;
using Turnpike.Storage;
using Turnpike.Tests.Storage;
using static Turnpike.Tests.Ledger.Some;

namespace Turnpike.Tests.Ledger;

/// <summary>What only a database has: restarts, damage, and events in the same transaction.</summary>
public sealed class SqlLedgerTests
{
    [Fact]
    public async Task Holds_of_an_earlier_incarnation_are_unfinished_after_a_restart_and_those_of_this_one_are_not()
    {
        using var before = StoredLedger.Open(new TemporaryFolder(), "first");
        foreach (var id in (string[])["held", "streamed", "captured"]) await before.Ledger.HoldAsync(Hold(id, Usd(5), from: "external:p", limited: false), default);
        await before.Ledger.CheckpointAsync("streamed", Usd(2), default);
        await before.Ledger.CaptureAsync(Capture("captured", Usd(5)), default);

        using var after = before.Restart("second");
        await after.Ledger.HoldAsync(Hold("new", Usd(5), from: "external:p", limited: false), default);
        var unfinished = await after.Ledger.UnfinishedAsync(10, default);
        unfinished.Select(state => (state.Hold.Id, state.Observed)).ShouldBe([("held", Usd(0)), ("streamed", Usd(2)), ("captured", Usd(0))]);
        unfinished[0].Incarnation.ShouldBe("first");
        unfinished[0].Created.ShouldBe((await after.Ledger.FindAsync("held", default))!.Created);
        (await after.Ledger.VerifyAsync(default)).Findings.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_hold_comes_back_as_it_was_written()
    {
        using var open = StoredLedger.Open(new TemporaryFolder());
        var hold = Hold("h", Usd(5), from: "external:p", limited: false) with
        {
            Caller = "",
            Terms = """{"to":"0xabc","ünïcode":"☃"}""",
            Expires = new DateTimeOffset(2026, 11, 21, 4, 2, 0, TimeSpan.Zero).AddMicroseconds(7),
        };
        await open.Ledger.HoldAsync(hold, default);
        var read = (await open.Ledger.FindAsync("h", default))!.Hold;
        read.Legs.ShouldBe(hold.Legs);
        (read with { Legs = hold.Legs, Events = hold.Events }).ShouldBe(hold);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_is_written_with_the_word_that_it_was_delivered_is_written_where_that_word_stands(bool soon)
    {
        using var open = StoredLedger.Open(new TemporaryFolder());
        await open.Ledger.PostAsync(TopUp("t", "token:a", Usd(3)), default);
        foreach (var id in (string[])["whole", "broken"])
        {
            await open.Ledger.HoldAsync(Hold(id, Usd(1)), default);
            await open.Ledger.CaptureAsync(Capture(id, Usd(1), "tx"), default);
        }
        await open.Ledger.CreditAsync("broken", [new Transfer("back", "revenue:x", "token:a", Usd(1), "undelivered", LimitedFrom: false, LimitedTo: true)], default);
        var written = new List<string>();
        foreach (var id in (string[])["whole", "broken"]) await open.Ledger.FinishAsync(id, HoldOutcome.Delivered, [], default, soon, _ => written.Add(id));
        written.ShouldBe(["whole"]);
    }

    [Fact]
    public async Task Events_are_written_with_the_money_and_not_when_nothing_happened()
    {
        using var open = StoredLedger.Open(new TemporaryFolder());
        await open.Ledger.HoldAsync(Hold("poor", Usd(40)), default);
        await open.Ledger.PostAsync(TopUp("t", "token:a", Usd(100)), default);
        await open.Ledger.HoldAsync(Hold("h", Usd(40)), default);
        await open.Ledger.HoldAsync(Hold("h", Usd(40), receipt: "replay"), default);
        await Should.ThrowAsync<LedgerException>(async () => await open.Ledger.CaptureAsync(Capture("h", Usd(41)), default));
        await open.Ledger.CaptureAsync(Capture("h", Usd(40), "tx"), default);
        await open.Ledger.CaptureAsync(Capture("h", Usd(40), "tx"), default);
        var events = await open.Audit.ReadAsync(new AuditFilter(), default);
        events.Select(each => (each.Event.Kind, each.Event.Correlation)).ShouldBe([(AuditKinds.Held, "c-h"), (AuditKinds.Settled, "c-h")]);
    }

    [Theory]
    [InlineData("update accounts set posted = posted + 1", "its entries say")]
    [InlineData("update accounts set held = held + 1", "its open holds say")]
    [InlineData("update accounts set posted = -1", "overdrawn")]
    [InlineData("update entries set units = units + 1 where account = 'revenue:x'", "do not sum to zero (I1)")]
    [InlineData("update holds set captured = captured + 1 where id = 'spent'", "(I3)")]
    [InlineData("update holds set captured = 500000000 where id = 'spent'", "(I4)")]
    [InlineData("delete from holds where id = 'spent'", "no hold and no transfer")]
    [InlineData("delete from transfers", "no hold and no transfer")]
    [InlineData("delete from entries where source = 'spent'", "(I3)")]
    [InlineData("insert into entries (account, currency, sequence, units, source, kind, created) select account, currency, sequence + 100, units, source, kind, created from entries where source = 'spent'", "(I3)")]
    public async Task A_books_check_names_what_was_tampered_with(string damage, string finding)
    {
        using var open = StoredLedger.Open(new TemporaryFolder());
        await open.Ledger.PostAsync(TopUp("t", "token:a", Usd(100)), default);
        await open.Ledger.HoldAsync(Hold("spent", Usd(40)), default);
        await open.Ledger.CaptureAsync(Capture("spent", Usd(30), "tx"), default);
        await open.Ledger.HoldAsync(Hold("open", Usd(10)), default);
        (await open.Ledger.VerifyAsync(default)).Findings.ShouldBeEmpty();

        await open.Database.WriteAsync(sql => sql.Script(damage), default);
        (await open.Ledger.VerifyAsync(default)).Findings.ShouldContain(each => each.Contains(finding, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_reader_verifies_while_the_server_writes()
    {
        using var server = StoredLedger.Open(new TemporaryFolder());
        await server.Ledger.PostAsync(TopUp("t", "token:a", Usd(100)), default);
        using var database = Database.Open(server.Folder.Look, TimeProvider.System);
        using var audit = new AuditTrail(database, TimeProvider.System);
        var reader = new SqlLedger(database, audit, "reader");
        (await reader.AvailableAsync("token:a", "USD", default)).ShouldBe(Usd(100));
        await server.Ledger.HoldAsync(Hold("h", Usd(40)), default);
        (await reader.FindAsync("h", default))!.Status.ShouldBe(HoldStatus.Held);
        (await reader.VerifyAsync(default)).Findings.ShouldBeEmpty();
        await Should.ThrowAsync<StorageException>(async () => await reader.HoldAsync(Hold("h2", Usd(1)), default));
    }
}
