using System.Net;
using Turnpike.Tokens;

namespace Turnpike.Tests.Admin;

/// <summary>Tokens through the Admin API: issued once, shown, frozen, revoked.</summary>
public sealed class TokensApiTests
{
    private const string Tokens = "/admin/v1/tokens";

    [Fact]
    public async Task A_token_is_issued_spent_and_shown_with_what_is_left()
    {
        await using var gateway = await RunningGateway.StartAsync();
        var (status, body) = await gateway.AdminAsync(HttpMethod.Post, Tokens,
            """{"budget":"0.05 USD","calls":3,"perCall":"0.02 USD","operations":["paid"],"rate":{"amount":"5 requests","per":"1m"},"valid":"30d","note":"for +tests"}""");
        status.ShouldBe(HttpStatusCode.Created);
        var token = RunningGateway.Json(body);
        var (id, text) = (token.GetProperty("id").GetString()!, token.GetProperty("token").GetString()!);
        new TokenText([System.Text.Encoding.UTF8.GetBytes(RunningGateway.TokenSecret)]).Read(text).Id.ShouldBe(id);
        (token.GetProperty("expires").GetDateTimeOffset() - token.GetProperty("created").GetDateTimeOffset()).TotalDays.ShouldBe(30, 0.001);

        using (var answer = await gateway.CallAsync("/paid", text)) answer.StatusCode.ShouldBe(HttpStatusCode.OK);

        var shown = RunningGateway.Json((await gateway.GetAsync($"{Tokens}/{id}")).Body);
        shown.GetProperty("token").GetString().ShouldBe(text);
        shown.GetProperty("left").ToString().ShouldBe("""{"amount":"0.04","currency":"USD"}""");
        shown.GetProperty("callsLeft").GetInt64().ShouldBe(2);
        shown.GetProperty("perCall").ToString().ShouldBe("""{"amount":"0.02","currency":"USD"}""");
        shown.GetProperty("rate").ToString().ShouldBe("""{"amount":"5 requests","per":"60s"}""");
        shown.GetProperty("note").GetString().ShouldBe("for +tests");
        RunningGateway.Json((await gateway.GetAsync(Tokens)).Body).GetProperty("tokens")[0].GetProperty("token").ValueKind.ShouldBe(System.Text.Json.JsonValueKind.Null);
    }

    [Fact]
    public async Task A_token_is_replaced_and_a_freeze_of_the_old_one_holds_the_new_one_too()
    {
        await using var gateway = await RunningGateway.StartAsync();
        var first = RunningGateway.Json((await gateway.AdminAsync(HttpMethod.Post, Tokens, """{"budget":"0.05 USD"}""")).Body);
        var (id, text) = (first.GetProperty("id").GetString()!, first.GetProperty("token").GetString()!);
        var second = RunningGateway.Json((await gateway.AdminAsync(HttpMethod.Post, $"{Tokens}/{id}/rotate", """{"reason":"seen in a log"}""")).Body);
        var (next, its) = (second.GetProperty("id").GetString()!, second.GetProperty("token").GetString()!);
        second.GetProperty("left").GetProperty("amount").GetString().ShouldBe("0.05");
        using (var answer = await gateway.CallAsync("/paid", text)) answer.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        using (var answer = await gateway.CallAsync("/paid", its)) answer.StatusCode.ShouldBe(HttpStatusCode.OK);

        var old = RunningGateway.Json((await gateway.AdminAsync(HttpMethod.Post, $"{Tokens}/{id}/freeze", "{}")).Body);
        (old.GetProperty("status").GetString(), old.GetProperty("replacedBy").GetString(), old.GetProperty("left").GetProperty("amount").GetString()).ShouldBe(("revoked", next, "0.00"));
        using (var answer = await gateway.CallAsync("/paid", its)) answer.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await gateway.AdminAsync(HttpMethod.Post, $"{Tokens}/{next}/rotate", "{}")).Status.ShouldBe(HttpStatusCode.Conflict);
        (await gateway.AdminAsync(HttpMethod.Post, $"{Tokens}/{id}/revoke", "{}")).Status.ShouldBe(HttpStatusCode.OK, "it is revoked already, and the new one is another's");
        await gateway.AdminAsync(HttpMethod.Post, $"{Tokens}/{next}/unfreeze", "{}");
        using (var answer = await gateway.CallAsync("/paid", its)) answer.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task The_same_key_gives_the_same_token_funded_once_and_another_order_is_422()
    {
        await using var gateway = await RunningGateway.StartAsync();
        Task<(HttpStatusCode Status, string Body)> Order(string body, string key = "order-1") => gateway.AdminAsync(HttpMethod.Post, Tokens, body, RunningGateway.Key, ("Idempotency-Key", key));
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Order("""{"budget":"2 USD","calls":4,"valid":"1d"}""")));
        answers.ShouldAllBe(a => a.Status == HttpStatusCode.Created);
        answers.Select(a => a.Body).Distinct().ShouldHaveSingleItem();
        RunningGateway.Json(answers[0].Body).GetProperty("left").GetProperty("amount").GetString().ShouldBe("2.00");

        foreach (var other in new[] { """{"budget":"3 USD","calls":4,"valid":"1d"}""", """{"budget":"2 USD","calls":5,"valid":"1d"}""", """{"budget":"2 USD","calls":4}""", """{"budget":"2 USD","calls":4,"valid":"1d","operations":["paid"]}""" })
        {
            var (status, body) = await Order(other);
            ((int)status).ShouldBe(422, other);
            RunningGateway.Json(body).GetProperty("reason").GetString().ShouldBe("idempotency-mismatch");
        }
        (await Order("""{"budget":"2 USD","calls":4,"valid":"1d"}""", "order-2")).Body.ShouldNotBe(answers[0].Body);
        RunningGateway.Json((await gateway.GetAsync(Tokens)).Body).GetProperty("tokens").GetArrayLength().ShouldBe(2);
        RunningGateway.Json((await gateway.GetAsync("/admin/v1/ledger/verify")).Body).GetProperty("balanced").GetBoolean().ShouldBeTrue();
    }

    [Theory]
    [InlineData("{", "The JSON is wrong at $")]
    [InlineData("", "missing")]
    [InlineData("null", "missing")]
    [InlineData("{}", "budget:")]
    [InlineData("""{"budget":5}""", "$.budget")]
    [InlineData("""{"budget":"1 USD","cals":5}""", "$.cals")]
    [InlineData("""{"budget":"1 USD","calls":"5"}""", "$.calls")]
    [InlineData("""{"budget":"0 USD"}""", "budget:")]
    [InlineData("""{"budget":"-1 USD"}""", "budget:")]
    [InlineData("""{"budget":"5 requests"}""", "budget:")]
    [InlineData("""{"budget":"1 USD","calls":0}""", "calls:")]
    [InlineData("""{"budget":"1 USD","perCall":"1 EUR"}""", "perCall:")]
    [InlineData("""{"budget":"1 USD","operations":["nothing"]}""", "operations: nothing sold here is called 'nothing'")]
    [InlineData("""{"budget":"1 USD","operations":[null]}""", "operations:")]
    [InlineData("""{"budget":"1 USD","valid":"soon"}""", "valid:")]
    [InlineData("""{"budget":"1 USD","rate":{"amount":"5","per":"1m"}}""", "rate.amount:")]
    [InlineData("""{"budget":"1 USD","rate":{"amount":"5 requests","per":"x"}}""", "rate.per:")]
    public async Task A_wrong_order_is_a_400_that_says_where_and_issues_nothing(string body, string told)
    {
        await using var gateway = await RunningGateway.StartAsync();
        var answer = await gateway.AdminAsync(HttpMethod.Post, Tokens, body);
        answer.Status.ShouldBe(HttpStatusCode.BadRequest);
        RunningGateway.Json(answer.Body).GetProperty("detail").GetString()!.ShouldContain(told);
        RunningGateway.Json((await gateway.GetAsync(Tokens)).Body).GetProperty("tokens").GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task A_frozen_token_waits_and_a_revoked_one_never_comes_back()
    {
        await using var gateway = await RunningGateway.StartAsync();
        var text = await gateway.TokenAsync();
        var id = text.Split('_')[1];
        async Task<(int Status, string Body)> Do(string verb, string? body = null) => await gateway.AdminAsync(HttpMethod.Post, $"{Tokens}/{id}/{verb}", body) is var (status, text) ? ((int)status, text) : default;
        async Task<int> Spend()
        {
            using var answer = await gateway.CallAsync("/paid", text);
            return (int)answer.StatusCode;
        }

        (await Spend()).ShouldBe(200);
        (await Do("freeze", """{"reason":"odd traffic"}""")).Status.ShouldBe(200);
        (await Spend()).ShouldBe(403);
        (await Do("unfreeze")).Status.ShouldBe(200);
        (await Spend()).ShouldBe(200);
        RunningGateway.Json((await Do("revoke")).Body).GetProperty("status").GetString().ShouldBe("revoked");
        (await Do("revoke")).Status.ShouldBe(200);
        (await Spend()).ShouldBe(403);
        (await Do("unfreeze")).Status.ShouldBe(409);
        (await gateway.AdminAsync(HttpMethod.Post, $"{Tokens}/unknown/revoke")).Status.ShouldBe(HttpStatusCode.NotFound);
        var events = RunningGateway.Json((await gateway.GetAsync($"/admin/v1/audit?reference={id}")).Body).GetProperty("events");
        events.EnumerateArray().Select(e => e.GetProperty("kind").GetString()).Where(kind => kind != "token.issued").ShouldBe(["token.frozen", "token.thawed", "token.revoked"]);
        events.EnumerateArray().Single(e => e.GetProperty("kind").GetString() == "token.frozen").GetProperty("detail").GetString().ShouldBe("odd traffic");
    }

    [Fact]
    public async Task Without_prepaid_tokens_issuing_is_409()
    {
        await using var gateway = await RunningGateway.StartAsync(prepaid: false);
        var (status, body) = await gateway.AdminAsync(HttpMethod.Post, Tokens, """{"budget":"1 USD"}""");
        status.ShouldBe(HttpStatusCode.Conflict);
        RunningGateway.Json(body).GetProperty("reason").GetString().ShouldBe("no-prepaid");
    }
}
