using System.Net;
using System.Text.RegularExpressions;
using Turnpike.Ledger;
using Turnpike.Storage;
using Turnpike.Tests.Architecture;

namespace Turnpike.Tests.Admin;

/// <summary>What operators and their tools rely on: the document, the probes, the metrics.</summary>
public sealed partial class AdminSurfaceTests
{
    [Fact]
    public async Task The_document_is_the_reviewed_one_and_describes_every_operation()
    {
        await using var gateway = await RunningGateway.StartAsync();
        var (status, body) = await gateway.GetAsync("/admin/v1/openapi.json");
        status.ShouldBe(HttpStatusCode.OK);
        foreach (var path in RunningGateway.Json(body).GetProperty("paths").EnumerateObject())
            foreach (var operation in path.Value.EnumerateObject())
            {
                operation.Value.GetProperty("summary").GetString().ShouldNotBeNullOrEmpty(path.Name);
                operation.Value.GetProperty("responses").TryGetProperty("401", out _).ShouldBeTrue(path.Name);
            }
        Snapshot.ShouldMatch("admin-openapi.json", body);
    }

    [Fact]
    public async Task What_is_sold_can_be_asked_for()
    {
        await using var gateway = await RunningGateway.StartAsync();
        var operations = RunningGateway.Json((await gateway.GetAsync("/admin/v1/operations")).Body).GetProperty("operations");
        operations.GetArrayLength().ShouldBeGreaterThan(0);
        foreach (var told in operations.EnumerateArray())
        {
            var (name, service) = (told.GetProperty("name").GetString(), told.GetProperty("service").GetString());
            RunningGateway.Json((await gateway.GetAsync($"/admin/v1/operations/{name}")).Body).GetRawText().ShouldContain(told.GetProperty("price").GetString()!);
            RunningGateway.Json((await gateway.GetAsync($"/admin/v1/services/{service}")).Body).GetProperty("operations").EnumerateArray().Select(o => o.GetString()).ShouldContain(name);
        }
        (await gateway.GetAsync("/admin/v1/operations/none")).Status.ShouldBe(HttpStatusCode.NotFound);
        (await gateway.GetAsync("/admin/v1/services/none")).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Ready_turns_to_503_when_the_disk_fails_and_stays_alive()
    {
        await using var gateway = await RunningGateway.StartAsync();
        (await gateway.AdminAsync(HttpMethod.Get, "/health/ready", key: null)).Status.ShouldBe(HttpStatusCode.OK);
        // A page limit makes SQLite itself say SQLITE_FULL, as a full disk does.
        await gateway.Database.WriteAsync(sql => sql.Query("pragma max_page_count = 3", row => row.Long(0)), default);
        await Should.ThrowAsync<StorageUnavailableException>(async () =>
            await gateway.Database.WriteAsync(sql => sql.Run("create table big as with recursive c (x) as (select 1 union all select x + 1 from c where x < 10000) select x, hex(randomblob(50)) from c"), default));

        var (status, body) = await gateway.AdminAsync(HttpMethod.Get, "/health/ready", key: null);
        status.ShouldBe(HttpStatusCode.ServiceUnavailable);
        RunningGateway.Json(body).GetProperty("store").GetString().ShouldBe("failed");
        (await gateway.AdminAsync(HttpMethod.Get, "/health/live", key: null)).Status.ShouldBe(HttpStatusCode.OK);
        (await gateway.AdminAsync(HttpMethod.Get, "/metrics", key: null)).Body.ShouldContain("turnpike_store_failed 1\n");
        (await gateway.AdminAsync(HttpMethod.Post, "/admin/v1/tokens", """{"budget":"1 USD"}""")).Status.ShouldBe(HttpStatusCode.ServiceUnavailable);
    }

    [Fact]
    public async Task An_unknown_settlement_shows_with_its_age_and_what_is_held_with_its_amount()
    {
        await using var gateway = await RunningGateway.StartAsync();
        var unknown = Some("unknown", new Money(7, "USD"));
        await gateway.Ledger.HoldAsync(unknown, default);
        await gateway.Ledger.CaptureAsync(new Turnpike.Ledger.Capture(unknown.Id, unknown.Ceiling), default);
        await gateway.Ledger.UnknownAsync(unknown.Id, "0xabc", [], default);
        await gateway.Ledger.HoldAsync(Some("held", new Money((1L << 53) + 1, "USD")), default);
        await Task.Delay(30);

        var text = (await gateway.AdminAsync(HttpMethod.Get, "/metrics", key: null)).Body;
        text.ShouldContain("turnpike_payments_unknown 1\n");
        text.ShouldContain("turnpike_held{currency=\"USD\"} 9007199254740993\n");
        decimal.Parse(text.Split('\n').Single(l => l.StartsWith("turnpike_payments_unknown_age_seconds ", StringComparison.Ordinal)).Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture).ShouldBeInRange(0.03m, 600m);
    }

    private static Hold Some(string id, Money ceiling) => new()
    {
        Id = id,
        Legs = [new Leg("external:test:payer", "revenue:paid", ceiling, Limited: false)],
        Binding = "b",
        Receipt = "r_" + id,
        Correlation = "c_" + id,
        Operation = "paid",
        Payer = "payer",
        Method = "test.rail",
        PriceVersion = "v",
        Request = "GET /paid",
    };

    [Fact]
    public async Task The_metrics_parse_and_tell_of_calls_and_money()
    {
        await using var gateway = await RunningGateway.StartAsync();
        (await gateway.CallAsync("/paid")).Dispose();
        (await gateway.CallAsync("/paid", await gateway.TokenAsync())).Dispose();
        (await gateway.CallAsync("/nowhere")).Dispose();
        var text = (await gateway.AdminAsync(HttpMethod.Get, "/metrics", key: null)).Body;
        text.ShouldEndWith("\n");
        foreach (var line in text.TrimEnd('\n').Split('\n')) Sample().IsMatch(line).ShouldBeTrue(line);
        var samples = text.Split('\n').Where(l => !l.StartsWith('#')).ToList();
        samples.Where(l => l.Length > 0).Select(l => l[..l.LastIndexOf(' ')]).ShouldBeUnique();
        text.ShouldContain("turnpike_calls_total{operation=\"paid\",http_response_status_code=\"402\"}");
        text.ShouldContain("turnpike_calls_total{operation=\"paid\",http_response_status_code=\"200\"}");
        text.ShouldContain("turnpike_calls_total{operation=\"none\",http_response_status_code=\"404\"}");
        text.ShouldContain("turnpike_answers_total{reason=\"payment-required\"}");
        text.ShouldContain("turnpike_revenue_total{operation=\"paid\",currency=\"USD\"} ");
        text.ShouldContain("turnpike_payments_unknown 0\n");
        text.ShouldNotContain("nowhere");
        Snapshot.ShouldMatch("metrics.txt", string.Join('\n', text.Split('\n').Where(l => l.StartsWith("# TYPE turnpike", StringComparison.Ordinal)).Select(l => l[7..])));
    }

    [GeneratedRegex("""^(# (HELP|TYPE) [a-zA-Z_:][a-zA-Z0-9_:]* .*|[a-zA-Z_:][a-zA-Z0-9_:]*(\{[a-zA-Z_][a-zA-Z0-9_]*="(\\.|[^"\\])*"(,[a-zA-Z_][a-zA-Z0-9_]*="(\\.|[^"\\])*")*\})? (-?[0-9.]+([eE][+-]?[0-9]+)?|NaN|\+Inf))$""")]
    private static partial Regex Sample();
}
