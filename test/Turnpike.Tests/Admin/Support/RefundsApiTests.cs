using System.Net;
using Turnpike.Admin.Cli;
using Turnpike.Admin.Support;

namespace Turnpike.Tests.Admin.Support;

/// <summary>"They say it was wrong": an operator gives back, over HTTP and from the command line.</summary>
public sealed class RefundsApiTests
{
    [Fact]
    public async Task A_part_and_then_the_rest_go_back_onto_the_budget_and_stand_in_the_story()
    {
        await using var gateway = await RunningGateway.StartAsync();
        var token = await gateway.TokenAsync("0.01 USD");
        var receipt = await PayAsync(gateway, token);
        var (status, body) = await RefundAsync(gateway, receipt, """{"amount":"0.004 USD","reason":"half was wrong"}""", "a");
        status.ShouldBe(HttpStatusCode.OK, body);
        var first = RunningGateway.Json(body);
        (first.GetProperty("status").GetString(), first.GetProperty("as").GetString(), first.GetProperty("payment").GetString()).ShouldBe(("done", "credit", receipt));
        RunningGateway.Json((await RefundAsync(gateway, receipt, """{"reason":"and the rest"}""", "b")).Body).GetProperty("amount").ToString().ShouldBe("""{"amount":"0.006","currency":"USD"}""");
        (await PayAsync(gateway, token)).ShouldNotBeNull("the budget is whole again");

        var story = RunningGateway.Json((await gateway.GetAsync("/admin/v1/payments/" + receipt)).Body);
        story.GetProperty("refunds").EnumerateArray().Select(r => r.GetProperty("reason").GetString()).ShouldBe(["and the rest", "half was wrong"]);
        story.GetProperty("events").EnumerateArray().Select(e => e.GetProperty("kind").GetString()).Skip(4).ShouldBe(["refund.ordered", "payment.refunded", "refund.ordered", "payment.refunded"]);
        RunningGateway.Json((await gateway.GetAsync($"/admin/v1/payments/{receipt}/refunds")).Body).GetProperty("refunds").GetArrayLength().ShouldBe(2);
        RunningGateway.Json((await gateway.GetAsync("/admin/v1/payments")).Body).GetProperty("payments").GetArrayLength().ShouldBe(2);
        (await gateway.Ledger.VerifyAsync(default)).Findings.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_same_order_again_is_the_same_refund_and_another_under_its_key_is_422()
    {
        await using var gateway = await RunningGateway.StartAsync();
        var receipt = await PayAsync(gateway, await gateway.TokenAsync());
        var first = await RefundAsync(gateway, receipt, """{"amount":"0.004 USD","reason":"wrong"}""", "a");
        (await RefundAsync(gateway, receipt, """{"amount":"0.004 USD","reason":"wrong"}""", "a")).ShouldBe(first);
        var (status, body) = await RefundAsync(gateway, receipt, """{"amount":"0.005 USD","reason":"wrong"}""", "a");
        (status, RunningGateway.Json(body).GetProperty("reason").GetString()).ShouldBe((HttpStatusCode.UnprocessableEntity, "idempotency-mismatch"));
    }

    [Theory]
    [InlineData("""{"reason":"wrong"}""", null, 400, "malformed-request")]
    [InlineData("""{"reason":" "}""", "a", 400, "malformed-request")]
    [InlineData("""{"reason":"wrong","amount":"0.00 USD"}""", "a", 400, "malformed-request")]
    [InlineData("""{"reason":"wrong","amount":"0.01 EUR"}""", "a", 400, "malformed-request")]
    [InlineData("""{"reason":"wrong","as":"cash"}""", "a", 400, "malformed-request")]
    [InlineData("""{"reason":"wrong","as":"rail"}""", "a", 409, "rail-cannot-refund")]
    [InlineData("""{"reason":"wrong","amount":"0.02 USD"}""", "a", 409, "refund-exceeds")]
    public async Task A_wrong_order_is_told_why_and_gives_nothing_back(string order, string? key, int status, string reason)
    {
        await using var gateway = await RunningGateway.StartAsync();
        var receipt = await PayAsync(gateway, await gateway.TokenAsync());
        var answer = await RefundAsync(gateway, receipt, order, key);
        ((int)answer.Status, RunningGateway.Json(answer.Body).GetProperty("reason").GetString()).ShouldBe((status, reason));
        (await gateway.Ledger.VerifyAsync(default)).Totals.ShouldNotContain(t => t.Role == "refunded");
        (await RefundAsync(gateway, "r_nothing", """{"reason":"wrong"}""", "a")).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task The_command_refunds_through_the_gateway_and_shows_it()
    {
        await using var gateway = await RunningGateway.StartAsync();
        var receipt = await PayAsync(gateway, await gateway.TokenAsync());
        var made = await RunAsync((o, e) => PaymentsCommand.RefundAsync(gateway.Config, RunningGateway.Environment, receipt, new RefundBody("wrong", "0.004 USD"), "k", false, o, e, default));
        (made.Code, made.Err).ShouldBe((0, ""));
        made.Output.ShouldContain("amount       0.004 USD as credit");
        (await RunAsync((o, e) => PaymentsCommand.ShowAsync(gateway.Config, RunningGateway.Environment, receipt, false, o, e, default))).Output.ShouldContain("refund       0.004 USD as credit, done: wrong");
        var refused = await RunAsync((o, e) => PaymentsCommand.RefundAsync(gateway.Config, RunningGateway.Environment, receipt, new RefundBody("wrong", "0.02 USD"), "l", false, o, e, default));
        refused.Code.ShouldBe(3);
        refused.Err.ShouldContain("0.006 USD of it has not been given back");
    }

    private static async Task<string> PayAsync(RunningGateway gateway, string token)
    {
        using var answer = await gateway.CallAsync("/paid", token);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        return answer.Headers.GetValues("Turnpike-Receipt").Single().Split('/')[^1];
    }

    private static Task<(HttpStatusCode Status, string Body)> RefundAsync(RunningGateway gateway, string id, string order, string? key) =>
        gateway.AdminAsync(HttpMethod.Post, $"/admin/v1/payments/{id}/refund", order, headers: key is null ? [] : [("Idempotency-Key", key)]);

    private static async Task<(int Code, string Output, string Err)> RunAsync(Func<TextWriter, TextWriter, Task<int>> command)
    {
        using var output = new StringWriter();
        using var err = new StringWriter();
        var code = await command(output, err);
        return (code, output.ToString(), err.ToString());
    }
}
