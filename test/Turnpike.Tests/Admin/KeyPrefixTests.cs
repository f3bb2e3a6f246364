using System.Net;
using Turnpike.Admin.Cli;
using Turnpike.Tests.Catalog;

namespace Turnpike.Tests.Admin;

/// <summary>Keys that begin with a word of the owner's, and what upstreams are told of whom a caller acts for.</summary>
public sealed class KeyPrefixTests
{
    private const string Config = "callers: { named: {} }\nidentity: { key-prefix: acme }";

    [Fact]
    public async Task Keys_begin_with_the_owners_word_and_are_found_by_it()
    {
        await using var gateway = await RunningGateway.StartAsync(more: Config);
        await gateway.AdminAsync(HttpMethod.Put, "/admin/v1/callers/bot", """{"onBehalfOf":"jane"}""");
        var made = RunningGateway.Json((await gateway.AdminAsync(HttpMethod.Post, "/admin/v1/callers/bot/keys", "{}")).Body);
        var key = made.GetProperty("key").GetString()!;
        key.ShouldMatch("^acme_[0-9A-Za-z]{38}$");
        made.GetProperty("hint").GetString().ShouldBe(key[..9] + "…");
        RunningGateway.Json((await gateway.AdminAsync(HttpMethod.Post, "/admin/v1/callers/bot/keys/roll", """{"overlap":"1h"}""")).Body).GetProperty("key").GetString().ShouldStartWith("acme_");
        using (var answer = await gateway.CallAsync("/open", headers: [("x-api-key", key)])) answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        (gateway.Seen!["Turnpike-Caller"].ToString(), gateway.Seen["Turnpike-On-Behalf-Of"].ToString()).ShouldBe(("bot", "jane"));
        using (var answer = await gateway.CallAsync("/open", headers: [("x-api-key", key[..^1] + (key[^1] == 'a' ? 'b' : 'a'))])) answer.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);

        var file = Path.Combine(Path.GetDirectoryName(gateway.Config)!, "leaked.txt");
        await File.WriteAllTextAsync(file, $"KEY={key}\nother={key[..^1]}{(key[^1] == 'a' ? 'b' : 'a')}\n");
        using var output = new StringWriter();
        (await KeyScan.RunAsync(gateway.Config, RunningGateway.Environment, file, history: false, output, TextWriter.Null, default)).ShouldBe(1);
        output.ToString().ShouldBe($"{file}:1  key {key[..9]}…{Environment.NewLine}");
    }

    [Theory]
    [InlineData("tp", "is what prepaid tokens begin with")]
    [InlineData("Acme", "is 2 to 16 lower-case letters and digits, a letter first")]
    [InlineData("a_b", "is 2 to 16 lower-case letters and digits, a letter first")]
    public void A_word_that_tells_keys_from_nothing_is_an_error(string word, string error) =>
        Documents.Load(Documents.With($"identity: {{ key-prefix: {word} }}")).ErrorLines.ShouldContain(line => line.StartsWith("t.yaml:1:25: identity.key-prefix:", StringComparison.Ordinal) && line.EndsWith(error, StringComparison.Ordinal));

    [Fact]
    public async Task A_rail_that_is_none_cannot_be_switched_off()
    {
        await using var gateway = await RunningGateway.StartAsync();
        const string off = """{"mode":"no-new-payments","reason":"stuck"}""";
        (await gateway.AdminAsync(HttpMethod.Put, "/admin/v1/incidents/rail:x401", off)).ShouldSatisfyAllConditions(t => t.Status.ShouldBe(HttpStatusCode.BadRequest), t => t.Body.ShouldContain("x402.exact"));
        foreach (var rail in new[] { "x402", "mpp.stripe", "prepaid", "postpaid" }) (await gateway.AdminAsync(HttpMethod.Put, "/admin/v1/incidents/rail:" + rail, off)).Status.ShouldBe(HttpStatusCode.OK);
        (await gateway.AdminAsync(HttpMethod.Put, "/admin/v1/incidents/rail:x401", """{"mode":"normal","reason":"never was"}""")).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public void Step_up_in_another_currency_than_the_price_is_an_error() => Documents.Load("""
        payments: { prepaid: { secret: "${env:TURNPIKE_TOKEN_SECRET}" } }
        services: { s: { upstream: "http://127.0.0.1:9000", operations: { o: { match: GET /o, price: 1.00 USD, step-up: { above: 1.00 EUR, require: approval } } } } }
        """).ErrorLines.ShouldBe(["t.yaml:2:122: services.s.operations.o.step-up.above: is in EUR, and the price in USD: they would never be compared"]);
}
