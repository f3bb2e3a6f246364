using System.Net;
using System.Text.Json.Nodes;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Discovery;

/// <summary>What is sold, told before anybody calls it; and the 402 says the same.</summary>
public sealed class DiscoveryTests(PaidApiFixture fixture) : IClassFixture<PaidApiFixture>
{
    private PaidApi Api => fixture.Api;

    [Fact]
    public async Task The_document_satisfies_mppx()
    {
        var judged = await ClientScript.RunAsync("mpp/validate.mjs", new Uri(Api.Gateway.Url, "/openapi.json"));
        (judged.Status, judged.Body).ShouldBe((200, "[]"));
        judged.Headers["cache-control"].ShouldContain("max-age=300");
    }

    [Theory]
    [InlineData("/forecast/{city}", "get", "/forecast/rome", null)]
    [InlineData("/reports", "post", "/reports", "{}")]
    public async Task What_is_told_is_what_the_402_says(string path, string method, string target, string? body)
    {
        var told = (await Api.CallAsync("/openapi.json")).Json["paths"]![path]![method]!;
        var asked = (await Api.CallAsync(target, method.ToUpperInvariant(), body)).Json;
        told["operationId"]!.GetValue<string>().ShouldBe(asked["resource"]!["operation"]!.GetValue<string>());
        told["x-payment-info"]!["price"]!["amount"]!.GetValue<string>().ShouldBe(asked["price"]!["amount"]!.GetValue<string>());
        var methods = told["x-payment-info"]!["protocols"]!.AsArray().SelectMany(p => p!.AsObject().Single().Value!["methods"]!.AsArray().Select(m => m!.GetValue<string>()));
        methods.ShouldBe(asked["offers"]!.AsArray().Select(o => o!["method"]!.GetValue<string>()), ignoreOrder: true);
        told["x-payment-info"]!["offers"]!.AsArray().Select(o => (o!["method"]!.GetValue<string>(), o["amount"]!.GetValue<string>(), o["currency"]!.GetValue<string>()))
            .ShouldBe(asked["offers"]!.AsArray().Where(o => o!["protocol"]!.GetValue<string>() == "mpp").Select(o => (o!["method"]!.GetValue<string>()[4..], o["amount"]!.GetValue<string>(), o["currency"]!.GetValue<string>())), ignoreOrder: true);
        told["responses"]!["402"].ShouldNotBeNull();
    }

    [Fact]
    public async Task A_free_operation_is_told_without_a_price()
    {
        var free = (await Api.CallAsync("/openapi.json")).Json["paths"]!["/status"]!["get"]!;
        free["x-payment-info"].ShouldBeNull();
        free["responses"]!["402"].ShouldBeNull();
    }

    [Fact]
    public async Task The_other_documents_tell_readers_and_directories_the_same()
    {
        var text = await Api.CallAsync("/llms.txt");
        (text.Status, text.Header("Content-Type")).ShouldBe((HttpStatusCode.OK, "text/plain; charset=utf-8"));
        text.Body.ShouldContain("`GET /forecast/{city}` (forecast): Seven-day forecast for one city. 0.01 USD per call.");
        text.Body.ShouldContain("(status): free.");
        var listed = (await Api.CallAsync("/.well-known/x402")).Json;
        listed["version"]!.GetValue<int>().ShouldBe(1);
        listed["resources"]!.AsArray().Select(r => r!.GetValue<string>()).ShouldBe([$"GET {Api.Gateway.Url.GetLeftPart(UriPartial.Authority)}/forecast/{{city}}", $"POST {Api.Gateway.Url.GetLeftPart(UriPartial.Authority)}/reports"]);
    }

    [Fact]
    public async Task Nothing_secret_is_told()
    {
        foreach (var path in (string[])["/openapi.json", "/llms.txt", "/.well-known/x402"])
        {
            var body = (await Api.CallAsync(path)).Body;
            foreach (var secret in Checkout.Variables().Values.Where(v => v.Length > 12)) body.Contains(secret, StringComparison.Ordinal).ShouldBeFalse(path);
        }
    }
}
