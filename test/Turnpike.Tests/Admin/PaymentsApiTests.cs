using System.Net;
using System.Text.Json;
using Turnpike.Admin;

namespace Turnpike.Tests.Admin;

/// <summary>A support engineer's questions: what was paid, by whom, for what, and what happened on the way.</summary>
public sealed class PaymentsApiTests
{
    [Fact]
    public async Task One_page_tells_a_payment_from_its_verification_to_its_delivery()
    {
        await using var gateway = await RunningGateway.StartAsync();
        var token = await gateway.TokenAsync();
        using var answer = await gateway.CallAsync("/paid", token, ("Idempotency-Key", "a/b:c"));
        var (receipt, correlation) = (answer.Headers.GetValues("Turnpike-Receipt").Single().Split('/')[^1], answer.Headers.GetValues("Turnpike-Correlation").Single());

        var byReceipt = (await gateway.GetAsync($"/admin/v1/payments/{receipt}")).Body;
        var story = RunningGateway.Json(byReceipt);
        story.GetProperty("payment").GetProperty("status").GetString().ShouldBe("settled");
        story.GetProperty("payment").GetProperty("outcome").GetString().ShouldBe("delivered");
        story.GetProperty("payment").GetProperty("captured").ToString().ShouldBe("""{"amount":"0.01","currency":"USD"}""");
        story.GetProperty("payment").GetProperty("request").GetString().ShouldBe("GET /paid");
        story.GetProperty("events").EnumerateArray().Select(e => e.GetProperty("kind").GetString()).ShouldBe(["payment.verified", "payment.held", "payment.settled", "call.delivered"]);
        story.GetProperty("events").EnumerateArray().ShouldAllBe(e => e.GetProperty("correlation").GetString() == correlation);

        var hold = story.GetProperty("payment").GetProperty("id").GetString()!;
        hold.ShouldEndWith(":a/b:c");
        (await gateway.GetAsync("/admin/v1/payments/" + Uri.EscapeDataString(hold))).Body.ShouldBe(byReceipt);
    }

    [Fact]
    public async Task A_payment_that_was_given_back_waits_for_no_answer()
    {
        await using var gateway = await RunningGateway.StartAsync();
        gateway.Fails = true;
        using var answer = await gateway.CallAsync("/paid", await gateway.TokenAsync());
        answer.StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
        JsonElement payments;
        // The answer reaches the caller before the books know that nothing was delivered.
        for (var tries = 0; (payments = RunningGateway.Json((await gateway.GetAsync("/admin/v1/payments?status=released")).Body).GetProperty("payments")).GetArrayLength() == 0; tries++)
        {
            tries.ShouldBeLessThan(1500, "it was never given back");
            await Task.Delay(20);
        }
        (payments[0].GetProperty("outcome").GetString(), payments[0].GetProperty("note").GetString()).ShouldBe(("none", "undelivered"));
    }

    [Fact]
    public async Task Payments_are_listed_newest_first_page_by_page_and_by_filter()
    {
        await using var gateway = await RunningGateway.StartAsync();
        var (one, other) = (await gateway.TokenAsync(), await gateway.TokenAsync());
        foreach (var token in new[] { one, one, other }) (await gateway.CallAsync("/paid", token)).Dispose();
        async Task<JsonElement> List(string query) => RunningGateway.Json((await gateway.GetAsync("/admin/v1/payments" + query)).Body);

        var first = await List("?limit=2");
        first.GetProperty("payments").GetArrayLength().ShouldBe(2);
        first.GetProperty("payments")[0].GetProperty("payer").GetString().ShouldBe("token:" + other.Split('_')[1]);
        var rest = await List("?limit=2&before=" + first.GetProperty("next").GetString());
        rest.GetProperty("payments").GetArrayLength().ShouldBe(1);
        rest.GetProperty("next").ValueKind.ShouldBe(JsonValueKind.Null);
        (await List($"?payer=token:{one.Split('_')[1]}&status=settled")).GetProperty("payments").GetArrayLength().ShouldBe(2);
        (await List("?status=released")).GetProperty("payments").GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task A_receipt_reads_as_its_schema_says_and_as_its_holder_sees_it()
    {
        await using var gateway = await RunningGateway.StartAsync();
        using var answer = await gateway.CallAsync("/paid", await gateway.TokenAsync());
        var url = answer.Headers.GetValues("Turnpike-Receipt").Single();
        var (status, body) = await gateway.GetAsync("/admin/v1/receipts/" + url.Split('/')[^1]);
        for (var wait = 0; wait < 1_500 && !body.Contains("delivered", StringComparison.Ordinal); wait++)
        {
            await Task.Delay(20);
            (status, body) = await gateway.GetAsync("/admin/v1/receipts/" + url.Split('/')[^1]);
        }
        status.ShouldBe(HttpStatusCode.OK);
        // Every signature is another, of the same text.
        static string Unsigned(string receipt) => receipt[..receipt.IndexOf("\"signed\"", StringComparison.Ordinal)];
        Unsigned(body).ShouldBe(Unsigned(await gateway.Http.GetStringAsync(new Uri(url))));
        JsonSerializer.Deserialize(body, AdminJson.Default.ReceiptView)!.Amount.ShouldBe(new MoneyView("0.01", "USD"));
    }

    [Fact]
    public async Task The_books_balance_and_the_trail_is_intact_after_calls()
    {
        await using var gateway = await RunningGateway.StartAsync();
        (await gateway.CallAsync("/paid", await gateway.TokenAsync("0.015 USD"))).Dispose();
        var books = RunningGateway.Json((await gateway.GetAsync("/admin/v1/ledger")).Body);
        books.GetProperty("totals").ToString().ShouldBe("""[{"role":"external","amount":"-0.015","currency":"USD"},{"role":"revenue","amount":"0.01","currency":"USD"},{"role":"token","amount":"0.005","currency":"USD"}]""");
        books.GetProperty("findings").GetArrayLength().ShouldBe(0);
        // The delivery is said when the answer has left: within 100 ms of it, the trail has it.
        var trail = RunningGateway.Json((await gateway.GetAsync("/admin/v1/audit/verify")).Body);
        for (var wait = 0; wait < 1_500 && trail.GetProperty("events").GetInt64() < 5; wait++)
        {
            await Task.Delay(20);
            trail = RunningGateway.Json((await gateway.GetAsync("/admin/v1/audit/verify")).Body);
        }
        trail.GetProperty("intact").GetBoolean().ShouldBeTrue();
        trail.GetProperty("events").GetInt64().ShouldBe(5);
    }
}
