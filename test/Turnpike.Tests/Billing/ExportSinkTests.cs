using System.Text.Json;
using Turnpike.Billing.Export;
using Turnpike.Ledger;
using Turnpike.Metering;
using Turnpike.Tests.Billing.Stripe;
using Turnpike.Tests.Gateway;
using Turnpike.Tests.Metering;

namespace Turnpike.Tests.Billing;

/// <summary>Each kind of destination, told in its own words.</summary>
public sealed class ExportSinkTests : IDisposable
{
    private readonly Receiver receiver = new();
    private StripeDouble stripe = new("sk_test_hush", "whsec_hush");
    private TestGate? gate;

    public void Dispose() => gate?.Dispose();

    [Fact]
    public async Task Stripe_is_told_each_unit_of_its_customers_under_a_name_that_stays_the_same()
    {
        Open("usage-export: { stripe: { stripe: { api: \"https://stripe.example\", secret-key: \"${env:STRIPE_SECRET_KEY}\", events: { total_tokens: llm_tokens, requests: calls, minutes: talk } }, subjects: { acme: cus_1 } } }\n");
        stripe.Fail("/meter_events", StripeFault.After); // it is counted, and nobody says so: the repetition is a copy, and has arrived
        await AddAsync("a", "acme");
        await AddAsync("b", "stranger");
        await RoundsAsync();
        stripe.Requests.Select(r => $"{r.Path} {r.Form["event_name"]} {r.Form["identifier"]}").ShouldBe(
        [
            "/v2/billing/meter_events llm_tokens turnpike-test:a:total_tokens", "/v2/billing/meter_events llm_tokens turnpike-test:a:total_tokens", "/v2/billing/meter_events calls turnpike-test:a:requests",
        ]);
        stripe.Meters.Events.ShouldBe(new Dictionary<string, (string, string, long)> { ["turnpike-test:a:total_tokens"] = ("llm_tokens", "cus_1", 30), ["turnpike-test:a:requests"] = ("calls", "cus_1", 1) }, ignoreOrder: true);
        (await gate!.Of<OutboxStore>().StateAsync("stripe", default)).ShouldBe(new QueueState(0, null, 0, null), "who is no customer there is not told of");
    }

    [Fact]
    public async Task A_copy_that_lago_knows_has_arrived()
    {
        Open("usage-export: { lago: { lago: { api: \"https://meter.example\", api-key: \"${env:STRIPE_SECRET_KEY}\", codes: { requests: calls } } } }\n");
        receiver.Instead = (_, _) => Receiver.Says(422, """{"code":"validation_errors","error_details":{"transaction_id":["value_already_exist"]}}""");
        await AddAsync("a", "sub_2");
        await RoundsAsync();
        (await gate!.Of<OutboxStore>().StateAsync("lago", default)).ShouldBe(new QueueState(0, null, 0, null));
    }

    [Fact]
    public async Task Stripes_stream_takes_a_hundred_events_at_once_under_a_session_that_is_opened_anew_when_it_has_ended()
    {
        Open("usage-export: { stripe: { stripe: { api: \"https://stripe.example\", stream: \"https://stripe.example\", secret-key: \"${env:STRIPE_SECRET_KEY}\", events: { total_tokens: llm_tokens, requests: calls } }, subjects: { acme: cus_1 } } }\n");
        for (var i = 0; i < 60; i++) await AddAsync($"{i:00}", "acme");
        await RoundsAsync();
        Batches().ShouldBe([100, 20]);
        stripe.Meters.Sessions.ShouldBe(1);
        stripe.Meters.End();
        await AddAsync("60", "acme");
        await RoundsAsync();
        Batches().ShouldBe([100, 20, 2, 2], "what a session refused is sent under another");
        (stripe.Meters.Sessions, stripe.Meters.Events.Count, stripe.Meters.Events.Values.Sum(e => e.Value)).ShouldBe((2, 122, 61 * 31));
        (await gate!.Of<OutboxStore>().StateAsync("stripe", default)).ShouldBe(new QueueState(0, null, 0, null));

        IEnumerable<int> Batches() => stripe.Requests.Where(r => r.Path == "/v2/billing/meter_event_stream").Select(r => r.Form["events"]!.AsArray().Count);
    }

    [Fact]
    public async Task Lago_is_told_each_unit_of_its_subscriptions()
    {
        Open("usage-export: { lago: { lago: { api: \"https://meter.example\", api-key: \"${env:STRIPE_SECRET_KEY}\", codes: { output_tokens: out } }, subjects: { acme: sub_1 } } }\n");
        await AddAsync("a", "acme");
        await RoundsAsync();
        var (head, body) = receiver.Requests.ShouldHaveSingleItem();
        head.RequestUri!.AbsolutePath.ShouldBe("/api/v1/events");
        var told = JsonDocument.Parse(body).RootElement.GetProperty("event");
        (told.GetProperty("transaction_id").GetString(), told.GetProperty("external_subscription_id").GetString(), told.GetProperty("code").GetString(), told.GetProperty("properties").GetProperty("output_tokens").GetString())
            .ShouldBe(("turnpike-test:a:output_tokens", "sub_1", "out", "10"));
    }

    [Fact]
    public async Task A_file_that_a_crash_left_longer_than_the_books_know_is_written_over()
    {
        using var folder = new Storage.TemporaryFolder();
        var usage = Path.Combine(Path.GetDirectoryName(folder.File)!, "usage");
        Open($"usage-export: {{ files: {{ files: {{ folder: {usage} }} }} }}\n");
        await AddAsync("a", "acme");
        await RoundsAsync();
        var file = Directory.GetFiles(usage).ShouldHaveSingleItem();
        Path.GetFileName(file).ShouldBe("usage-2026-11-21.jsonl");
        File.AppendAllText(file, "{\"id\":\"b\"}\n{\"half a li"); // written, and then killed before the queue knew
        await AddAsync("b", "acme");
        await RoundsAsync();
        File.ReadAllLines(file).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("id").GetString()).ShouldBe(["a", "b"]);
    }

    [Fact]
    public async Task A_spreadsheet_gets_text_and_no_formula()
    {
        using var folder = new Storage.TemporaryFolder();
        var usage = Path.Combine(Path.GetDirectoryName(folder.File)!, "usage");
        Open($"usage-export: {{ files: {{ files: {{ folder: {usage}, format: csv }} }} }}\n");
        await AddAsync("a", "=cmd|' /C calc'!A0", model: "a \"model\", and more");
        await RoundsAsync();
        File.ReadAllText(Directory.GetFiles(usage).ShouldHaveSingleItem()).ShouldBe(UsageLines.CsvHeader
            + "turnpike-test,a,2026-11-21T12:00:00.000000Z,'=cmd|' /C calc'!A0,chat,'=cmd|' /C calc'!A0,,\"a \"\"model\"\", and more\",reported,,input_tokens=20 output_tokens=10 requests=1 total_tokens=30,0.0025,USD\r\n");
    }

    [Fact]
    public async Task Stripe_is_not_asked_again_once_it_may_have_forgotten_what_it_took()
    {
        Open("usage-export: { stripe: { stripe: { api: \"https://stripe.example\", secret-key: \"${env:STRIPE_SECRET_KEY}\", events: { requests: calls } } } }\n");
        stripe.Fail("/meter_events", StripeFault.After); // it is counted, and nobody says so
        await AddAsync("a", "cus_1");
        await gate!.Of<UsageExporter>().RoundAsync(default);
        gate.Time.Pass(TimeSpan.FromDays(2)); // nobody was there to ask
        await RoundsAsync();
        stripe.Requests.Count.ShouldBe(1);
        (await gate.Of<OutboxStore>().DeadAsync("stripe", 10, default)).ShouldHaveSingleItem().Error.ShouldContain("may have forgotten");
    }

    [Fact]
    public async Task A_file_of_another_machine_is_never_cut_and_neither_is_ours_when_we_come_back()
    {
        using var folder = new Storage.TemporaryFolder();
        var usage = Path.Combine(Path.GetDirectoryName(folder.File)!, "usage");
        var (here, there) = (usage + "-here", usage + "-there");
        Open($"usage-export: {{ files: {{ files: {{ folder: {usage} }} }} }}\n");
        foreach (var id in new[] { "a", "b" }) await AddAsync(id, "acme");
        await RoundsAsync();
        Directory.Move(usage, here); // another node has the lease now, and a folder of its own
        await AddAsync("c", "acme");
        await RoundsAsync();
        Directory.Move(usage, there);
        Directory.Move(here, usage);
        await AddAsync("d", "acme");
        await RoundsAsync();
        Ids(usage).Concat(Ids(there)).Order().ShouldBe(["a", "b", "c", "d"]);

        static IEnumerable<string?> Ids(string of) => Directory.GetFiles(of).SelectMany(File.ReadAllLines).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("id").GetString());
    }

    [Fact]
    public async Task Two_destinations_in_one_folder_have_a_file_each_and_another_form_has_another_file()
    {
        using var folder = new Storage.TemporaryFolder();
        var usage = Path.Combine(Path.GetDirectoryName(folder.File)!, "usage");
        Open($"usage-export: {{ one: {{ files: {{ folder: {usage} }} }}, two: {{ files: {{ folder: {usage} }} }}, three: {{ files: {{ folder: {usage}, format: csv }} }} }}\n");
        foreach (var id in new[] { "a", "b" })
        {
            await AddAsync(id, "acme");
            await RoundsAsync();
        }
        var store = gate!.Of<OutboxStore>();
        await AddAsync("c", "acme");
        using (var other = new FileSink("one", new ExportTarget.Files(usage, Csv: true), store, gate.Time)) await other.SendAsync(await store.NextAsync("one", 1, default), default);
        (Directory.GetFiles(usage, "*.jsonl").Length, Directory.GetFiles(usage, "*.csv").Length).ShouldBe((2, 2));
        foreach (var file in Directory.GetFiles(usage, "*.jsonl")) File.ReadAllLines(file).ShouldAllBe(line => line.StartsWith('{'));
        Directory.GetFiles(usage, "*.jsonl").ShouldAllBe(file => File.ReadAllLines(file).Length == 2);
    }

    [Theory]
    [InlineData("x: {}", "a destination is one of cloudevents, stripe, lago, webhook, files")]
    [InlineData("x: { files: { folder: a }, lago: { api-key: \"${env:STRIPE_SECRET_KEY}\", codes: { requests: c } } }", "a destination is one of")]
    [InlineData("x: { webhook: { url: https://a.example, secret: \"${env:SHORT}\" } }", "is no webhook secret")]
    [InlineData("x: { stripe: { secret-key: \"${env:STRIPE_SECRET_KEY}\", events: { requests: c } }, give-up: 2d }", "is longer than 23 hours")]
    [InlineData("x: { webhook: { url: https://a.example, secret: \"${env:USAGE_WEBHOOK_SECRET}\" }, timeout: 5m }", "is longer than 1 minute")]
    [InlineData("x: { stripe: { api: \"http://stripe.example\", secret-key: \"${env:STRIPE_SECRET_KEY}\", events: { requests: c } } }", "plain http is for a stand-in on loopback only")]
    public void A_destination_that_cannot_be_is_told(string destination, string error) =>
        Catalog.Documents.Load($"usage-export: {{ {destination} }}\n" + MeteredGate.Chat).ErrorLines.ShouldContain(line => line.Contains(error, StringComparison.Ordinal));

    private void Open(string export)
    {
        gate?.Dispose();
        gate = new TestGate(export, MeteredGate.Chat);
        gate.Sites["meter.example"] = receiver.Take;
        stripe = new StripeDouble("sk_test_hush", "whsec_hush", gate.Time);
        gate.Sites["stripe.example"] = stripe.Handle;
    }

    private async Task RoundsAsync()
    {
        for (var i = 0; i < 5; i++)
        {
            await gate!.Of<UsageExporter>().RoundAsync(default);
            gate.Time.Pass(TimeSpan.FromSeconds(10));
        }
    }

    private ValueTask AddAsync(string id, string caller, string? model = null) => gate!.Of<UsageStore>().AddAsync(new UsageRecord
    {
        Source = "turnpike-test", Id = id, Happened = gate.Time.GetUtcNow(), Operation = "chat", Caller = caller, Model = model, Origin = "reported", Cost = new Money(2_500_000, "USD"),
        Charged = new Counts { [Units.Input] = 20, [Units.Output] = 10 },
    }, default);
}
