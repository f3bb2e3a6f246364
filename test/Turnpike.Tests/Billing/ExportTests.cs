using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Turnpike.Admin.Data;
using Turnpike.Catalog.Webhooks;
using Turnpike.Audit;
using Turnpike.Billing.Export;
using Turnpike.Catalog.Loading;
using Turnpike.Metering;
using Turnpike.Storage;
using Turnpike.Tests.Gateway;
using static Turnpike.Tests.Metering.MeteredGate;

namespace Turnpike.Tests.Billing;

/// <summary>Records of use on their way out: none is lost, none counts twice, nobody's overtake each other.</summary>
public sealed class ExportTests : IDisposable
{
    private const string CloudEvents = "usage-export: { meter: { cloudevents: { url: \"https://meter.example/api/v1/events\", token: \"${env:PAY_TO}\" } } }\n";

    private readonly Receiver receiver = new();
    private TestGate gate;

    public ExportTests() => gate = New(CloudEvents);

    public void Dispose() => gate.Dispose();

    [Fact]
    public async Task A_calls_event_waits_as_soon_as_its_money_is_taken_and_leaves_as_a_cloud_event()
    {
        var token = await gate.TokenAsync();
        gate.Upstream.Says(() => Stream(Delta("hello"), LastChunk, "data: [DONE]"));
        var told = await gate.SendAsync(Ask(token, """{"model":"gpt-4o","stream":true,"max_tokens":100}"""));
        var receipt = told.Headers["Turnpike-Receipt"].ToString().Split('/')[^1];
        (await Store.StateAsync("meter", default)).Waiting.ShouldBe(1, "in the transaction of the money");
        await RoundAsync();
        var (head, body) = receiver.Requests.ShouldHaveSingleItem();
        head.Content!.Headers.ContentType!.ToString().ShouldBe("application/cloudevents-batch+json");
        head.Headers.Authorization!.Scheme.ShouldBe("Bearer");
        var sent = JsonDocument.Parse(body).RootElement[0];
        (Text(sent, "specversion"), Text(sent, "id"), Text(sent, "source"), Text(sent, "type"), Text(sent, "subject")).ShouldBe(("1.0", receipt, "turnpike", "turnpike.usage", "token:" + TestGate.IdOf(token)));
        (Units(sent, "input_tokens"), Units(sent, "cached_input_tokens"), Units(sent, "output_tokens"), Units(sent, "total_tokens"), Units(sent, "requests")).ShouldBe(("12", "8", "10", "30", "1"));
        sent.GetProperty("data").GetProperty("cost").GetRawText().ShouldBe("""{"amount":"0.00014","currency":"USD"}""");
        (await Store.StateAsync("meter", default)).ShouldBe(new QueueState(0, null, 0, null));
        await gate.ShouldBalanceAsync();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task A_flaky_receiver_and_a_killed_gateway_lose_no_event_count_none_twice_and_mix_up_no_order(int seed)
    {
        var random = new Random(seed);
        var trouble = 60;
        receiver.Instead = (_, _) => trouble-- <= 0 ? null : random.Next(6) switch { 0 => Receiver.Says(500), 1 => throw new HttpRequestException("reset"), 2 => Receiver.Says(429), 3 => throw new TaskCanceledException(), _ => null };
        receiver.Then = _ => trouble <= 0 ? null : random.Next(4) switch { 0 => Receiver.Says(502), 1 => throw new HttpRequestException("cut after it was taken"), _ => null };
        List<(string, string)> all = [];
        for (var i = 0; i < 300; i++)
        {
            var subject = $"caller-{random.Next(5)}";
            await AddAsync($"e{i}", subject);
            all.Add((subject, $"e{i}"));
            if (i % 7 == 0) await RoundAsync();
            if (i % 60 == 59) gate = Restarted();
        }
        for (var rounds = 0; (await Store.StateAsync("meter", default)) is { Waiting: > 0 }; rounds++)
        {
            rounds.ShouldBeLessThan(500);
            await RoundAsync();
        }
        (await Store.StateAsync("meter", default)).Dead.ShouldBe(0);
        receiver.Counted.Order().ShouldBe(all.Order());
        foreach (var subject in all.Select(e => e.Item1).Distinct())
            receiver.Counted.Where(e => e.Subject == subject).ShouldBe(all.Where(e => e.Item1 == subject), $"in order for {subject}");
        receiver.Arrived.Count.ShouldBeGreaterThan(all.Count, "copies did arrive");
    }

    [Fact]
    public async Task What_is_refused_becomes_a_dead_letter_alone_and_is_sent_again_when_asked()
    {
        receiver.Instead = (_, body) => body.Contains("\"e3\"", StringComparison.Ordinal) ? Receiver.Says(400, "no such thing") : null;
        for (var i = 0; i < 8; i++) await AddAsync($"e{i}", "acme");
        for (var i = 0; i < 8; i++) await RoundAsync();
        receiver.Counted.Select(e => e.Id).ShouldBe(["e0", "e1", "e2", "e4", "e5", "e6", "e7"]);
        var dead = (await Store.DeadAsync("meter", 10, default)).ShouldHaveSingleItem();
        (dead.Id, dead.Subject, dead.Error).ShouldBe(("e3", "acme", "400: no such thing"));
        (await EventsAsync()).ShouldHaveSingleItem().Detail.ShouldBe("meter: 400: no such thing");
        receiver.Instead = (_, _) => null;
        (await Store.ReviveAsync("meter", default)).ShouldBe(1);
        await RoundAsync();
        receiver.Counted[^1].Id.ShouldBe("e3");
    }

    [Fact]
    public async Task An_event_nobody_can_take_holds_up_its_own_subject_alone_and_is_given_up_after_a_day()
    {
        receiver.Instead = (_, body) => body.Contains("\"bad\"", StringComparison.Ordinal) ? Receiver.Says(500) : null;
        await AddAsync("bad", "acme");
        await AddAsync("after", "acme");
        await AddAsync("other", "zeta");
        for (var i = 0; i < 20; i++) await RoundAsync();
        receiver.Counted.ShouldBe([("zeta", "other")]);
        gate.Time.Pass(TimeSpan.FromDays(1));
        for (var i = 0; i < 10; i++) await RoundAsync();
        (await Store.DeadAsync("meter", 10, default)).ShouldHaveSingleItem().Id.ShouldBe("bad");
        receiver.Counted.ShouldBe([("zeta", "other"), ("acme", "after")]);
    }

    [Fact]
    public async Task A_wrong_key_is_no_events_fault_and_nothing_is_given_up_for_it()
    {
        receiver.Instead = (_, _) => Receiver.Says(401);
        for (var i = 0; i < 3; i++) await AddAsync($"e{i}", "acme");
        for (var i = 0; i < 30; i++) await RoundAsync();
        (await Store.StateAsync("meter", default)).Waiting.ShouldBe(3);
        (await Store.StateAsync("meter", default)).Error.ShouldBe("401: ");
        receiver.Requests.Count.ShouldBeLessThan(20, "it is left in peace meanwhile");
        receiver.Instead = (_, _) => null;
        for (var i = 0; i < 60; i++) await RoundAsync();
        receiver.Counted.Select(e => e.Id).ShouldBe(["e0", "e1", "e2"]);
    }

    [Fact]
    public async Task A_receiver_that_says_yes_and_much_beside_it_is_told_once()
    {
        receiver.Then = _ => Receiver.Says(200, new string('x', 1_000_000));
        await AddAsync("e", "acme");
        for (var i = 0; i < 5; i++) await RoundAsync();
        (receiver.Arrived.Count, (await Store.StateAsync("meter", default)).Waiting).ShouldBe((1, 0));
    }

    [Fact]
    public async Task What_is_still_to_be_told_outlives_the_time_that_records_are_kept()
    {
        gate.Dispose();
        gate = New("retention: { usage: 1d }\n" + CloudEvents);
        using var keeping = new Housekeeping(gate.Of<Database>(), null!, gate.Of<CatalogSource>(), gate.Time, NullLogger<Housekeeping>.Instance);
        receiver.Instead = (_, body) => body.Contains("\"bad\"", StringComparison.Ordinal) ? Receiver.Says(400) : Receiver.Says(401);
        await AddAsync("bad", "zeta");
        await RoundAsync();
        await AddAsync("good", "acme");
        await RoundAsync();
        gate.Time.Pass(TimeSpan.FromDays(3));
        await keeping.StepAsync(default);
        receiver.Instead = (_, _) => null;
        for (var i = 0; i < 5; i++) await RoundAsync();
        receiver.Counted.ShouldBe([("acme", "good")]);
        (await Store.ReviveAsync("meter", default)).ShouldBe(1);
        await RoundAsync();
        receiver.Counted.ShouldBe([("acme", "good"), ("zeta", "bad")]);
        await keeping.StepAsync(default);
        (await gate.Of<UsageStore>().ListAsync(new UsageFilter(DateTimeOffset.UnixEpoch, gate.Time.GetUtcNow()), 10, default)).ShouldBeEmpty();
    }

    [Fact]
    public async Task The_same_event_told_to_us_twice_is_passed_on_once_and_a_replay_has_the_same_ids()
    {
        for (var i = 0; i < 2; i++) await AddAsync("e", "acme");
        await RoundAsync();
        for (var i = 0; i < 2; i++) await AddAsync("e", "acme");
        await RoundAsync();
        receiver.Arrived.ShouldBe([("acme", "e")]);
        (await Store.ReplayAsync("meter", gate.Time.GetUtcNow().AddHours(-2), gate.Time.GetUtcNow(), default)).ShouldBe(1);
        await RoundAsync();
        receiver.Arrived.ShouldBe([("acme", "e"), ("acme", "e")]);
    }

    [Fact]
    public void Webhooks_are_signed_as_the_specification_has_it() => // its libraries' own example
        WebhookSignature.Of(WebhookSignature.KeyOf("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")!, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", Encoding.UTF8.GetBytes("""{"test": 2432232314}"""))
            .ShouldBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");

    [Fact]
    public async Task A_webhook_bears_one_event_its_time_and_its_signature()
    {
        gate.Dispose();
        gate = New("usage-export: { hook: { webhook: { url: \"https://meter.example/hook\", secret: \"${env:USAGE_WEBHOOK_SECRET}\" } } }\n");
        await AddAsync("e.1", "acme");
        await AddAsync("e2", "acme");
        await RoundAsync();
        var (head, body) = receiver.Requests[0];
        receiver.Requests.Count.ShouldBe(2);
        head.Headers.GetValues("webhook-id").ShouldBe(["elsewhere:e%2E1"]);
        var at = head.Headers.GetValues("webhook-timestamp").Single();
        at.ShouldBe($"{gate.Time.GetUtcNow().ToUnixTimeSeconds()}");
        head.Headers.GetValues("webhook-signature").ShouldBe([WebhookSignature.Of(WebhookSignature.KeyOf(TestGate.Environment.Variable("USAGE_WEBHOOK_SECRET")!)!, "elsewhere:e%2E1", at, Encoding.UTF8.GetBytes(body))]);
        Text(JsonDocument.Parse(body).RootElement, "type").ShouldBe("usage.recorded");
    }

    [Fact]
    public async Task Different_events_bear_different_names_whatever_they_are_called()
    {
        gate.Dispose();
        gate = New("usage-export: { hook: { webhook: { url: \"https://meter.example/hook\", secret: \"${env:USAGE_WEBHOOK_SECRET}\" } } }\n");
        foreach (var (source, id) in new[] { ("a", "b.c"), ("a", "b_c"), ("a:b", "c"), ("a", "b:c"), ("a", "caf\u00e9"), ("a", "two\nlines") })
            await gate.Of<UsageStore>().AddAsync(new UsageRecord { Source = source, Id = id, Happened = gate.Time.GetUtcNow(), Operation = "chat", Caller = "acme", Origin = "reported", Charged = new Counts { [Turnpike.Metering.Units.Output] = 5 } }, default);
        for (var i = 0; i < 3; i++) await RoundAsync();
        var ids = receiver.Requests.Select(r => r.Head.Headers.GetValues("webhook-id").ShouldHaveSingleItem()).ToList();
        ids.Distinct().Count().ShouldBe(6);
        ids.ShouldAllBe(id => id.All(c => c > ' ' && c < 0x7f && c != '.'));
    }

    private OutboxStore Store => gate.Of<OutboxStore>();

    private TestGate New(string export)
    {
        var made = new TestGate(export, Chat);
        made.Sites["meter.example"] = receiver.Take;
        return made;
    }

    private TestGate Restarted()
    {
        var made = gate.Restart();
        made.Sites["meter.example"] = receiver.Take;
        return made;
    }

    private async Task RoundAsync()
    {
        gate.Time.Pass(TimeSpan.FromSeconds(10));
        await gate.Of<UsageExporter>().RoundAsync(default);
    }

    private ValueTask AddAsync(string id, string caller)
    {
        gate.Time.Pass(TimeSpan.FromMilliseconds(1));
        return gate.Of<UsageStore>().AddAsync(new UsageRecord { Source = "elsewhere", Id = id, Happened = gate.Time.GetUtcNow(), Operation = "chat", Caller = caller, Origin = "reported", Charged = new Counts { [Turnpike.Metering.Units.Output] = 5 } }, default);
    }

    private async Task<IReadOnlyList<AuditEvent>> EventsAsync() => [.. (await gate.Of<IAuditTrail>().ReadAsync(new AuditFilter(Kind: AuditKinds.Undeliverable), default)).Select(r => r.Event)];

    private static string Units(JsonElement sent, string unit) => sent.GetProperty("data").GetProperty("units").GetProperty(unit).GetRawText();

    private static string Text(JsonElement json, string name) => json.GetProperty(name).GetString()!;
}
