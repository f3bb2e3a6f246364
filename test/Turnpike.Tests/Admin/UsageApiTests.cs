namespace Turnpike.Tests.Admin;

/// <summary>The records of use through the Admin API.</summary>
public sealed class UsageApiTests
{
    [Fact]
    public async Task Records_are_listed_newest_first_page_by_page_by_who_and_when()
    {
        await using var gateway = await RunningGateway.StartAsync();
        for (var i = 0; i < 5; i++) await AddAsync(gateway, i, i % 2 == 0 ? "even" : "odd");
        await AddAsync(gateway, 4, "even"); // told twice
        List<string> seen = [];
        for (var next = ""; next is not null;)
        {
            var page = await ListAsync(gateway, "?limit=2" + (next.Length == 0 ? "" : "&before=" + Uri.EscapeDataString(next)));
            seen.AddRange(IdsOf(page));
            next = page.GetProperty("next").GetString();
        }
        seen.ShouldBe(["4/é", "3/é", "2/é", "1/é", "0/é"]);
        IdsOf(await ListAsync(gateway, "?caller=odd")).ShouldBe(["3/é", "1/é"]);
        IdsOf(await ListAsync(gateway, "?from=2026-11-03T00:00:00Z&to=2026-11-04T00:00:00Z")).ShouldBe(["2/é"]);
        IdsOf(await ListAsync(gateway, "?operation=other")).ShouldBeEmpty();
        (await ListAsync(gateway, "?limit=1")).GetProperty("usage")[0].GetProperty("units").GetProperty("output_tokens").GetInt64().ShouldBe(4);
        foreach (var wrong in (string[])["?before=x", "?from=yesterday", "?from=2026-11-04T00:00:00Z&to=2026-11-03T00:00:00Z"])
            ((int)(await gateway.GetAsync("/admin/v1/usage" + wrong)).Status).ShouldBe(400, wrong);
    }

    [Theory]
    [InlineData("""{"source":"s","id":"i","operation":"chat","units":{"input_tokens":9223372036854775807,"output_tokens":1}}""")]
    [InlineData("""{"source":"s","id":"i","operation":"chat","units":{"pages":-9223372036854775808},"correction":true}""")]
    [InlineData("""{"source":"s","id":"i","operation":"chat","units":{"pages":1},"time":"9999-12-31T23:59:59Z"}""")]
    [InlineData("""{"source":"s","id":"i","operation":"chat","units":{"pages":1},"time":"0001-01-01T00:00:00Z"}""")]
    [InlineData("""{"source":null,"id":"i","operation":"chat","units":{"pages":1}}""")]
    [InlineData("""{"source":"s","id":"i","operation":"chat","units":null}""")]
    [InlineData("""{"operation":"chat"}""")]
    public async Task What_no_meter_could_ever_tell_is_refused_and_meters_go_on(string body)
    {
        await using var gateway = await RunningGateway.StartAsync(more: "meters: { tokens: { sum: total_tokens } }");
        var told = (int)(await gateway.AdminAsync(HttpMethod.Post, "/admin/v1/usage", body)).Status;
        var asked = (int)(await gateway.GetAsync("/admin/v1/meters/tokens/query?window=month&timeZone=Europe/Berlin&from=6500-01-01T00:00:00Z&to=9999-12-31T23:59:59.9Z")).Status;
        (told, asked).ShouldBe((400, 200));
    }

    private static async Task AddAsync(RunningGateway gateway, int number, string caller) => ((int)(await gateway.AdminAsync(HttpMethod.Post, "/admin/v1/usage",
        $$$"""{"source":"else where","id":"{{{number}}}/é","time":"2026-11-0{{{number + 1}}}T12:00:00Z","operation":"chat","caller":"{{{caller}}}","units":{"output_tokens":{{{number}}}}}""")).Status).ShouldBe(204);

    private static async Task<System.Text.Json.JsonElement> ListAsync(RunningGateway gateway, string query) => RunningGateway.Json((await gateway.GetAsync("/admin/v1/usage" + query)).Body);

    private static string[] IdsOf(System.Text.Json.JsonElement page) => [.. page.GetProperty("usage").EnumerateArray().Select(each => each.GetProperty("id").GetString()!)];
}
