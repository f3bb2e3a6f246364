using System.Net;
using Turnpike.Audit;
using Turnpike.Limits.Notices;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Limits;

/// <summary>What operators' tools are told: durable, signed, under one id, by one node at a time.</summary>
public sealed class NoticesTests
{
    private static readonly AuditEvent Happened = new() { Kind = AuditKinds.BreakerTripped, Correlation = "c_1", Caller = "agent", Reference = "loop", Detail = "Too much." };

    private static TestGate Gate() => new(document: TestGate.Document + "\nnotify: { url: \"http://ops.test/hook\", secret: \"${env:TURNPIKE_TOKEN_SECRET}\" }");

    [Fact]
    public async Task What_was_posted_before_a_crash_is_told_after_it_under_the_same_id_until_it_is_taken()
    {
        var gate = Gate();
        List<string> ids = [];
        gate.Sites["ops.test"] = request => { ids.Add(request.Headers.GetValues("webhook-id").Single()); throw new HttpRequestException("down"); };
        await gate.Of<Notices>().PostAsync(Happened, default);
        await gate.Of<Notices>().RoundAsync(default);
        using var after = gate.Restart();
        after.Sites["ops.test"] = request => { ids.Add(request.Headers.GetValues("webhook-id").Single()); return new HttpResponseMessage(); };
        await after.Of<Notices>().RoundAsync(default);
        ids.Count.ShouldBe(1, "not so soon");
        after.Time.Pass(TimeSpan.FromSeconds(1));
        await after.Of<Notices>().RoundAsync(default);
        await after.Of<Notices>().RoundAsync(default);
        ids.Count.ShouldBe(2);
        ids.Distinct().ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Two_nodes_that_look_at_once_tell_it_once()
    {
        using var gate = Gate();
        var told = 0;
        gate.Sites["ops.test"] = _ => { Interlocked.Increment(ref told); return new HttpResponseMessage(); };
        for (var i = 0; i < 5; i++) await gate.Of<Notices>().PostAsync(Happened, default);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => gate.Of<Notices>().RoundAsync(default))));
        told.ShouldBe(5);
    }

    [Fact]
    public async Task What_nobody_takes_for_a_day_is_given_up_and_said_so()
    {
        using var gate = Gate();
        gate.Sites["ops.test"] = _ => new HttpResponseMessage(HttpStatusCode.InternalServerError);
        await gate.Of<Notices>().PostAsync(Happened, default);
        for (var i = 0; i < 60; i++)
        {
            await gate.Of<Notices>().RoundAsync(default);
            gate.Time.Pass(TimeSpan.FromMinutes(30));
        }
        (await gate.Of<NoticeStore>().DueAsync(10, default)).ShouldBeEmpty();
        await gate.Of<IAuditTrail>().FlushAsync(default);
        (await gate.Of<IAuditTrail>().ReadAsync(new AuditFilter(Kind: AuditKinds.NoticeUndeliverable), default)).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Where_nobody_is_to_be_told_nothing_is_kept()
    {
        using var gate = new TestGate();
        await gate.Of<Notices>().PostAsync(Happened, default);
        (await gate.Of<NoticeStore>().DueAsync(10, default)).ShouldBeEmpty();
    }
}
