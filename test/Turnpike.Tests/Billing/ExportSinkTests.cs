using System.Text.Json;
using Turnpike.Billing.Export;
using Turnpike.Ledger;
using Turnpike.Metering;
using Turnpike.Tests.Gateway;
using Turnpike.Tests.Metering;

namespace Turnpike.Tests.Billing;

/// <summary>Each kind of destination, told in its own words.</summary>
public sealed class ExportSinkTests : IDisposable
{
    private readonly Receiver receiver = new();
    private TestGate? gate;

    public void Dispose() => gate?.Dispose();

    [Fact]
    public async Task Stripe_is_told_each_unit_of_its_customers_under_a_name_that_stays_the_same()
    {
        Open("usage-export: { stripe: { stripe: { api: \"https://meter.example\", secret-key: \"${env:STRIPE_SECRET_KEY}\", events: { total_tokens: llm_tokens, requests: calls, minutes: talk } }, subjects: { acme: cus_1 } } }\n");
        receiver.Then = number => number == 1 ? Receiver.Says(500) : null; // the second of two units
        await AddAsync("a", "acme");
        await AddAsync("b", "stranger");
        await RoundsAsync();
        receiver.Requests.Select(r => Told(r.Body)).ShouldBe(
        [
            "llm_tokens turnpike-test:a:total_tokens cus_1 30", "calls turnpike-test:a:requests cus_1 1",
            "llm_tokens turnpike-test:a:total_tokens cus_1 30", "calls turnpike-test:a:requests cus_1 1",
        ]);
        var head = receiver.Requests[0].Head;
        (head.RequestUri!.AbsolutePath, head.Headers.Authorization!.ToString(), head.Headers.Contains("Stripe-Version")).ShouldBe(("/v2/billing/meter_events", "Bearer sk_test_hush", true));
        (await gate!.Of<OutboxStore>().StateAsync("stripe", default)).Waiting.ShouldBe(0, "who is no customer there is not told of");

        static string Told(string body)
        {
            var told = JsonDocument.Parse(body).RootElement;
            var payload = told.GetProperty("payload");
            return $"{told.GetProperty("event_name")} {told.GetProperty("identifier")} {payload.GetProperty("stripe_customer_id")} {payload.GetProperty("value").GetString()}";
        }
    }

    [Fact]
    public async Task A_copy_that_stripe_or_lago_knows_has_arrived()
    {
        Open("usage-export: { stripe: { stripe: { api: \"https://meter.example\", secret-key: \"${env:STRIPE_SECRET_KEY}\", events: { requests: calls } } } }\n");
        receiver.Instead = (_, _) => Receiver.Says(400, """{"error":{"code":"duplicate_meter_event"}}""");
        await AddAsync("a", "cus_2");
        await RoundsAsync();
        (await gate!.Of<OutboxStore>().StateAsync("stripe", default)).ShouldBe(new QueueState(0, null, 0, null));
        Open("usage-export: { lago: { lago: { api: \"https://meter.example\", api-key: \"${env:STRIPE_SECRET_KEY}\", codes: { requests: calls } } } }\n");
        receiver.Instead = (_, _) => Receiver.Says(422, """{"code":"validation_errors","error_details":{"transaction_id":["value_already_exist"]}}""");
        await AddAsync("a", "sub_2");
        await RoundsAsync();
        (await gate!.Of<OutboxStore>().StateAsync("lago", default)).ShouldBe(new QueueState(0, null, 0, null));
    }

    [Fact]
    public async Task Stripes_stream_takes_a_hundred_events_at_once_under_a_session_that_is_opened_anew_when_it_has_ended()
    {
        Open("usage-export: { stripe: { stripe: { api: \"https://meter.example\", stream: \"https://meter.example\", secret-key: \"${env:STRIPE_SECRET_KEY}\", events: { total_tokens: llm_tokens, requests: calls } }, subjects: { acme: cus_1 } } }\n");
        var (opened, streamed) = (0, 0);
        receiver.Instead = (_, body) => body.Length == 0
            ? Receiver.Says(200, $$"""{"authentication_token":"session-{{++opened}}","expires_at":"{{gate!.Time.GetUtcNow().AddMinutes(15):yyyy-MM-ddTHH:mm:ssZ}}"}""")
            : ++streamed == 2 ? Receiver.Says(401, """{"error":{"code":"billing_meter_event_session_expired"}}""") : Receiver.Says(200);
        for (var i = 0; i < 60; i++) await AddAsync($"{i:00}", "acme");
        await RoundsAsync();
        var batches = receiver.Requests.Where(r => r.Head.RequestUri!.AbsolutePath == "/v2/billing/meter_event_stream").Select(r => (Events: JsonDocument.Parse(r.Body).RootElement.GetProperty("events").GetArrayLength(), Under: r.Head.Headers.Authorization!.ToString())).ToList();
        batches[0].ShouldBe((100, "Bearer session-1"));
        batches[1].ShouldBe((20, "Bearer session-1"));
        batches[2..].ShouldAllBe(b => b.Under == "Bearer session-2", "what a session refused is sent under another");
        receiver.Requests.SelectMany(r => r.Head.RequestUri!.AbsolutePath.EndsWith("stream", StringComparison.Ordinal) ? JsonDocument.Parse(r.Body).RootElement.GetProperty("events").EnumerateArray().Select(e => e.GetProperty("identifier").GetString()) : []).Distinct().Count().ShouldBe(120);
        (await gate!.Of<OutboxStore>().StateAsync("stripe", default)).ShouldBe(new QueueState(0, null, 0, null));
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

    [Theory]
    [InlineData("x: {}", "a destination is one of cloudevents, stripe, lago, webhook, files")]
    [InlineData("x: { files: { folder: a }, lago: { api-key: \"${env:STRIPE_SECRET_KEY}\", codes: { requests: c } } }", "a destination is one of")]
    [InlineData("x: { webhook: { url: https://a.example, secret: \"${env:SHORT}\" } }", "is no webhook secret")]
    [InlineData("x: { stripe: { secret-key: \"${env:STRIPE_SECRET_KEY}\", events: { requests: c } }, give-up: 2d }", "is longer than 23 hours")]
    [InlineData("x: { stripe: { api: \"http://stripe.example\", secret-key: \"${env:STRIPE_SECRET_KEY}\", events: { requests: c } } }", "plain http is for a stand-in on loopback only")]
    public void A_destination_that_cannot_be_is_told(string destination, string error) =>
        Catalog.Documents.Load($"usage-export: {{ {destination} }}\n" + MeteredGate.Chat).ErrorLines.ShouldContain(line => line.Contains(error, StringComparison.Ordinal));

    private void Open(string export)
    {
        gate?.Dispose();
        gate = new TestGate(export, MeteredGate.Chat);
        gate.Sites["meter.example"] = receiver.Take;
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
