using System.Globalization;
using System.Net;
using System.Text;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Payments;

/// <summary>The 402 that everybody meets first, and the calls that cost nothing.</summary>
public sealed class TermsTests(PaidApiFixture fixture) : IClassFixture<PaidApiFixture>
{
    private PaidApi Api => fixture.Api;

    [Fact]
    public async Task An_unpaid_call_is_told_the_price_in_every_language()
    {
        var answer = await Api.CallAsync("/forecast/paris");
        answer.Status.ShouldBe(HttpStatusCode.PaymentRequired);
        answer.Header("Content-Type").ShouldNotBeNull().ShouldStartWith("application/problem+json");
        answer.Header("Cache-Control").ShouldBe("no-store");
        answer.Header("Turnpike-Correlation").ShouldNotBeNullOrEmpty();
        var problem = answer.Json;
        problem["status"]!.GetValue<int>().ShouldBe(402);
        problem["reason"]!.GetValue<string>().ShouldBe("payment-required");
        problem["type"]!.GetValue<string>().ShouldBe("https://paymentauth.org/problems/payment-required");
        problem["hint"]!.GetValue<string>().ShouldNotBeNullOrEmpty();
        problem["correlation"]!.GetValue<string>().ShouldBe(answer.Header("Turnpike-Correlation"));
        problem["resource"]!["operation"]!.GetValue<string>().ShouldBe("forecast");
        problem["resource"]!["url"]!.GetValue<string>().ShouldBe(new Uri(Api.Gateway.Url, "/forecast/paris").ToString());
        decimal.Parse(problem["price"]!["amount"]!.GetValue<string>(), CultureInfo.InvariantCulture).ShouldBe(0.01m);
        problem["price"]!["currency"]!.GetValue<string>().ShouldBe("USD");
        Api.Upstream.Calls.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_offers_name_method_amount_recipient_and_header()
    {
        var offers = (await Api.CallAsync("/reports", "POST", "{}")).Json["offers"]!.AsArray();
        offers.Select(o => o!["method"]!.GetValue<string>()).ShouldBe(["x402.exact", "mpp.evm", "mpp.stripe", "prepaid"], ignoreOrder: true);
        foreach (var offer in offers)
        {
            offer!["protocol"]!.GetValue<string>().ShouldBeOneOf("x402", "mpp", "prepaid");
            offer["send"].ShouldNotBeNull();
        }
    }

    [Fact]
    public async Task Stripe_is_not_offered_below_its_minimum()
    {
        var answer = await Api.CallAsync("/forecast/rome");
        answer.Headers["WWW-Authenticate"].ShouldNotContain(c => c.Contains("method=\"stripe\"", StringComparison.Ordinal));
        (await Api.CallAsync("/reports", "POST", "{}")).Headers["WWW-Authenticate"].ShouldContain(c => c.Contains("method=\"stripe\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Challenges_stand_in_the_promised_order_with_bearer_last_and_fit_in_16_kilobytes()
    {
        var answer = await Api.CallAsync("/forecast/rome");
        var challenges = answer.Headers["WWW-Authenticate"].ToList();
        challenges[^1].ShouldStartWith("Bearer");
        challenges[..^1].ShouldAllBe(c => c.StartsWith("Payment ", StringComparison.Ordinal));
        answer.Headers.Sum(h => h.Sum(v => Encoding.UTF8.GetByteCount(h.Key) + Encoding.UTF8.GetByteCount(v) + 4)).ShouldBeLessThan(16 * 1024);
    }

    [Fact]
    public async Task The_v1_terms_in_the_body_hold_nothing_but_exact_entries_with_v1_names()
    {
        var problem = (await Api.CallAsync("/forecast/rome")).Json;
        problem["x402Version"]!.GetValue<int>().ShouldBe(1);
        foreach (var entry in problem["accepts"]!.AsArray())
        {
            entry!["scheme"]!.GetValue<string>().ShouldBe("exact");
            entry["network"]!.GetValue<string>().ShouldBe("base-sepolia");
            entry["maxAmountRequired"]!.GetValue<string>().ShouldBe("10000");
            entry["payTo"]!.GetValue<string>().ShouldBe(Api.Parties.Merchant.Address, StringCompareShould.IgnoreCase);
        }
    }

    [Fact]
    public async Task A_free_operation_is_free_and_an_unknown_path_is_not_found()
    {
        (await Api.CallAsync("/status")).Status.ShouldBe(HttpStatusCode.OK);
        (await Api.CallAsync("/elsewhere")).Status.ShouldBe(HttpStatusCode.NotFound);
        (await Api.CallAsync("/forecast")).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task HEAD_costs_what_GET_costs_and_other_methods_are_not_sold()
    {
        (await Api.CallAsync("/forecast/paris", "HEAD")).Status.ShouldBe(HttpStatusCode.PaymentRequired);
        (await Api.CallAsync("/forecast/paris", "DELETE")).Status.ShouldBeOneOf(HttpStatusCode.NotFound, HttpStatusCode.MethodNotAllowed);
        (await Api.CallAsync("/forecast/paris", "get")).Status.ShouldNotBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Two_payments_in_one_request_are_refused()
    {
        var answer = await Api.CallAsync("/forecast/paris", headers: [("PAYMENT-SIGNATURE", "e30="), ("Authorization", "Bearer tp_x")]);
        answer.Status.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task A_preflight_is_answered_by_the_gate()
    {
        var before = Api.Upstream.Calls.Count;
        var answer = await Api.CallAsync("/forecast/paris", "OPTIONS", headers: [("Origin", "https://agent.example"), ("Access-Control-Request-Method", "GET"), ("Access-Control-Request-Headers", "payment-signature")]);
        answer.Status.ShouldBe(HttpStatusCode.NoContent);
        answer.Header("Access-Control-Allow-Headers").ShouldNotBeNull().ToUpperInvariant().ShouldContain("PAYMENT-SIGNATURE");
        Api.Upstream.Calls.Count.ShouldBe(before);
    }
}
