using System.Net;
using System.Text;
using Turnpike.Audit;
using Turnpike.Ledger;
using Turnpike.Tests.Catalog;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Payments;

/// <summary><c>charge-on</c>: what has to come about for the money to stay.</summary>
public sealed class ChargeOnTests
{
    [Theory]
    [InlineData("success", 404, "1.00 USD")]
    [InlineData("accepted", 200, "0.99 USD")]
    [InlineData("accepted", 404, "0.99 USD")]
    [InlineData("accepted", 500, "0.99 USD")]
    [InlineData("first-byte", 404, "1.00 USD")]
    [InlineData("complete", 404, "1.00 USD")]
    [InlineData("{ outcome: $.status, is: [done] }", 404, "1.00 USD")]
    public async Task Which_status_is_paid_for(string rule, int status, string left)
    {
        using var gate = Gate(rule);
        gate.Upstream.Says(() => Json("""{"status":"done"}""", (HttpStatusCode)status));
        (await CallAsync(gate)).ShouldBe((status, left));
    }

    [Theory]
    [InlineData("success", "1.00 USD")]
    [InlineData("accepted", "0.99 USD")]
    [InlineData("first-byte", "0.99 USD")]
    [InlineData("complete", "1.00 USD")]
    public async Task Whether_an_answer_that_breaks_off_is_paid_for(string rule, string left)
    {
        foreach (var settle in new[] { "after", "before" })
        {
            using var gate = Gate(rule, settle);
            gate.Upstream.Says(() => new HttpResponseMessage { Content = new Pieces("half"u8.ToArray(), null) });
            (await CallAsync(gate)).ShouldBe((200, left), settle);
        }
    }

    [Theory]
    [InlineData("success", "0.99 USD")]
    [InlineData("complete", "1.00 USD")]
    public async Task Whether_an_answer_whose_caller_left_is_paid_for(string rule, string left)
    {
        using var gate = Gate(rule);
        gate.Upstream.Says(() => new HttpResponseMessage { Content = new Pieces("first "u8.ToArray(), "second "u8.ToArray(), "third"u8.ToArray()) });
        var token = await gate.TokenAsync();
        await gate.SendAsync(new Ask("GET", "/forecast/paris", ("Authorization", token)) { Breaks = true });
        (await DeliveryTests.LeftAsync(gate, token)).ShouldBe(left);
        await gate.ShouldBalanceAsync();
    }

    [Theory]
    [InlineData("[done, partly]", """{"status":"done"}""", "0.99 USD")]
    [InlineData("[done, partly]", """{"status":"partly"}""", "0.99 USD")]
    [InlineData("[done]", """{"status":"Done"}""", "1.00 USD")]
    [InlineData("[done]", """{"status":"failed"}""", "1.00 USD")]
    [InlineData("[done]", """{"other":"done"}""", "1.00 USD")]
    [InlineData("[done]", """{"status":["done"]}""", "1.00 USD")]
    [InlineData("[done]", """{"status":"failed","status":"done"}""", "1.00 USD")]
    [InlineData("[\"true\"]", """{"status":true}""", "0.99 USD")]
    [InlineData("[\"0\"]", """{"status":0}""", "0.99 USD")]
    [InlineData("[done]", "", "1.00 USD")]
    public async Task An_answer_is_paid_for_if_it_says_that_it_went_well(string words, string body, string left)
    {
        foreach (var settle in new[] { "after", "before" })
        {
            using var gate = Gate($"{{ outcome: $.status, is: {words} }}", settle);
            gate.Upstream.Says(() => Json(body));
            (await CallAsync(gate, body)).ShouldBe((200, left), settle);
        }
    }

    /// <summary>Or whoever makes the upstream answer in another format would pay for nothing.</summary>
    [Theory]
    [InlineData("status: done")]
    [InlineData("{\"status\":\"done\"")]
    public async Task An_answer_that_does_not_tell_it_does_not_leave(string body)
    {
        using var gate = Gate("{ outcome: $.status, is: [done] }");
        gate.Upstream.Says(() => ScriptedUpstream.Text(body));
        (await CallAsync(gate)).ShouldBe((502, "1.00 USD"));
    }

    [Fact]
    public async Task It_is_told_in_the_terms_and_kept_in_the_trail()
    {
        using var gate = Gate("accepted");
        (await gate.GetAsync("/forecast/paris")).Json.GetProperty("price").GetProperty("chargeOn").GetString().ShouldBe("accepted");
        gate.Upstream.Says(() => Json("{}", HttpStatusCode.NotFound));
        var token = await gate.TokenAsync();
        (await gate.GetAsync("/forecast/paris", ("Authorization", token), ("Idempotency-Key", "k"))).Headers["Turnpike-Cost"].ToString().ShouldBe("0.01 USD");
        (await gate.Ledger.ListAsync(new HoldFilter(), default)).Single().Outcome.ShouldBe(HoldOutcome.Delivered);
        var told = (await gate.Of<IAuditTrail>().ReadAsync(new AuditFilter(Kind: AuditKinds.Delivered), default)).Single().Event;
        told.Detail.ShouldNotBeNull().ShouldStartWith("status=404, ");
        told.Detail.ShouldEndWith(", charge-on=accepted");
        using var usual = new TestGate();
        (await usual.GetAsync("/forecast/paris")).Json.GetProperty("price").TryGetProperty("chargeOn", out _).ShouldBeFalse();
    }

    [Fact]
    public async Task What_never_reached_the_upstream_is_not_paid_for()
    {
        using var gate = Gate("accepted");
        gate.Upstream.Answer = (_, _) => throw new HttpRequestException(HttpRequestError.ConnectionError);
        (await CallAsync(gate)).ShouldBe((503, "1.00 USD"));
    }

    [Theory]
    [InlineData("price: free, charge-on: accepted", "nothing is charged for what is free")]
    [InlineData("price: { ceiling: 1 USD, per-unit: { requests: 0.1 USD } }, accept: [prepaid], charge-on: complete", "a metered price is charged by what passed; charge-on belongs to one price for the whole answer")]
    [InlineData("price: 1 USD, charge-on: later", "'later' is not one of success, accepted, first-byte, complete")]
    [InlineData("price: 1 USD, charge-on: { outcome: $.a }", "'is' is missing")]
    [InlineData("price: 1 USD, charge-on: { outcome: status, is: [x] }", "a path begins with $")]
    public void What_does_not_fit_is_told(string keys, string message) =>
        Documents.Load($"payments: {{ prepaid: {{ secret: \"${{env:TURNPIKE_TOKEN_SECRET}}\" }} }}\nservices: {{ s: {{ upstream: \"http://x\", operations: {{ o: {{ match: GET /o, {keys} }} }} }} }}\n").Errors.ShouldHaveSingleItem().Message.ShouldContain(message);

    private static TestGate Gate(string rule, string settle = "after") =>
        new(document: TestGate.Document.Replace("description: Seven-day forecast, price: 0.01 USD", $"price: 0.01 USD, settle: {settle}, charge-on: {rule}", StringComparison.Ordinal));

    /// <summary>Status of a call by token, and what is left of a dollar.</summary>
    private static async Task<(int, string)> CallAsync(TestGate gate, string? body = null)
    {
        var token = await gate.TokenAsync();
        var told = await gate.GetAsync("/forecast/paris", ("Authorization", token));
        if (body is not null) told.Body.ShouldBe(body);
        await gate.ShouldBalanceAsync();
        return (told.Status, await DeliveryTests.LeftAsync(gate, token));
    }

    private static HttpResponseMessage Json(string body, HttpStatusCode status = HttpStatusCode.OK) => new(status) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
}
