using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Turnpike.Tests.Admin;

namespace Turnpike.Tests.Billing.Automatic;

/// <summary>Automatic top-ups as buyers, agents and operators meet them: over HTTP, with test money.</summary>
public sealed class TopUpHttpTests
{
    private const string Payments = "payments: { prepaid: { secret: \"${env:TOKENS}\", bundles: [{ price: 0.05 USD, budget: 0.05 USD }], automatic-top-up: { monthly: 0.20 USD } } }";
    private const string Consent = """{"bundle":1,"automatic":"yes","below":"0.02 USD","monthly":"0.10 USD"}""";

    private static Task<RunningGateway> StartAsync() => RunningGateway.StartAsync(payments: Payments, sandbox: true);

    private static async Task<(int Status, string Body)> SendAsync(RunningGateway gateway, HttpMethod method, string path, string? body = null, string? token = null, string accept = "application/json", string type = "application/json")
    {
        using var request = new HttpRequestMessage(method, new Uri(gateway.Public, path));
        request.Headers.Accept.ParseAdd(accept);
        if (token is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        if (body is not null) request.Content = new StringContent(body, null, type);
        using var answer = await gateway.Http.SendAsync(request);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    private static async Task<(string Token, JsonElement Json)> BuyAsync(RunningGateway gateway, string body = Consent)
    {
        var (status, told) = await SendAsync(gateway, HttpMethod.Post, "/buy/paid", body);
        status.ShouldBe(201, told);
        return (RunningGateway.Json(told).GetProperty("token").GetString()!, RunningGateway.Json(told));
    }

    private static async Task<JsonElement> UntilAsync(RunningGateway gateway, string token, Func<JsonElement, bool> holds)
    {
        for (var i = 0; ; i++)
        {
            var json = RunningGateway.Json((await SendAsync(gateway, HttpMethod.Get, "/tokens/automatic-top-up", token: token)).Body);
            if (holds(json)) return json;
            i.ShouldBeLessThan(600, json.ToString());
            await Task.Delay(100);
        }
    }

    [Theory]
    [InlineData("""{"bundle":1,"below":"0.02 USD","monthly":"0.10 USD"}""", "agree to it")]
    [InlineData("""{"bundle":1,"automatic":"no","below":"0.02 USD","monthly":"0.10 USD"}""", "automatic is yes")]
    [InlineData("""{"bundle":1,"automatic":"yes","below":"0.05 USD","monthly":"0.10 USD"}""", "below: write")]
    [InlineData("""{"bundle":1,"automatic":"yes","below":"0.02 USD","monthly":"0.21 USD"}""", "monthly: write an amount from 0.05 USD to 0.20 USD")]
    [InlineData("""{"bundle":1,"automatic":"yes","below":"0.02 EUR","monthly":"0.10 USD"}""", "below: write")]
    [InlineData("""{"bundle":1,"automatic":"yes"}""", "below: write")]
    public async Task What_is_no_clear_consent_is_refused_and_says_why(string body, string why)
    {
        await using var gateway = await StartAsync();
        var (status, told) = await SendAsync(gateway, HttpMethod.Post, "/buy/paid", body);
        (status, told.Contains(why, StringComparison.Ordinal)).ShouldBe((400, true), told);
    }

    [Fact]
    public async Task An_agent_agrees_is_topped_up_to_its_cap_and_ends_it_with_the_token_itself()
    {
        await using var gateway = await StartAsync();
        (await SendAsync(gateway, HttpMethod.Get, "/buy/paid")).Body.ShouldContain("\"most\"");
        var (token, bought) = await BuyAsync(gateway);
        var agreed = bought.GetProperty("automatic");
        agreed.GetProperty("status").GetString().ShouldBe("active");
        for (var i = 0; i < 4; i++) using (var answer = await gateway.CallAsync("/paid", token)) answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        var once = await UntilAsync(gateway, token, json => json.GetProperty("charges").EnumerateArray().Any(c => c.GetProperty("status").GetString() == "paid"));
        once.GetProperty("charged").GetProperty("amount").GetString().ShouldBe("0.05");
        once.GetProperty("sandbox").GetBoolean().ShouldBeTrue();
        for (var i = 0; i < 5; i++) using (var answer = await gateway.CallAsync("/paid", token)) answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        await UntilAsync(gateway, token, json => json.GetProperty("charges").GetArrayLength() == 2);
        var page = new Uri(agreed.GetProperty("page").GetString()!).PathAndQuery;
        (await SendAsync(gateway, HttpMethod.Get, page, accept: "text/html")).Body.ShouldContain("0.10 USD of 0.10 USD charged this month");
        var ended = await SendAsync(gateway, HttpMethod.Delete, "/tokens/automatic-top-up", token: token);
        RunningGateway.Json(ended.Body).GetProperty("status").GetString().ShouldBe("ended");
        var (status, told) = await gateway.AdminAsync(HttpMethod.Get, "/admin/v1/top-ups/" + agreed.GetProperty("id").GetString());
        (status, RunningGateway.Json(told).GetProperty("why").GetString(), RunningGateway.Json(told).GetProperty("charges").GetArrayLength()).ShouldBe((HttpStatusCode.OK, "ended by its buyer", 2), told);
        (await gateway.Ledger.VerifyAsync(default)).Findings.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_person_ticks_the_box_pays_at_the_till_and_sees_what_was_agreed_on_the_page_of_the_token()
    {
        await using var gateway = await StartAsync();
        (await SendAsync(gateway, HttpMethod.Get, "/buy/paid", accept: "text/html")).Body.ShouldContain("Top it up by itself");
        var till = await SendAsync(gateway, HttpMethod.Post, "/buy/paid", "bundle=1&token=&automatic=yes&below=0.02&monthly=0.10", accept: "text/html", type: "application/x-www-form-urlencoded");
        till.Body.ShouldContain("You agree: 0.05 USD is charged again, without asking, whenever less than 0.02 USD is left");
        var session = till.Body.Split("name=\"session_id\" value=\"")[1].Split('"')[0];
        var sold = await SendAsync(gateway, HttpMethod.Post, "/buy/paid/till", $"session_id={session}&pay=yes", accept: "text/html", type: "application/x-www-form-urlencoded");
        sold.Body.ShouldContain("Automatic top-up: active");
        var page = new Uri(WebUtility.HtmlDecode(sold.Body.Split("<a href=\"").First(part => part.Contains("/automatic?id=", StringComparison.Ordinal)).Split('"')[0]));
        var off = await SendAsync(gateway, HttpMethod.Post, page.AbsolutePath, $"id={page.Query[4..]}&action=end", accept: "text/html", type: "application/x-www-form-urlencoded");
        (off.Status, off.Body.Contains("ended by its buyer", StringComparison.Ordinal), off.Body.Contains("tp_", StringComparison.Ordinal)).ShouldBe((200, true, false), off.Body);
        (await SendAsync(gateway, HttpMethod.Get, "/buy/paid/automatic?id=ma_guessed")).Status.ShouldBe(404);
    }

    [Fact]
    public async Task A_token_that_was_replaced_says_and_changes_nothing_any_more_and_an_operator_ends_it()
    {
        await using var gateway = await StartAsync();
        var (token, bought) = await BuyAsync(gateway);
        var session = bought.GetProperty("done").GetString()!.Split("session_id=")[1];
        var rotated = RunningGateway.Json((await SendAsync(gateway, HttpMethod.Post, "/buy/paid/rotate", $$"""{"session_id":"{{session}}"}""")).Body).GetProperty("token").GetString()!;
        RunningGateway.Json((await SendAsync(gateway, HttpMethod.Delete, "/tokens/automatic-top-up", token: token)).Body).GetProperty("reason").GetString().ShouldBe("token-revoked");
        RunningGateway.Json((await SendAsync(gateway, HttpMethod.Get, "/tokens/automatic-top-up", token: rotated)).Body).GetProperty("status").GetString().ShouldBe("active");
        (await SendAsync(gateway, HttpMethod.Get, "/tokens/automatic-top-up")).Status.ShouldBe(401);
        var list = RunningGateway.Json((await gateway.AdminAsync(HttpMethod.Get, "/admin/v1/top-ups")).Body).GetProperty("topUps");
        var (_, told) = await gateway.AdminAsync(HttpMethod.Post, $"/admin/v1/top-ups/{list[0].GetProperty("id").GetString()}/end", """{"reason":"case 7"}""");
        RunningGateway.Json(told).GetProperty("why").GetString().ShouldBe("case 7", told);
    }

    [Fact]
    public async Task A_token_bought_beside_another_is_its_owners_and_a_strangers_becomes_so_when_an_operator_says()
    {
        await using var gateway = await StartAsync();
        var (one, two, stranger) = ((await BuyAsync(gateway, """{"bundle":1}""")).Token, "", (await BuyAsync(gateway, """{"bundle":1}""")).Token);
        two = (await BuyAsync(gateway, $$"""{"bundle":1,"beside":"{{one}}"}""")).Token;
        (await SendAsync(gateway, HttpMethod.Post, "/buy/paid", """{"bundle":1,"beside":"tp_guessed"}""")).Status.ShouldBe(400);
        async Task<(int Status, string Body)> MoveAsync(string to, string key)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(gateway.Public, "/tokens/transfer")) { Content = new StringContent($$"""{"to":"{{to}}","amount":"0.01 USD"}""", null, "application/json") };
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", one);
            request.Headers.Add("Idempotency-Key", key);
            using var answer = await gateway.Http.SendAsync(request);
            return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
        }
        var moved = await MoveAsync(two, "k1");
        moved.Status.ShouldBe(200, moved.Body);
        (await MoveAsync(stranger, "k2")).Body.ShouldContain("access-denied");
        var whose = RunningGateway.Json((await gateway.AdminAsync(HttpMethod.Get, "/admin/v1/tokens/" + two.Split('_')[1])).Body).GetProperty("owner").GetString()!;
        var said = await gateway.AdminAsync(HttpMethod.Put, $"/admin/v1/tokens/{stranger.Split('_')[1]}/owner", $$"""{"owner":"{{whose}}"}""");
        said.Status.ShouldBe(HttpStatusCode.OK, said.Body);
        (await MoveAsync(stranger, "k3")).Status.ShouldBe(200);
        (await gateway.AdminAsync(HttpMethod.Put, $"/admin/v1/tokens/{stranger.Split('_')[1]}/owner", """{"owner":"two words"}""")).Status.ShouldBe(HttpStatusCode.BadRequest);
        (await gateway.Ledger.VerifyAsync(default)).Findings.ShouldBeEmpty();
    }
}
