using System.Net;
using System.Text.Json.Nodes;
using Turnpike.EndToEnd.Crashes;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Payments;

/// <summary>What a receipt says, field by field, on each rail: verified by jose with the keys the gateway publishes.</summary>
public sealed class SignedReceiptTests(Chain chain) : IAsyncLifetime
{
    private PaidApi? api;

    private PaidApi Api => api!;

    public async ValueTask InitializeAsync() => api = await PaidApi.StartAsync(chain, Purchase.Selling);

    public ValueTask DisposeAsync() => api?.DisposeAsync() ?? ValueTask.CompletedTask;

    [Theory]
    [InlineData("prepaid", "forecast", "GET /forecast/paris", "0.01", "^token:[0-9a-z]{26}$", "^r_", null, """{"calls":1}""", "0.99")]
    [InlineData("x402", "forecast", "GET /forecast/paris", "0.01", "^eip155:84532:0x[0-9a-f]{40}$", "^0x[0-9a-f]{64}$", "10000", """{"calls":1}""", null)]
    [InlineData("mpp-evm", "forecast", "GET /forecast/paris", "0.01", "^eip155:84532:0x[0-9a-f]{40}$", "^0x[0-9a-f]{64}$", "10000", """{"calls":1}""", null)]
    [InlineData("stripe", "report", "POST /reports", "1.00", "^stripe:[0-9a-f]{20}$", "^pi_", "100", """{"calls":1}""", null)]
    [InlineData("metered", "pages", "POST /pages", "0.03", "^token:[0-9a-z]{26}$", "^r_", null, """{"pages":3}""", "0.97")]
    public async Task Every_field_of_a_signed_receipt_is_what_was_bought(string rail, string operation, string request, string amount, string payer, string reference, string? railAmount, string usage, string? remaining)
    {
        if (rail is "x402" or "mpp-evm") chain.Require();
        var began = TimeProvider.System.GetUtcNow();
        var purchase = await Purchase.OnAsync(Api, rail, await Api.TokenAsync("1.00 USD"), 1);
        var answer = (await purchase.PresentAsync()).ShouldNotBeNull();
        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Body);
        var (id, _) = await Api.DeliveredAsync();
        answer.Header("Turnpike-Receipt").ShouldBe(new Uri(Api.Gateway.Url, "/receipts/" + id).ToString());

        var verified = await ClientScript.RunAsync("identity/receipt.mjs", new Uri(answer.Header("Turnpike-Receipt")!));
        verified.Error.ShouldBeNull();
        var header = verified.Json["header"]!;
        (Text(header, "alg"), Text(header, "typ")).ShouldBe(("ES256", "turnpike-receipt+jwt"));
        var published = (await Api.CallAsync("/.well-known/jwks.json")).Json["keys"]!.AsArray();
        published.ShouldContain(key => Text(key!, "kid") == Text(header, "kid"));
        published.ShouldAllBe(key => key!["d"] == null);

        var receipt = verified.Json["receipt"]!;
        Text(receipt, "iss").ShouldBe(Api.Gateway.Url.GetLeftPart(UriPartial.Authority));
        (Text(receipt, "id"), Text(receipt, "status"), Text(receipt, "operation"), Text(receipt, "request")).ShouldBe((id, "delivered", operation, request));
        receipt["amount"]!.ToJsonString().ShouldBe($$"""{"amount":"{{amount}}","currency":"USD"}""");
        Text(receipt, "payer")!.ShouldMatch(payer);
        Text(receipt, "method").ShouldBe(rail switch { "x402" => "x402.exact", "mpp-evm" => "mpp.evm", "stripe" => "mpp.stripe", _ => "prepaid" });
        Text(receipt, "reference")!.ShouldMatch(reference);
        Text(receipt, "railAmount").ShouldBe(railAmount);
        Text(receipt, "priceVersion").ShouldBe((await Api.AdminAsync("GET", "/admin/v1/config")).Json["version"]!.GetValue<string>());
        Text(receipt, "correlation").ShouldBe(answer.Header("Turnpike-Correlation"));
        receipt["time"]!.GetValue<DateTimeOffset>().ShouldBeInRange(began.AddSeconds(-2), TimeProvider.System.GetUtcNow().AddSeconds(2));
        var said = receipt["usage"]!.AsObject();
        foreach (var (unit, count) in JsonNode.Parse(usage)!.AsObject()) said[unit]!.ToJsonString().ShouldBe(count!.ToJsonString());
        receipt["remaining"]?.ToJsonString().ShouldBe(remaining is null ? null : $$"""{"amount":"{{remaining}}","currency":"USD"}""");
    }

    private static string? Text(JsonNode node, string name) => node[name]?.GetValue<string>();
}
