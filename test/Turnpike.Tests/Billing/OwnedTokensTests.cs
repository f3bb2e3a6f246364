using System.Net;
using System.Text.Json;
using Turnpike.Tests.Admin;

namespace Turnpike.Tests.Billing;

/// <summary>What owners of tokens and balances do by themselves, over HTTP, as it is served.</summary>
public sealed class OwnedTokensTests
{
    private const string Admin = "/admin/v1/", Exchange = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token&subject_token=";

    private static async Task<(string Id, string Text)> IssueAsync(RunningGateway gateway, string body)
    {
        var (status, told) = await gateway.AdminAsync(HttpMethod.Post, Admin + "tokens", body);
        status.ShouldBe(HttpStatusCode.Created, told);
        var json = RunningGateway.Json(told);
        return (json.GetProperty("id").GetString()!, json.GetProperty("token").GetString()!);
    }

    private static async Task<(int Status, JsonElement Json)> PostAsync(RunningGateway gateway, string path, string body, string type, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(gateway.Public, path)) { Content = new StringContent(body, null, type) };
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        using var answer = await gateway.Http.SendAsync(request);
        return ((int)answer.StatusCode, RunningGateway.Json(await answer.Content.ReadAsStringAsync()));
    }

    [Fact]
    public async Task A_standing_grant_is_exchanged_as_rfc_8693_says_and_what_it_gives_buys()
    {
        await using var gateway = await RunningGateway.StartAsync();
        var (_, standing) = await IssueAsync(gateway, """{"budget":"1.00 USD","series":{"valid":"15m","most":"0.02 USD"},"caps":["0.03 USD per 1d"],"valid":"30d"}""");
        var (status, given) = await PostAsync(gateway, "/tokens/exchange", Exchange + standing + "&scope=paid&task=t-1", "application/x-www-form-urlencoded");
        (status, given.GetProperty("issued_token_type").GetString(), given.GetProperty("token_type").GetString(), given.GetProperty("scope").GetString()).ShouldBe((200, "urn:ietf:params:oauth:token-type:access_token", "Bearer", "paid"), given.ToString());
        given.GetProperty("expires_in").GetInt64().ShouldBeInRange(890, 900);
        var text = given.GetProperty("access_token").GetString()!;
        for (var i = 0; i < 2; i++) using (var answer = await gateway.CallAsync("/paid", text)) answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        using (var answer = await gateway.CallAsync("/paid", text)) answer.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        using (var answer = await gateway.CallAsync("/paid", standing)) (await answer.Content.ReadAsStringAsync()).ShouldContain("token-standing");
    }

    [Theory]
    [InlineData("grant_type=client_credentials&subject_token=", "unsupported_grant_type")]
    [InlineData(Exchange + "tp_x&scope=paid", "invalid_request")]
    [InlineData(Exchange + "{standing}&scope=admin", "invalid_scope")]
    [InlineData(Exchange + "{standing}&budget=0.01+EUR", "invalid_request")]
    [InlineData(Exchange + "{plain}", "invalid_request")]
    public async Task What_is_no_good_exchange_is_told_as_oauth_does(string body, string error)
    {
        await using var gateway = await RunningGateway.StartAsync();
        var (_, standing) = await IssueAsync(gateway, """{"budget":"1.00 USD","series":{"valid":"15m","most":"0.02 USD"}}""");
        var (_, plain) = await IssueAsync(gateway, """{"budget":"1.00 USD"}""");
        var (status, told) = await PostAsync(gateway, "/tokens/exchange", body.Replace("{standing}", standing, StringComparison.Ordinal).Replace("{plain}", plain, StringComparison.Ordinal), "application/x-www-form-urlencoded");
        (status, told.GetProperty("error").GetString()).ShouldBe((400, error));
    }

    [Fact]
    public async Task Who_has_both_tokens_moves_money_between_them_once()
    {
        await using var gateway = await RunningGateway.StartAsync();
        var (one, two) = (await IssueAsync(gateway, """{"budget":"1.00 USD","owner":"acme"}"""), await IssueAsync(gateway, """{"budget":"1.00 USD","owner":"acme"}"""));
        var (_, stranger) = await IssueAsync(gateway, """{"budget":"1.00 USD"}""");
        Task<(int Status, JsonElement Json)> Move(string to, string key = "k") => PostAsync(gateway, "/tokens/transfer", $$"""{"to":"{{to}}","amount":"0.40 USD"}""", "application/json", ("Authorization", "Bearer " + one.Text), ("Idempotency-Key", key));
        for (var i = 0; i < 2; i++) (await Move(two.Text)).Json.GetProperty("left").GetProperty("amount").GetString().ShouldBe("0.60");
        (await Move(stranger, "k2")).Json.GetProperty("reason").GetString().ShouldBe("access-denied");
        (await Move(two.Id, "k3")).Json.GetProperty("reason").GetString().ShouldBe("unknown-token"); // an id is no proof of having it
        (await PostAsync(gateway, "/tokens/transfer", "{}", "application/json")).Status.ShouldBe(401);
        var moved = await gateway.AdminAsync(HttpMethod.Post, $"{Admin}tokens/{two.Id}/transfer", $$"""{"to":"{{one.Id}}","amount":"0.10 USD"}""", RunningGateway.Key, ("Idempotency-Key", "case-7"));
        RunningGateway.Json(moved.Body).GetProperty("left").GetProperty("amount").GetString().ShouldBe("1.30", moved.Body);
        (await gateway.Ledger.VerifyAsync(default)).Findings.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_balance_is_granted_listed_spent_seen_and_taken_back()
    {
        await using var gateway = await RunningGateway.StartAsync(balance: true);
        (await gateway.AdminAsync(HttpMethod.Put, Admin + "callers/bot", """{"caps":["5.00 USD per 1d","1.00 USD each task"]}""")).Body.ShouldContain("1.00 USD each task");
        var key = RunningGateway.Json((await gateway.AdminAsync(HttpMethod.Post, Admin + "callers/bot/keys")).Body).GetProperty("key").GetString()!;
        Task<(HttpStatusCode Status, string Body)> Grant(string body) => gateway.AdminAsync(HttpMethod.Post, Admin + "callers/bot/grants", body);
        for (var i = 0; i < 2; i++) (await Grant("""{"id":"i-1","amount":"0.05 USD","kind":"paid","valid":"90d"}""")).Status.ShouldBe(HttpStatusCode.OK);
        (await Grant("""{"id":"i-1","amount":"0.06 USD","kind":"paid","valid":"90d"}""")).Body.ShouldContain("grant-exists");
        (await Grant("""{"id":"gift","amount":"0.03 USD","kind":"promotional","priority":1}""")).Status.ShouldBe(HttpStatusCode.OK);
        foreach (var wrong in new[] { """{"id":"x","amount":"5 requests","kind":"paid"}""", """{"id":"x","amount":"1 USD","kind":"lent"}""", """{"id":"x","amount":"1 USD","kind":"paid","priority":1001}""", """{"id":"x","amount":"1 USD","kind":"paid","expires":"2020-01-01T00:00:00Z"}""", """{"id":"x","amount":"1 USD","priority":1}""" }) (await Grant(wrong)).Status.ShouldBe(HttpStatusCode.BadRequest, wrong);
        using (var answer = await gateway.CallAsync("/paid", headers: ("x-api-key", key))) answer.Headers.GetValues("Turnpike-Remaining").ShouldBe(["0.07 USD"]);
        using (var own = await gateway.CallAsync("/balance", headers: ("x-api-key", key)))
        {
            var balance = RunningGateway.Json(await own.Content.ReadAsStringAsync()).GetProperty("balance");
            (balance.GetProperty("next").GetString(), balance.GetProperty("available")[0].GetProperty("amount").GetString(), balance.GetProperty("grants").GetArrayLength()).ShouldBe(("gift", "0.07", 2));
        }
        RunningGateway.Json((await gateway.AdminAsync(HttpMethod.Post, Admin + "callers/bot/grants/gift/take-back", """{"reason":"over"}""")).Body).GetProperty("taken").GetProperty("amount").GetString().ShouldBe("0.02");
        var listed = RunningGateway.Json((await gateway.GetAsync(Admin + "callers/bot/grants")).Body);
        listed.GetProperty("grants").EnumerateArray().Select(g => $"{g.GetProperty("id")} {g.GetProperty("status")} {g.GetProperty("left").GetProperty("amount")}").ShouldBe(["gift used-up 0.00", "i-1 active 0.05"]);
        listed.GetProperty("next").GetString().ShouldBe("i-1");
    }
}
