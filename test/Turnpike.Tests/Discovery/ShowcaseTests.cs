using System.Text;
using System.Text.Json;
using Turnpike.Catalog.Loading;
using Turnpike.Discovery;
using Turnpike.Payments;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Discovery;

/// <summary>What is told of operations of every kind.</summary>
public sealed class ShowcaseTests
{
    private const string Document = """
        payments:
          prepaid: { secret: "${env:TURNPIKE_TOKEN_SECRET}" }
        services:
          weather:
            upstream: ${env:UPSTREAM}
            prefix: /v1
            operations:
              forecast: { match: "GET /forecast/{city}", price: 0.01 USD }
              files: { match: "GET /files/{**rest}", price: free }
              rows: { match: GET /rows, price: { per-record: 0.002 USD, count: "$.items[*]", ceiling: 0.20 USD } }
              export:
                match: POST /export
                price: 0.50 USD
                identity: required
                schema: { body: { type: object, required: [format], properties: { format: { enum: [csv] } } } }
          other:
            upstream: ${env:UPSTREAM}
            host: other.example
            operations:
              secret-shop: { match: GET /shop, price: 1 USD }
          search:
            upstream: ${env:UPSTREAM}
            wrap: true
            price: 0.02 USD
        """;

    [Fact]
    public void Paths_prices_and_bodies_are_those_of_the_configuration()
    {
        using var gate = new TestGate(document: Document);
        var paths = Read(gate, "").GetProperty("paths");
        var forecast = paths.GetProperty("/v1/forecast/{city}");
        forecast.GetProperty("parameters")[0].GetProperty("name").GetString().ShouldBe("city");
        forecast.GetProperty("get").GetProperty("x-payment-info").GetProperty("price").GetProperty("amount").GetString().ShouldBe("0.01");
        forecast.GetProperty("get").GetProperty("x-payment-info").TryGetProperty("offers", out _).ShouldBeFalse("prepaid is no method of the scheme Payment");
        paths.GetProperty("/v1/files/{rest}").GetProperty("get").TryGetProperty("x-payment-info", out _).ShouldBeFalse();
        var export = paths.GetProperty("/v1/export").GetProperty("post");
        export.GetProperty("security")[0].TryGetProperty("key", out _).ShouldBeTrue();
        export.GetProperty("requestBody").GetProperty("content").GetProperty("application/json").GetProperty("schema").GetProperty("required")[0].GetString().ShouldBe("format");
    }

    [Fact]
    public void A_metered_price_is_told_with_its_most_and_in_words()
    {
        using var gate = new TestGate(document: Document);
        var price = Read(gate, "").GetProperty("paths").GetProperty("/v1/rows").GetProperty("get").GetProperty("x-payment-info").GetProperty("price");
        (price.GetProperty("mode").GetString(), price.GetProperty("max").GetString(), price.TryGetProperty("amount", out _)).ShouldBe(("dynamic", "0.20", false));
        price.GetProperty("description").GetString().ShouldBe("by use, records 0.002 USD for each; at most 0.20 USD per call");
    }

    [Fact]
    public void What_is_sold_whole_is_told_for_every_method()
    {
        using var gate = new TestGate(document: Document);
        var whole = Read(gate, "").GetProperty("paths").GetProperty("/g/search/{rest}");
        whole.EnumerateObject().Select(m => m.Name).ShouldBe(["parameters", "delete", "get", "patch", "post", "put"]);
        whole.EnumerateObject().Skip(1).Select(m => m.Value.GetProperty("operationId").GetString()).Distinct().Count().ShouldBe(5);
    }

    [Fact]
    public void A_host_is_told_its_own_operations_and_those_of_any_host_and_unknown_hosts_are_one()
    {
        using var gate = new TestGate(document: Document);
        Read(gate, "other.example").GetProperty("paths").TryGetProperty("/shop", out _).ShouldBeTrue();
        Read(gate, "").GetProperty("paths").TryGetProperty("/shop", out _).ShouldBeFalse();
        var showcase = Of(gate);
        showcase.Of("a.example").ShouldBeSameAs(showcase.Of("b.example"));
    }

    [Fact]
    public void A_new_configuration_is_told_at_once()
    {
        using var gate = new TestGate(document: Document);
        var showcase = Of(gate);
        showcase.Of("");
        gate.Edit("0.01 USD", "0.03 USD");
        Encoding.UTF8.GetString(showcase.Of("").Llms).ShouldContain("0.03 USD per call");
    }

    private static Showcase Of(TestGate gate) => new(gate.Of<CatalogSource>(), gate.Of<PaymentRegistry>(), gate.Time);

    private static JsonElement Read(TestGate gate, string host) => JsonDocument.Parse(Of(gate).Of(host).OpenApi).RootElement;
}
