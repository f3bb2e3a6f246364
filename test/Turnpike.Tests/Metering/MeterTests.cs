using Turnpike.Metering;
using Turnpike.Tests.Gateway;
using static Turnpike.Tests.Metering.MeteredGate;

namespace Turnpike.Tests.Metering;

/// <summary>Records of use, and what meters make of them.</summary>
public sealed class MeterTests : IDisposable
{
    private const string Meters = """
        meters:
          tokens: { sum: total_tokens, group-by: [model] }
          calls: { count: requests, group-by: [operation] }
          payers: { unique: payer }
          largest: { max: output_tokens }
          slowest: { max: duration_ms }
          few: { sum: output_tokens, group-by: [model], max-groups: 2 }
          teams: { count: requests, group-by: ["header:x-team", "path:city"] }

        """;

    private static readonly DateTimeOffset From = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly TestGate gate = new(Meters, Chat + "\n      about: { match: GET /about, price: free }\n      weather: { match: \"GET /weather/{city}\", price: free }\n");

    public void Dispose() => gate.Dispose();

    [Fact]
    public async Task A_calls_use_is_recorded_with_its_money_and_told_by_its_receipt_and_to_its_payer()
    {
        var token = await gate.TokenAsync();
        gate.Upstream.Says(() => Stream(Delta("hello"), LastChunk, "data: [DONE]"));
        var told = await gate.SendAsync(Ask(token, """{"model":"gpt-4o","stream":true,"max_tokens":100}"""));
        var receipt = told.Headers["Turnpike-Receipt"].ToString();
        var record = (await gate.Of<UsageStore>().FindByReceiptAsync(receipt[(receipt.LastIndexOf('/') + 1)..], default)).ShouldNotBeNull();
        (record.Operation, record.Payer, record.Model, record.Origin, record.Cost.ToString()).ShouldBe(("chat", "token:" + TestGate.IdOf(token), "gpt-4o-2024-08-06", "reported", "0.00014 USD"));
        (record.Charged[Units.Input], record.Charged[Units.Cached], record.Charged[Units.Output]).ShouldBe((12, 8, 10));
        record.Observed[Units.Output].ShouldBe(2, "what passed is kept beside what was told");
        record.Charged[Units.Bytes].ShouldBeGreaterThan(0);
        record.Reported.ToString().ShouldBe("8 cached_input_tokens, 12 input_tokens, 10 output_tokens", "and what was told does not say what passed");
        (await AskAsync("tokens")).ShouldBe(["gpt-4o-2024-08-06=30"]);
        (await AskAsync("payers")).ShouldBe(["=1"]);
        (await AskAsync("largest")).ShouldBe(["=10"]);
    }

    /// <summary>The price is taken before anything is used: what is used is told with what makes the money final.</summary>
    [Fact]
    public async Task Of_a_call_at_a_fixed_price_the_record_is_there_when_its_delivery_is()
    {
        using var fixedPrice = new TestGate(Meters, Chat + "\n      thing: { match: GET /thing, price: 0.01 USD }\n");
        var token = await fixedPrice.TokenAsync();
        for (var i = 0; i < 20; i++)
        {
            var told = await fixedPrice.GetAsync("/thing", ("Authorization", token), ("Idempotency-Key", $"thing-{i}"));
            var receipt = told.Headers["Turnpike-Receipt"].ToString().Split('/')[^1];
            (await fixedPrice.Ledger.FindByReceiptAsync(receipt, default)).ShouldNotBeNull().Outcome.ShouldBe(Turnpike.Ledger.HoldOutcome.Delivered);
            var record = (await fixedPrice.Of<UsageStore>().FindByReceiptAsync(receipt, default)).ShouldNotBeNull();
            (record.Operation, record.Cost.ToString(), record.Charged[Units.Bytes]).ShouldBe(("thing", "0.01 USD", 5));
        }
        fixedPrice.Upstream.Says(static () => ScriptedUpstream.Text("broken", System.Net.HttpStatusCode.BadGateway));
        (await fixedPrice.GetAsync("/thing", ("Authorization", token))).Status.ShouldBe(502);
        var all = new UsageFilter(fixedPrice.Time.GetUtcNow().AddDays(-1), fixedPrice.Time.GetUtcNow().AddDays(1));
        (await fixedPrice.Of<UsageStore>().ListAsync(all, 100, default)).Count.ShouldBe(20, "what was not sold is not told");
        await fixedPrice.ShouldBalanceAsync();
    }

    [Fact]
    public async Task Free_calls_are_metered_too()
    {
        await gate.GetAsync("/about");
        await gate.GetAsync("/about");
        await gate.Of<Turnpike.Storage.Database>().WriteAsync(static _ => { }, default);
        (await AskAsync("calls")).ShouldBe(["about=2"]);
    }

    [Fact]
    public async Task A_meter_groups_by_a_header_and_a_part_of_the_path_and_by_nothing_that_is_long_or_told_twice()
    {
        await gate.GetAsync("/weather/s%C3%A3o", ("x-team", "red"));
        await gate.GetAsync("/weather/bonn", ("x-team", "red\nblue"));
        await gate.GetAsync("/weather/bonn", ("x-team", new string('x', 200)));
        await gate.Of<Turnpike.Storage.Database>().WriteAsync(static _ => { }, default);
        (await AskAsync("teams")).Order(StringComparer.Ordinal).ShouldBe([",bonn=2", "red,são=1"]);
    }

    [Fact]
    public async Task The_time_of_a_call_is_what_the_upstream_took_from_the_question_on()
    {
        gate.Upstream.Answer = (_, _) => { gate.Time.Pass(TimeSpan.FromMilliseconds(1_200)); return Task.FromResult(ScriptedUpstream.Text("late")); };
        await gate.GetAsync("/about");
        await gate.Of<Turnpike.Storage.Database>().WriteAsync(static _ => { }, default);
        (await AskAsync("slowest")).ShouldBe(["=1200"]);
    }

    [Fact]
    public async Task Seconds_that_are_priced_count_from_the_question_on_and_a_begun_one_whole()
    {
        using var timed = new TestGate(document: Chat + "\n      slow: { match: GET /slow, usage: { seconds: seconds }, accept: [prepaid], price: { ceiling: 1.00 USD, per-unit: { seconds: 0.01 USD } } }\n");
        timed.Upstream.Answer = (_, _) => { timed.Time.Pass(TimeSpan.FromMilliseconds(1_200)); return Task.FromResult(ScriptedUpstream.Text("late")); };
        (await timed.GetAsync("/slow", ("Authorization", await timed.TokenAsync()))).Headers["Turnpike-Cost"].ToString().ShouldBe("0.02 USD");
        await timed.ShouldBalanceAsync();
    }

    [Fact]
    public async Task The_time_of_a_call_can_be_priced_by_the_millisecond_and_the_ceiling_is_held_for_it()
    {
        using var timed = new TestGate(document: Chat + "\n      slow: { match: GET /slow, accept: [prepaid], price: { ceiling: 0.50 USD, per-unit: { duration_ms: 0.0001 USD } } }\n");
        timed.Upstream.Answer = (_, _) => { timed.Time.Pass(TimeSpan.FromMilliseconds(1_200)); return Task.FromResult(ScriptedUpstream.Text("late")); };
        var told = await timed.GetAsync("/slow", ("Authorization", await timed.TokenAsync()));
        told.Headers["Turnpike-Cost"].ToString().ShouldBe("0.12 USD");
        (await timed.Ledger.ListAsync(new Turnpike.Ledger.HoldFilter(), default))[0].Hold.Ceiling.ToString().ShouldBe("0.50 USD");
        (await timed.Of<Turnpike.Audit.IAuditTrail>().ReadAsync(new Turnpike.Audit.AuditFilter(Kind: Turnpike.Audit.AuditKinds.Untold), default)).ShouldBeEmpty();
        await timed.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_meter_groups_by_what_a_signed_token_claims_and_by_nothing_a_caller_only_says()
    {
        using var signed = new TestGate("""
            identity: { jwt: { shared: { issuer: shared, audience: "https://api.test", secret: "${env:TURNPIKE_TOKEN_SECRET}" } } }
            callers: { analyst: { keys: ["${env:AGENT_KEY}"] } }
            meters: { teams: { count: requests, group-by: ["claim:team"] } }

            """, Chat + "\n      about: { match: GET /about, price: free }\n");
        var secret = System.Text.Encoding.UTF8.GetBytes(Catalog.Documents.Variables["TURNPIKE_TOKEN_SECRET"]);
        foreach (var team in (object?[])["red", "red", new[] { "a", "b" }, null])
        {
            var claims = Identity.Issuer.Claims("team", team);
            claims["iss"] = "shared";
            (await signed.GetAsync("/about", ("Authorization", "Bearer " + Identity.Issuer.SignWith(secret, claims)), ("claim:team", "blue"))).Status.ShouldBe(200);
        }
        await signed.GetAsync("/about", ("team", "blue"), ("apikey", Catalog.Documents.Variables["AGENT_KEY"]));
        await signed.Of<Turnpike.Storage.Database>().WriteAsync(static _ => { }, default);
        var meter = signed.Of<Turnpike.Catalog.Loading.CatalogSource>().Current.Settings.Get<MeterSet>()!.ByName["teams"];
        var values = await signed.Of<MeterQueries>().AskAsync(meter, new MeterQuery(From, DateTimeOffset.MaxValue, null, TimeZoneInfo.Utc), default);
        values.Select(v => $"{string.Join(',', v.Group.Values)}={v.Value}").ShouldBe(["=3", "red=2"], ignoreOrder: true);
    }

    [Theory]
    [InlineData("header:authorization", "may hold a credential: nobody writes that down")]
    [InlineData("header:", "is no dimension; write operation, caller, payer, model, header:NAME, path:NAME or claim:NAME")]
    [InlineData("colour", "is no dimension; write operation, caller, payer, model, header:NAME, path:NAME or claim:NAME")]
    public void A_dimension_that_cannot_be_is_told(string dimension, string error) =>
        Catalog.Documents.Load($"meters: {{ m: {{ count: requests, group-by: [\"{dimension}\"] }} }}\n" + Chat).Errors.ShouldHaveSingleItem().Message.ShouldEndWith(error);

    [Fact]
    public async Task A_callers_own_use_has_what_it_cost_the_owner_nowhere_and_is_told_all_the_same()
    {
        await gate.Of<UsageStore>().AddAsync(new UsageRecord { Id = "c", Happened = From, Operation = "x", Caller = "agent", Origin = "reported", Charged = new Counts { ["pages"] = 2, [Units.Bytes] = 7 }, Reported = new Counts { ["pages"] = 2 }, Expense = new Turnpike.Ledger.Money(5, "USD"), Labels = new Dictionary<string, string> { ["header:x-team"] = "a \"b\"" } }, default);
        UsageRecord? found = null;
        await gate.Of<UsageStore>().ScanCallerAsync(From, From.AddDays(1), "agent", record => found = record, default);
        (found!.Expense.ToString(), found.Labels["header:x-team"], found.Reported.ToString()).ShouldBe(("0.000000005 USD", "a \"b\"", "2 pages"));
    }

    [Fact]
    public async Task The_same_event_twice_counts_once_and_a_correction_moves_sums()
    {
        for (var i = 0; i < 2; i++) await AddAsync("a", 100, "m");
        await AddAsync("b", -30, "m", correction: true);
        (await AskAsync("tokens")).ShouldBe(["m=70"]);
        (await AskAsync("calls")).ShouldBe(["x=1"]);
        (await AskAsync("largest")).ShouldBe(["=100"]);
    }

    [Fact]
    public async Task Groups_beyond_the_bound_are_told_together()
    {
        for (var i = 0; i < 5; i++) await AddAsync($"{i}", 1, $"m{i}");
        (await AskAsync("few")).ShouldBe(["(others)=3", "m0=1", "m1=1"], ignoreOrder: true);
    }

    [Theory]
    [InlineData("Day", "Europe/Berlin", "2026-03-28T22:59:00Z", "2026-03-27T23:00:00Z", "2026-03-28T23:00:00Z")]
    [InlineData("Day", "Europe/Berlin", "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z")]
    [InlineData("Day", "Europe/Berlin", "2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z")]
    [InlineData("Day", "America/Santiago", "2026-09-06T12:00:00Z", "2026-09-06T04:00:00Z", "2026-09-07T03:00:00Z")]
    [InlineData("Month", "Asia/Kolkata", "2026-02-28T18:29:59Z", "2026-01-31T18:30:00Z", "2026-02-28T18:30:00Z")]
    [InlineData("Hour", "Asia/Kolkata", "2026-02-28T18:29:59Z", "2026-02-28T17:30:00Z", "2026-02-28T18:30:00Z")]
    [InlineData("Hour", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z")]
    [InlineData("Hour", "Australia/Lord_Howe", "2026-04-04T14:40:00Z", "2026-04-04T14:00:00Z", "2026-04-04T15:00:00Z")]
    [InlineData("Hour", "Australia/Lord_Howe", "2026-04-04T15:10:00Z", "2026-04-04T15:00:00Z", "2026-04-04T15:30:00Z")]
    [InlineData("Hour", "Australia/Lord_Howe", "2026-10-03T15:10:00Z", "2026-10-03T14:30:00Z", "2026-10-03T15:30:00Z")]
    [InlineData("Hour", "Australia/Lord_Howe", "2026-10-03T15:40:00Z", "2026-10-03T15:30:00Z", "2026-10-03T16:00:00Z")]
    [InlineData("Minute", "UTC", "2026-02-28T18:29:59.9Z", "2026-02-28T18:29:00Z", "2026-02-28T18:30:00Z")]
    public async Task Windows_are_those_of_the_calendar_in_the_zone(string window, string zone, string at, string from, string to)
    {
        await gate.Of<UsageStore>().AddAsync(Record("w", 1, "m") with { Happened = Time(at) }, default);
        var meter = gate.Of<Turnpike.Catalog.Loading.CatalogSource>().Current.Settings.Get<MeterSet>()!.ByName["tokens"];
        var value = (await gate.Of<MeterQueries>().AskAsync(meter, new MeterQuery(From, From.AddYears(1), Enum.Parse<MeterWindow>(window), TimeZoneInfo.FindSystemTimeZoneById(zone)), default)).ShouldHaveSingleItem();
        (value.From, value.To).ShouldBe((Time(from), Time(to)));
    }

    private static DateTimeOffset Time(string text) => DateTimeOffset.Parse(text, System.Globalization.CultureInfo.InvariantCulture);

    private static UsageRecord Record(string id, long tokens, string model) =>
        new() { Source = "elsewhere", Id = id, Happened = From.AddDays(3), Operation = "x", Model = model, Origin = tokens < 0 ? "correction" : "reported", Charged = new Counts { [Units.Output] = tokens } };

    private ValueTask AddAsync(string id, long tokens, string model, bool correction = false) => gate.Of<UsageStore>().AddAsync(Record(id, correction ? -Math.Abs(tokens) : tokens, model), default);

    private async Task<IReadOnlyList<string>> AskAsync(string name)
    {
        var meter = gate.Of<Turnpike.Catalog.Loading.CatalogSource>().Current.Settings.Get<MeterSet>()!.ByName[name];
        var values = await gate.Of<MeterQueries>().AskAsync(meter, new MeterQuery(From, DateTimeOffset.MaxValue, null, TimeZoneInfo.Utc), default);
        return [.. values.Select(v => $"{string.Join(',', v.Group.Values)}={v.Value}")];
    }
}
