using Turnpike.Audit;
using Turnpike.Storage;
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
    [InlineData("update audit set sequence = 99 where sequence = 2; update audit set sequence = 2 where sequence = 3; update audit set sequence = 3 where sequence = 99", 2)]
    [InlineData("update audit set sequence = sequence + 100 where sequence > 2; insert into audit select 3, created, kind, correlation, reason, operation, caller, payer, address, request, method, amount, reference, detail, hash from audit where sequence = 2; update audit set sequence = sequence - 99 where sequence > 100", 3)]
    [InlineData("insert into audit select 6, created, kind, correlation, reason, operation, caller, payer, address, request, method, amount, reference, detail, hash from audit where sequence = 5", 6)]
    public async Task An_edit_a_removal_a_swap_and_an_insertion_break_the_chain_where_they_happened(string damage, long at)
    {
        using var open = new OpenTrail();
        for (var i = 1; i <= 5; i++) await open.Trail.RecordAsync(NewEvent(i), default);
        await open.Trail.FlushAsync(default);
        (await open.Trail.VerifyAsync(default)).ShouldSatisfyAllConditions(report => report.Intact.ShouldBeTrue(), report => report.Events.ShouldBe(5));

        await open.Database.WriteAsync(sql => sql.Script(damage), default);
        (await open.Trail.VerifyAsync(default)).BrokenAt.ShouldBe(at);
    }

    [Fact]
    public async Task An_event_comes_back_as_it_was_recorded_and_filters_narrow()
    {
        using var open = new OpenTrail();
        for (var i = 1; i <= 5; i++) await open.Trail.RecordAsync(NewEvent(i), default);
        await open.Trail.RecordAsync(new AuditEvent { Kind = AuditKinds.ConfigLoaded, Correlation = "none" }, default);
        await open.Trail.FlushAsync(default);

        (await open.Trail.ReadAsync(new AuditFilter(Correlation: "c2"), default)).Single().Event.ShouldBe(NewEvent(2));
        (await open.Trail.ReadAsync(new AuditFilter(Kind: AuditKinds.ConfigLoaded), default)).Single().Sequence.ShouldBe(6);
        (await open.Trail.ReadAsync(new AuditFilter(Payer: "p", Operation: "forecast", After: 2, Most: 2), default)).Select(each => each.Sequence).ShouldBe([3, 4]);
        (await open.Trail.ReadAsync(new AuditFilter(Reference: "h4"), default)).Single().Sequence.ShouldBe(4);
    }

    [Fact]
    public async Task What_is_recorded_is_durable_soon_though_nobody_waits_for_it()
    {
        using var open = new OpenTrail();
        await open.Trail.RecordAsync(NewEvent(1), default);
        IReadOnlyList<AuditRecord> found = [];
        for (var tries = 0; tries < 200 && found.Count == 0; tries++)
        {
            await Task.Delay(10);
            found = await open.Trail.ReadAsync(new AuditFilter(), default);
        }
        found.Single().Event.ShouldBe(NewEvent(1));
    }

    [Fact]
    public async Task What_waits_goes_along_with_the_next_transaction_and_outlives_its_failure()
    {
        using var open = new OpenTrail();
        await open.Trail.RecordAsync(NewEvent(1), default);
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
            for (var i = 0; i < 100; i++) await trail.RecordAsync(NewEvent(i), default);
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
            for (var i = 0; i < 2_500; i++) await open.Trail.RecordAsync(NewEvent(i), default);
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
        var failing = open.Database.WriteAsync(sql => { begun.Set(); stuck.Wait(TimeSpan.FromSeconds(10)); throw new StorageException("disk full", SqliteNative.Full); }, default).AsTask();
        begun.Wait(TimeSpan.FromSeconds(10)).ShouldBeTrue();
        var waiting = Task.Run(async () =>
        {
            for (var i = 0; i < 20_000; i++) await open.Trail.RecordAsync(NewEvent(i), default);
        });
        (await Task.WhenAny(waiting, Task.Delay(300))).ShouldNotBe(waiting, $"{waiting.Status} {waiting.Exception}");
        stuck.Set();
        await Should.ThrowAsync<StorageUnavailableException>(failing);
        await Should.ThrowAsync<StorageUnavailableException>(waiting);
        await Should.ThrowAsync<StorageUnavailableException>(async () => await open.Trail.RecordAsync(NewEvent(1), default));
        await Should.ThrowAsync<StorageUnavailableException>(async () => await open.Trail.FlushAsync(default));
    }

    [Fact]
    public void A_link_is_what_the_documentation_says()
    {
        // Computed apart from the product, by hashlib over the documented bytes.
        var link = new AuditHash().Link(AuditHash.Origin, 1, 1_700_000_000_000_000, new AuditEvent { Kind = "terms.given", Correlation = "c", Detail = "é" });
        Convert.ToHexStringLower(link).ShouldBe("ef37c5c36164d2710b969985dc03bb9bfec06a39fb80d68a426f343a385fb114");
    }

    private static AuditEvent NewEvent(int i) => new()
    {
        Kind = AuditKinds.Refused,
        Correlation = $"c{i}",
        Reason = "proof_expired",
        Operation = "forecast",
        Caller = "k",
        Payer = "p",
        Address = "127.0.0.1",
        Request = "GET /forecast/paris",
        Method = "x402.exact",
        Amount = "0.01 USD",
        Reference = $"h{i}",
        Detail = "Ünïcode ☃ and \"quotes\"",
    };

    private sealed class OpenTrail : IDisposable
    {
        private readonly TemporaryFolder folder = new();

        public OpenTrail()
        {
            Database = folder.Open();
            Trail = new AuditTrail(Database, TimeProvider.System);
        }

        public Database Database { get; }

        public AuditTrail Trail { get; }

        public void Dispose()
        {
            Trail.Dispose();
            Database.Dispose();
            folder.Dispose();
        }
    }
}
