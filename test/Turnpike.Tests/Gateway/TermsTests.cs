using System.Text;
using Turnpike.Protocols.X402;

namespace Turnpike.Tests.Gateway;

/// <summary>The 402 as agents read it (docs/contract.md).</summary>
public sealed class TermsTests : IDisposable
{
    private readonly TestGate gate = new();

    public void Dispose() => gate.Dispose();

    [Fact]
    public async Task A_402_says_everything_an_agent_needs()
    {
        var told = await gate.GetAsync("/forecast/paris?days=7");
        (told.Status, told.Http.Response.ContentType, told.Headers.CacheControl.ToString()).ShouldBe((402, "application/problem+json", "no-store"));
        var body = told.Json;
        body.GetProperty("type").GetString().ShouldBe("https://paymentauth.org/problems/payment-required");
        foreach (var name in (string[])["title", "detail", "hint", "correlation", "challengeId"]) body.GetProperty(name).GetString().ShouldNotBeNullOrEmpty(name);
        (body.GetProperty("status").GetInt32(), body.GetProperty("reason").GetString()).ShouldBe((402, "payment-required"));
        body.GetProperty("resource").GetRawText().ShouldBe("""{"operation":"forecast","url":"http://127.0.0.1:8402/forecast/paris?days=7","description":"Seven-day forecast"}""");
        body.GetProperty("price").GetRawText().ShouldBe("""{"amount":"0.01","currency":"USD","unit":"call"}""");
        body.GetProperty("validUntil").GetString().ShouldBe("2026-11-21T12:05:00Z");
        body.GetProperty("offers").EnumerateArray().Select(o => o.GetProperty("method").GetString()).ShouldBe(["x402.exact", "mpp.evm", "prepaid"], ignoreOrder: true);
        foreach (var offer in body.GetProperty("offers").EnumerateArray())
            foreach (var name in (string[])["protocol", "method", "network", "amount", "currency", "recipient", "send"]) offer.TryGetProperty(name, out _).ShouldBeTrue(name);
        (body.GetProperty("x402Version").GetInt32(), body.GetProperty("accepts").GetArrayLength()).ShouldBe((1, 1));
        body.GetProperty("accepts")[0].GetProperty("network").GetString().ShouldBe("base-sepolia");
        told.Headers["Turnpike-Correlation"].ToString().ShouldBe(body.GetProperty("correlation").GetString());
    }

    [Fact]
    public async Task Every_protocol_says_its_terms_prepaid_last()
    {
        var told = await gate.GetAsync("/forecast/paris");
        X402Header.DecodeTerms(told.Headers["PAYMENT-REQUIRED"].ToString()).ShouldNotBeNull().Resource!.Url.ShouldBe("http://127.0.0.1:8402/forecast/paris");
        var challenges = told.Headers.WWWAuthenticate;
        challenges.Count.ShouldBe(2);
        challenges[0]!.ShouldStartWith("Payment ");
        challenges[1].ShouldBe("Bearer realm=\"127.0.0.1\"");
        gate.Upstream.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_host_a_caller_claims_is_not_believed()
    {
        var told = await gate.GetAsync("/forecast/paris", ("Host", "evil.example"), ("X-Forwarded-Host", "evil.example"));
        told.Body.ShouldNotContain("evil");
        Encoding.UTF8.GetString(Convert.FromBase64String(told.Headers["PAYMENT-REQUIRED"].ToString())).ShouldNotContain("evil");
    }

    [Fact]
    public async Task Long_descriptions_do_not_grow_the_headers_beyond_what_clients_read()
    {
        using var wordy = new TestGate(document: TestGate.Document.Replace("Seven-day forecast", new string('w', 6000), StringComparison.Ordinal));
        var told = await wordy.GetAsync("/forecast/" + new string('p', 500));
        told.Status.ShouldBe(402);
        told.Headers.Sum(h => h.Value.Sum(v => h.Key.Length + 4 + v!.Length)).ShouldBeLessThan(16 * 1024);
    }

    [Fact]
    public async Task A_browser_gets_a_page_without_scripts_and_the_same_headers()
    {
        var told = await gate.GetAsync("/forecast/%3Cscript%3E", ("User-Agent", "Mozilla/5.0"), ("Accept", "text/html,application/xhtml+xml,*/*;q=0.8"));
        (told.Status, told.Http.Response.ContentType, told.Headers.CacheControl.ToString()).ShouldBe((402, "text/html; charset=utf-8", "no-store"));
        told.Body.ShouldContain("0.01 USD");
        told.Body.ShouldNotContain("<script", Case.Insensitive);
        told.Headers.ContentSecurityPolicy.ToString().ShouldStartWith("default-src 'none'");
        told.Headers.ContainsKey("PAYMENT-REQUIRED").ShouldBeTrue();
    }

    [Fact]
    public async Task HEAD_costs_what_GET_costs_and_its_terms_serve_either()
    {
        var terms = await gate.SendAsync(new Ask("HEAD", "/forecast/paris"));
        (terms.Status, terms.Body).ShouldBe((402, ""));
        var proof = gate.Pay(terms);
        (await gate.GetAsync("/forecast/paris", ("PAYMENT-SIGNATURE", proof))).Status.ShouldBe(200);
        (await gate.SendAsync(new Ask("HEAD", "/forecast/paris", ("Authorization", await gate.TokenAsync())))).Headers["Turnpike-Cost"].ToString().ShouldBe("0.01 USD");
    }

    [Theory]
    [InlineData("0.01 USD", 402, "payment-required")]
    [InlineData("0.01", 402, "payment-required")]
    [InlineData("0.009 USD", 402, "price-above-maximum")]
    [InlineData("0.05 EUR", 400, "malformed-request")]
    [InlineData("cheap", 400, "malformed-request")]
    [InlineData("1 USD\n2 USD", 400, "malformed-request")]
    public async Task A_callers_own_maximum_is_kept(string most, int status, string reason)
    {
        var told = await gate.GetAsync("/forecast/paris", ("Turnpike-Max-Price", most));
        (told.Status, told.Reason).ShouldBe((status, reason));
    }

    [Fact]
    public async Task A_maximum_below_the_price_keeps_a_token_from_being_spent()
    {
        var told = await gate.GetAsync("/forecast/paris", ("Authorization", await gate.TokenAsync()), ("Turnpike-Max-Price", "0.001 USD"));
        (told.Status, told.Json.GetProperty("price").GetProperty("amount").GetString()).ShouldBe((402, "0.01"));
        gate.Upstream.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_correlation_of_the_402_goes_through_to_the_paid_answer_and_the_upstream()
    {
        var terms = await gate.GetAsync("/forecast/paris");
        var paid = await gate.GetAsync("/forecast/paris", ("PAYMENT-SIGNATURE", gate.Pay(terms)));
        paid.Headers["Turnpike-Correlation"].ShouldBe(terms.Headers["Turnpike-Correlation"]);
        gate.Upstream.Requests.Single().Headers["Turnpike-Correlation"].ShouldBe(terms.Headers["Turnpike-Correlation"].ToString());
    }
}
