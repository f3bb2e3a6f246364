using Turnpike.Audit;
using Turnpike.Protocols.Signing;
using Turnpike.Storage;

namespace Turnpike.Tests.Audit;

/// <summary>A trail that was made anew is noticed, though every link of it fits.</summary>
public sealed class AuditCheckpointTests
{
    [Fact]
    public async Task The_end_is_signed_when_something_was_added_and_not_otherwise()
    {
        using var open = new OpenTrail();
        (await open.Trail.SignAsync(open.Keys, default)).ShouldBeNull("nothing was recorded");
        await open.RecordAsync(1, 3);
        var signed = await open.Trail.SignAsync(open.Keys, default);
        signed!.Sequence.ShouldBe(3);
        signed.Check(await open.Keys.PublishedAsync(default)).ShouldBeNull();
        (await open.Trail.SignAsync(open.Keys, default)).ShouldBeNull("nothing was added");
        await open.RecordAsync(4, 5);
        (await open.Trail.SignAsync(open.Keys, default))!.Sequence.ShouldBe(5);
        await open.RecordAsync(6, 6);
        (await open.Trail.VerifyAsync(default)).Chains.Single().ShouldSatisfyAllConditions(chain => chain.Last.ShouldBe(6), chain => chain.Signed.ShouldBe(5));
    }

    [Fact]
    public async Task A_chain_made_anew_with_a_thing_changed_does_not_pass_through_what_was_signed()
    {
        using var open = new OpenTrail();
        await open.RecordAsync(1, 5);
        await open.Trail.SignAsync(open.Keys, default);
        await open.RecordAsync(6, 7);
        await MakeAnewAsync(open.Database, row => row.Sequence == 3 ? row.Event with { Amount = "0.02 USD" } : row.Event);
        (await open.Trail.VerifyAsync(default)).Broken.ShouldBe(new AuditBreak("1", 5, "The trail of node 1 does not pass through what was signed at 5: it was made anew."));
    }

    [Theory]
    [InlineData("update audit_checkpoints set sequence = 6", "is another place")]
    [InlineData("update audit_checkpoints set hash = (select hash from audit where sequence = 4), sequence = 4", "is another place")]
    [InlineData("update audit_checkpoints set signed = substr(signed, 1, length(signed) - 4) || 'AAAA'", "does not fit")]
    [InlineData("delete from installation", "None of the keys")]
    [InlineData("delete from audit where sequence <= 5", "Event 1 of node 1 is missing")]
    [InlineData("delete from audit where sequence > 3; update audit_head set sequence = 3, hash = (select hash from audit where sequence = 3)", "ends at 3; 5 events were signed")]
    [InlineData("delete from audit; delete from audit_head", "ends at 0; 5 events were signed")]
    public async Task A_checkpoint_that_was_moved_or_forged_and_a_tail_cut_before_it_are_told(string damage, string finding)
    {
        using var open = new OpenTrail();
        await open.RecordAsync(1, 5);
        await open.Trail.SignAsync(open.Keys, default);
        await open.RecordAsync(6, 7);
        await open.Database.WriteAsync(sql => sql.Script(damage), default);
        (await open.Trail.VerifyAsync(default)).Broken!.Finding.ShouldContain(finding);
    }

    [Fact]
    public async Task What_a_replaced_key_signed_still_counts()
    {
        using var open = new OpenTrail();
        await open.RecordAsync(1, 2);
        await open.Trail.SignAsync(open.Keys, default);
        var store = new InstallationStore(open.Database);
        await InstallationKeys.RotateAsync(store, default);
        using var next = await InstallationKeys.OpenAsync(store, default);
        await open.RecordAsync(3, 4);
        var signed = await open.Trail.SignAsync(next, default);
        signed!.Check(new JwkSet([(await open.Keys.PublishedAsync(default)).Keys[0]])).ShouldBeNull();
        (await open.Trail.VerifyAsync(default)).ShouldSatisfyAllConditions(report => report.Broken.ShouldBeNull(), report => report.Chains.Single().Signed.ShouldBe(4));
    }

    /// <summary>What somebody who can write the database would do.</summary>
    private static async Task MakeAnewAsync(Database database, Func<AuditRow, AuditEvent> change) => await database.WriteAsync(sql =>
    {
        var hasher = new AuditHash();
        var previous = AuditHash.Origin;
        foreach (var row in AuditStore.All(sql).ToList())
        {
            var changed = row with { Event = change(row) };
            previous = hasher.Link(previous, changed);
            sql.Run("delete from audit where sequence = $1", row.Sequence);
            AuditStore.Insert(sql, row.Node, row.Sequence, row.Microseconds, changed.Event, row.Salt!, previous);
            AuditStore.SetHead(sql, row.Node, new AuditHead(row.Sequence, row.Microseconds, previous));
        }
    }, default);
}
