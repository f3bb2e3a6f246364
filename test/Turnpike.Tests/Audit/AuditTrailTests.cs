using Turnpike.Audit;
using Turnpike.Storage;
using Turnpike.Storage.Sqlite;
using Turnpike.Tests.Gateway;
using Turnpike.Tests.Storage;

namespace Turnpike.Tests.Audit;

/// <summary>What was recorded stays as it was, or it shows.</summary>
public sealed class AuditTrailTests
{
    [Theory]
    [InlineData("update audit set amount = '0.02 USD' where sequence = 3", 3)]
    [InlineData("update audit set reason = '' where sequence = 3", 3)]
    [InlineData("update audit set created = created + 1 where sequence = 3", 3)]
    [InlineData("update audit set reason = kind, kind = 'x' where sequence = 1", 1)]
    [InlineData("delete from audit where sequence = 3", 3)]
    [InlineData("delete from audit where sequence = 1", 1)]
    [InlineData("delete from audit where sequence = 5", 5)]
    [InlineData("delete from audit", 1)]
    [InlineData("update audit set caller = null where sequence = 3", 3)]
    [InlineData("update audit set payer = 'q' where sequence = 3", 3)]
    [InlineData("update audit set address = request, request = address where sequence = 3", 3)]
    [InlineData("update audit set reference = 'h9' where sequence = 3", 3)]
    [InlineData("update audit set detail = 'nothing' where sequence = 3", 3)]
    [InlineData("update audit set times = 2 where sequence = 3", 3)]
    [InlineData("update audit set agent = 'another' where sequence = 3", 3)]
    [InlineData("update audit set on_behalf_of = 'another' where sequence = 3", 3)]
    [InlineData("update audit set salt = null where sequence = 3", 3)]
    [InlineData("update audit set salt = hash where sequence = 3", 3)]
    [InlineData("update audit set erased = hash where sequence = 3", 3)]
    [InlineData("update audit set node = '2'; update audit_head set node = '2'", 1)]
    [InlineData("update audit set sequence = 99 where sequence = 2; update audit set sequence = 2 where sequence = 3; update audit set sequence = 3 where sequence = 99", 2)]
    [InlineData("update audit set sequence = sequence + 100 where sequence > 2; insert into audit select node, 3, created, kind, correlation, reason, operation, caller, payer, address, request, method, amount, reference, detail, salt, erased, hash, times, agent, on_behalf_of from audit where sequence = 2; update audit set sequence = sequence - 99 where sequence > 100", 3)]
    [InlineData("insert into audit select node, 6, created, kind, correlation, reason, operation, caller, payer, address, request, method, amount, reference, detail, salt, erased, hash, times, agent, on_behalf_of from audit where sequence = 5", 6)]
    public async Task An_edit_a_removal_a_swap_and_an_insertion_break_the_chain_where_they_happened(string damage, long at)
    {
        using var open = new OpenTrail();
        for (var i = 1; i <= 5; i++) await open.Trail.RecordAsync(OpenTrail.NewEvent(i), default);
        await open.Trail.FlushAsync(default);
        (await open.Trail.VerifyAsync(default)).ShouldSatisfyAllConditions(report => report.Intact.ShouldBeTrue(), report => report.Events.ShouldBe(5));

        await open.Database.WriteAsync(sql => sql.Script(damage), default);
        (await open.Trail.VerifyAsync(default)).Broken!.At.ShouldBe(at);
    }

    [Fact]
    public async Task An_event_comes_back_as_it_was_recorded_and_filters_narrow()
    {
        using var open = new OpenTrail();
        for (var i = 1; i <= 5; i++) await open.Trail.RecordAsync(OpenTrail.NewEvent(i), default);
        await open.Trail.RecordAsync(new AuditEvent { Kind = AuditKinds.ConfigLoaded, Correlation = "none" }, default);
        await open.Trail.FlushAsync(default);

        var second = (await open.Trail.ReadAsync(new AuditFilter(Correlation: "c2"), default)).Single();
        second.Event.ShouldBe(OpenTrail.NewEvent(2));
        AuditPlace.Parse(second.Place.ToString()).ShouldBe(second.Place);
        (await open.Trail.ReadAsync(new AuditFilter(Kind: AuditKinds.ConfigLoaded), default)).Single().Sequence.ShouldBe(6);
        (await open.Trail.ReadAsync(new AuditFilter(Payer: "p", Operation: "forecast", Most: 2) { After = second.Place }, default)).Select(each => each.Sequence).ShouldBe([3, 4]);
        (await open.Trail.ReadAsync(new AuditFilter(Reference: "h4"), default)).Single().Sequence.ShouldBe(4);
    }

    [Fact]
    public async Task What_is_recorded_is_durable_soon_though_nobody_waits_for_it()
    {
        using var open = new OpenTrail();
        await open.Trail.RecordAsync(OpenTrail.NewEvent(1), default);
        IReadOnlyList<AuditRecord> found = [];
        for (var tries = 0; tries < 200 && found.Count == 0; tries++)
        {
            await Task.Delay(10);
            found = await open.Trail.ReadAsync(new AuditFilter(), default);
        }
        found.Single().Event.ShouldBe(OpenTrail.NewEvent(1));
    }

    [Fact]
    public async Task What_waits_goes_along_with_the_next_transaction_and_outlives_its_failure()
    {
        using var open = new OpenTrail();
        await open.Trail.RecordAsync(OpenTrail.NewEvent(1), default);
        await Should.ThrowAsync<InvalidOperationException>(async () => await open.Database.WriteAsync(_ => throw new InvalidOperationException("no"), default));
        await open.Trail.FlushAsync(default);
        (await open.Trail.ReadAsync(new AuditFilter(), default)).Count.ShouldBe(1);
        (await open.Trail.VerifyAsync(default)).Intact.ShouldBeTrue();
    }

    [Fact]
    public async Task A_clean_stop_writes_what_was_queued_and_the_chain_goes_on_after_it()
    {
        using var folder = new TemporaryFolder();
        for (var start = 0; start < 3; start++)
        {
            using var database = folder.Open();
            using var trail = new AuditTrail(database, TimeProvider.System);
            for (var i = 0; i < 100; i++) await trail.RecordAsync(OpenTrail.NewEvent(i), default);
        }
        using var last = folder.Open();
        using var read = new AuditTrail(last, TimeProvider.System);
        (await read.VerifyAsync(default)).ShouldSatisfyAllConditions(report => report.Intact.ShouldBeTrue(), report => report.Events.ShouldBe(300));
    }

    [Fact]
    public async Task More_than_the_queue_holds_waits_and_loses_nothing()
    {
        using var open = new OpenTrail();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            for (var i = 0; i < 2_500; i++) await open.Trail.RecordAsync(OpenTrail.NewEvent(i), default);
        })));
        await open.Trail.FlushAsync(default);
        (await open.Trail.VerifyAsync(default)).Events.ShouldBe(20_000);
    }

    [Fact]
    public async Task When_the_disk_fails_whoever_records_or_waits_to_is_told()
    {
        using var open = new OpenTrail();
        using var stuck = new ManualResetEventSlim();
        using var begun = new ManualResetEventSlim();
        var failing = Task.Run(async () => await open.Database.WriteAsync<bool>(sql => { begun.Set(); stuck.Wait(TimeSpan.FromMinutes(1)); throw new StorageException("disk full", SqliteNative.Full); }, default));
        begun.Wait(TimeSpan.FromMinutes(1)).ShouldBeTrue();
        var waiting = Task.Run(async () =>
        {
            for (var i = 0; i < 20_000; i++) await open.Trail.RecordAsync(OpenTrail.NewEvent(i), default);
        });
        (await Task.WhenAny(waiting, Task.Delay(300))).ShouldNotBe(waiting, $"{waiting.Status} {waiting.Exception}");
        stuck.Set();
        await Should.ThrowAsync<StorageUnavailableException>(failing);
        await Should.ThrowAsync<StorageUnavailableException>(waiting);
        await Should.ThrowAsync<StorageUnavailableException>(async () => await open.Trail.RecordAsync(OpenTrail.NewEvent(1), default));
        await Should.ThrowAsync<StorageUnavailableException>(async () => await open.Trail.FlushAsync(default));
    }

    [Fact]
    public async Task Every_node_has_its_chain_and_the_trail_is_read_in_the_order_of_time()
    {
        using var folder = new TemporaryFolder();
        var clock = new ManualTime();
        string[] names = ["b", "a", "b"];
        foreach (var name in names)
        {
            clock.Pass(TimeSpan.FromSeconds(1));
            using var database = folder.Open(clock);
            using var trail = new AuditTrail(database, clock, name);
            for (var i = 1; i <= 2; i++) await trail.RecordAsync(OpenTrail.NewEvent(i), default);
            await trail.FlushAsync(default);
        }
        using var last = folder.Open(clock);
        using var read = new AuditTrail(last, clock);
        (await read.ReadAsync(new AuditFilter(), default)).Select(each => $"{each.Node}{each.Sequence}").ShouldBe(["b1", "b2", "a1", "a2", "b3", "b4"]);
        (await read.VerifyAsync(default)).Chains.Select(chain => $"{chain.Node} {chain.Last}").ShouldBe(["a 2", "b 4"]);

        await last.WriteAsync(sql => sql.Script("delete from audit where node = 'b' and sequence = 4"), default);
        (await read.VerifyAsync(default)).Broken.ShouldBe(new AuditBreak("b", 4, "The trail of node b ends at 3; 4 events were recorded."));
    }

    [Fact]
    public async Task A_clock_that_is_set_back_does_not_reorder_a_chain()
    {
        using var folder = new TemporaryFolder();
        var clock = new ManualTime();
        for (var i = 1; i <= 3; i++)
        {
            using var database = folder.Open(clock);
            using var trail = new AuditTrail(database, clock);
            await trail.RecordAsync(OpenTrail.NewEvent(i), default);
            await trail.FlushAsync(default);
            clock.Pass(TimeSpan.FromHours(-1));
        }
        using var last = folder.Open(clock);
        using var read = new AuditTrail(last, clock);
        (await read.ReadAsync(new AuditFilter(), default)).Select(each => each.Sequence).ShouldBe([1, 2, 3]);
        (await read.VerifyAsync(default)).Intact.ShouldBeTrue();
    }

    [Fact]
    public async Task An_earlier_version_s_trail_goes_on_as_node_1_and_still_verifies()
    {
        using var folder = new TemporaryFolder();
        using (var before = folder.Open(TimeProvider.System, [.. Migrations.Embedded.TakeWhile(step => step.Number < 6)]))
        {
            // Hashes computed apart from the product, by hashlib over the bytes that version documented.
            await before.WriteAsync(sql => sql.Script("""
                insert into audit (sequence, created, kind, correlation, detail, hash) values (1, 1700000000000000, 'terms.given', 'c', 'é', x'ef37c5c36164d2710b969985dc03bb9bfec06a39fb80d68a426f343a385fb114');
                insert into audit (sequence, created, kind, correlation, payer, address, hash) values (2, 1700000000000001, 'payment.held', 'c', 'p', '127.0.0.1', x'47ac21089d50961aa85fe4333634883bf5b80e86dc09607d2477ec69da656db2');
                insert into audit_head (id, sequence, hash) values (1, 2, x'47ac21089d50961aa85fe4333634883bf5b80e86dc09607d2477ec69da656db2');
                """), default);
        }
        using var database = folder.Open();
        using var trail = new AuditTrail(database, TimeProvider.System);
        await trail.RecordAsync(OpenTrail.NewEvent(3), default);
        var report = await trail.VerifyAsync(default);
        report.Broken.ShouldBeNull();
        report.Chains.Single().ShouldSatisfyAllConditions(chain => chain.Node.ShouldBe("1"), chain => chain.Last.ShouldBe(3));
    }

    [Fact]
    public void A_link_is_what_the_documentation_says()
    {
        // Computed apart from the product, by hashlib over the documented bytes.
        var happened = new AuditEvent { Kind = "terms.given", Correlation = "c", Payer = "p", Address = "127.0.0.1", Detail = "é" };
        byte[] salt = [.. Enumerable.Range(0, 16).Select(i => (byte)i)];
        string Link(AuditEvent each) => Convert.ToHexStringLower(new AuditHash().Link(AuditHash.Origin, "eu-1", 1, 1_700_000_000_000_000, each, salt, null));
        Link(happened).ShouldBe("c357683dcd2b62e50951f23fb106e9bebdc14c91aa0ba1e5d3fc687685fb1644");
        Link(happened with { Times = 12 }).ShouldBe("37feacde50dc8ec061897e374b58106b6953917d2b165fca307dd390a691f694");
    }
}
