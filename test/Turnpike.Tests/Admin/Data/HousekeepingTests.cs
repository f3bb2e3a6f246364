using Microsoft.Extensions.Logging.Abstractions;
using Turnpike.Admin.Data;
using Turnpike.Audit;
using Turnpike.Catalog.Loading;
using Turnpike.Storage;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Admin.Data;

/// <summary>What need not be kept goes in steps; the trail verifies after each of them, and the money is never touched.</summary>
public sealed class HousekeepingTests
{
    private const string Signature = "PAYMENT-SIGNATURE";
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    private static async Task<(Housekeeping Keeper, InstallationKeys Keys)> OpenAsync(TestGate gate)
    {
        var keys = await InstallationKeys.OpenAsync(gate.Of<InstallationStore>(), default);
        var trail = new TrailRetention(gate.Of<Database>(), gate.Of<AuditTrail>(), keys, gate.Time, NullLogger<TrailRetention>.Instance);
        return (new Housekeeping(gate.Of<Database>(), trail, gate.Of<CatalogSource>(), gate.Time, NullLogger<Housekeeping>.Instance), keys);
    }

    private static async Task RecordAsync(TestGate gate, int events)
    {
        var trail = gate.Of<AuditTrail>();
        for (var i = 0; i < events; i++) await trail.RecordAsync(new AuditEvent { Kind = AuditKinds.Refused, Correlation = $"c{i}", Caller = "somebody" }, default);
        await trail.FlushAsync(default);
    }

    private static async Task<AuditReport> VerifyAsync(TestGate gate) => await gate.Of<IAuditTrail>().VerifyAsync(default);

    [Fact]
    public async Task The_trail_is_dropped_up_to_a_signed_link_and_verifies_after_every_step()
    {
        using var gate = new TestGate("retention: { audit: 30d }\n");
        var (keeper, keys) = await OpenAsync(gate);
        using var _ = keys;
        var trail = gate.Of<AuditTrail>();
        await RecordAsync(gate, 2 * TrailRetention.Step + 500);
        await trail.SignAsync(keys, default);
        await RecordAsync(gate, 100); // old too, but not signed
        (await keeper.StepAsync(default)).ShouldBeFalse("nothing is old");

        gate.Time.Pass(31 * Day);
        var steps = 0;
        while (await keeper.StepAsync(default))
        {
            steps++;
            (await VerifyAsync(gate)).Broken.ShouldBeNull();
        }
        steps.ShouldBe(3);
        var chain = (await VerifyAsync(gate)).Chains.Single();
        (chain.First, chain.Last).ShouldBe((2_501, 2_600 + steps));
        (await trail.ReadAsync(new AuditFilter(Kind: AuditKinds.TrailDropped), default)).Count.ShouldBe(3);
        await trail.SignAsync(keys, default);
        (await VerifyAsync(gate)).Broken.ShouldBeNull();
        (await keeper.StepAsync(default)).ShouldBeFalse();
    }

    [Theory]
    [InlineData("delete from audit_starts")]
    [InlineData("update audit_starts set sequence = sequence + 1")]
    [InlineData("update audit_starts set hash = (select hash from audit order by sequence limit 1), sequence = sequence + 1; delete from audit where sequence = (select min(sequence) from audit)")]
    [InlineData("update audit_starts set signed = (select signed from audit_checkpoints order by sequence desc limit 1), hash = (select hash from audit_checkpoints order by sequence desc limit 1), sequence = (select max(sequence) from audit_checkpoints); delete from audit where sequence <= (select max(sequence) from audit_checkpoints)")]
    public async Task Nobody_shortens_a_trail_without_the_signing_key(string attack)
    {
        using var gate = new TestGate("retention: { audit: 30d }\n");
        var (keeper, keys) = await OpenAsync(gate);
        using var _ = keys;
        await RecordAsync(gate, 10);
        await gate.Of<AuditTrail>().SignAsync(keys, default);
        gate.Time.Pass(31 * Day);
        await keeper.StepAsync(default);
        await RecordAsync(gate, 10);
        await gate.Of<AuditTrail>().SignAsync(keys, default);
        await RecordAsync(gate, 10);
        (await VerifyAsync(gate)).Broken.ShouldBeNull();
        await gate.Of<Database>().WriteAsync(sql => sql.Script(attack), default);
        (await VerifyAsync(gate)).Broken.ShouldNotBeNull();
    }

    [Fact]
    public async Task What_is_dropped_is_archived_first_in_files_that_verify_by_themselves()
    {
        var archive = Directory.CreateTempSubdirectory("turnpike-archive-").FullName;
        using var gate = new TestGate($"retention: {{ audit: 30d, archive: {archive} }}\n");
        var (keeper, keys) = await OpenAsync(gate);
        using var _ = keys;
        await RecordAsync(gate, TrailRetention.Step + 10);
        await gate.Of<AuditTrail>().SignAsync(keys, default);
        gate.Time.Pass(31 * Day);
        while (await keeper.StepAsync(default)) { }
        var published = await keys.PublishedAsync(default);
        var reports = Directory.GetFiles(archive).Order().Select(file => AuditFile.Verify(file, published, default)).ToList();
        reports.ShouldAllBe(report => report.Intact);
        reports.Select(report => (report.Chains[0].First, report.Chains[0].Last, report.Chains[0].Signed)).ShouldBe([(1, 1000, 1000), (1001, 1010, 1010)]);
        Directory.Delete(archive, recursive: true);
    }

    [Fact]
    public async Task A_trail_that_does_not_hold_is_evidence_and_stays()
    {
        using var gate = new TestGate("retention: { audit: 30d }\n");
        var (keeper, keys) = await OpenAsync(gate);
        using var _ = keys;
        await RecordAsync(gate, 10);
        await gate.Of<AuditTrail>().SignAsync(keys, default);
        await gate.Of<Database>().WriteAsync(sql => sql.Script("update audit set caller = 'somebody else' where sequence = 5"), default);
        gate.Time.Pass(31 * Day);
        (await keeper.StepAsync(default)).ShouldBeFalse();
        (await VerifyAsync(gate)).Broken!.At.ShouldBe(5);
    }

    [Fact]
    public async Task Old_payments_keep_their_money_and_lose_what_they_tell_and_what_is_open_stays_whole()
    {
        using var gate = new TestGate("retention: { payments: 30d, usage: 30d, approvals: 30d }\n");
        var (keeper, keys) = await OpenAsync(gate);
        using var _ = keys;
        for (var i = 0; i < 3; i++) (await gate.GetAsync("/forecast/paris", (Signature, await gate.ProofAsync()))).Status.ShouldBe(200);
        gate.Rail.Settle = static _ => new(new Turnpike.Payments.Settlement.Unknown("0xsent", "No receipt yet."));
        await gate.GetAsync("/forecast/paris", (Signature, await gate.ProofAsync()));
        gate.Time.Pass(29 * Day);
        while (await keeper.StepAsync(default)) { }
        (await EmptiedAsync(gate)).ShouldBe(0);
        gate.Time.Pass(2 * Day);
        (await gate.GetAsync("/forecast/paris", ("Authorization", await gate.TokenAsync()))).Status.ShouldBe(200);
        while (await keeper.StepAsync(default)) { }
        (await EmptiedAsync(gate)).ShouldBe(3);
        (await gate.Ledger.UnfinishedAsync(10, default)).ShouldHaveSingleItem().Hold.Terms.ShouldNotBeNull();
        await gate.ShouldBalanceAsync();
    }

    private static async Task<long> EmptiedAsync(TestGate gate) =>
        await gate.Of<Database>().ReadAsync(sql => sql.First("select count(*) from holds where request = '' and terms is null and payer <> '' and captured > 0 and reference is not null", row => row.Long(0)), default);
}
