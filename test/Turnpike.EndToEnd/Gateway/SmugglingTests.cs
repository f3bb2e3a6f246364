using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Gateway;

/// <summary>Headers and framing that try to reach past the gate.</summary>
public sealed class SmugglingTests(PaidApiFixture fixture) : IClassFixture<PaidApiFixture>
{
    private PaidApi Api => fixture.Api;

    private string Host => Api.Gateway.Url.Authority;

    [Fact]
    public async Task Spoofed_and_gateway_headers_do_not_reach_the_upstream()
    {
        string[] spoofed =
        [
            "X-Forwarded-For: 6.6.6.6", "Forwarded: for=6.6.6.6", "X-Real-IP: 6.6.6.6", "True-Client-IP: 6.6.6.6", "X-Original-URL: /reports", "X-Rewrite-URL: /reports",
            "X-HTTP-Method-Override: DELETE", "X-Middleware-Subrequest: 1", "Turnpike-Payer: me", "Turnpike-Amount: 9 USD", "X_Upstream_Key: mine", "x-upstream-key: mine",
            "Payment-Receipt: x", "Settlement-Overrides: {}", "Accept-Payment: */*",
        ];
        var token = await Api.TokenAsync("1.00 USD");
        var answer = await RawHttp.GetAsync(Api.Gateway.Url, "/forecast/oslo", $"Authorization: Bearer {token}\r\n" + string.Concat(spoofed.Select(h => h + "\r\n")));
        RawHttp.StatusOf(answer).ShouldBe(200, answer);
        var told = Api.Upstream.LastCall.Headers;
        told["X-Forwarded-For"].ShouldBe("127.0.0.1");
        told["x-upstream-key"].ShouldBe(Checkout.Variables()["UPSTREAM_KEY"]);
        told["Turnpike-Payer"].ShouldStartWith("token:");
        told["Turnpike-Amount"].ShouldBe("0.01 USD");
        foreach (var name in (string[])["Authorization", "Forwarded", "X-Real-IP", "True-Client-IP", "X-Original-URL", "X-Rewrite-URL", "X-HTTP-Method-Override", "X-Middleware-Subrequest", "X_Upstream_Key", "Payment-Receipt", "Settlement-Overrides", "Accept-Payment"])
            told.Keys.Contains(name, StringComparer.OrdinalIgnoreCase).ShouldBeFalse(name);
    }

    [Fact]
    public async Task A_length_beside_chunks_does_not_hide_a_second_request()
    {
        var hidden = $"GET /forecast/paris HTTP/1.1\r\nHost: {Host}\r\n\r\n";
        var before = Api.Upstream.Calls.Count;
        var answer = await RawHttp.SendAsync(Api.Gateway.Url, $"POST /reports HTTP/1.1\r\nHost: {Host}\r\nContent-Length: {hidden.Length + 5}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}");
        RawHttp.StatusOf(answer).ShouldBeOneOf(400, 402);
        Api.Upstream.Calls.Count.ShouldBe(before);
    }

    [Fact]
    public async Task A_broken_chunk_is_not_paid_for()
    {
        var token = await Api.TokenAsync("5.00 USD");
        var answer = await RawHttp.SendAsync(Api.Gateway.Url, $"POST /reports HTTP/1.1\r\nHost: {Host}\r\nAuthorization: Bearer {token}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nzz\r\nabc\r\n0\r\n\r\n");
        RawHttp.StatusOf(answer).ShouldBe(400, answer);
        (await Api.CallAsync("/balance", headers: ("Authorization", $"Bearer {token}"))).Json["available"]!["amount"]!.GetValue<string>().ShouldBe("5.00");
        await Api.BooksBalanceAsync();
    }

    [Theory]
    [InlineData("PAYMENT-SIGNATURE: e30=\r\nX-PAYMENT: e30=\r\n")]
    [InlineData("PAYMENT-SIGNATURE: e30=\r\nPAYMENT-SIGNATURE: e30=\r\n")]
    [InlineData("PAYMENT-SIGNATURE: e30=, e30=\r\n")]
    [InlineData("PAYMENT-SIGNATURE: e30=\r\nAuthorization: Payment e30\r\n")]
    [InlineData("Authorization: Payment e30\r\nPayment-Authorization: Payment e30\r\n")]
    [InlineData("Authorization: Payment e30, Payment e30\r\n")]
    [InlineData("Authorization: Bearer tp_a, Payment e30\r\n")]
    [InlineData("Authorization: Bearer tp_a\r\nPAYMENT-SIGNATURE: e30=\r\n")]
    [InlineData("Authorization: Bearer tp_a\r\nAuthorization: Bearer tp_b\r\n")]
    public async Task Two_payments_in_one_request_are_400(string headers)
    {
        var answer = await RawHttp.GetAsync(Api.Gateway.Url, "/forecast/paris", headers);
        RawHttp.StatusOf(answer).ShouldBe(400, answer);
    }

    [Theory]
    [InlineData("PAYMENT-SIGNATURE", "null")]
    [InlineData("PAYMENT-SIGNATURE", "%%%")]
    [InlineData("PAYMENT-SIGNATURE", "W10=")]
    [InlineData("PAYMENT-SIGNATURE", "e30=")]
    [InlineData("PAYMENT-SIGNATURE", "eyJ4NDAyVmVyc2lvbiI6OX0=")]
    [InlineData("X-PAYMENT", "eyJ4NDAyVmVyc2lvbiI6MSwicGF5bG9hZCI6e319")]
    [InlineData("Authorization", "Payment !!!")]
    [InlineData("Authorization", "Payment e30")]
    [InlineData("Payment-Authorization", "Payment bnVsbA")]
    [InlineData("Authorization", "Bearer tp_garbage")]
    public async Task Garbage_is_402_with_fresh_terms_and_never_500(string header, string value)
    {
        var answer = await Api.CallAsync("/forecast/paris", headers: (header, value));
        ((int)answer.Status).ShouldBe(402, answer.Body);
        answer.Header("PAYMENT-REQUIRED").ShouldNotBeNull();
        answer.Json["reason"]!.GetValue<string>().ShouldNotBe("payment-required");
    }

    [Fact]
    public async Task A_proof_of_sixty_kilobytes_is_refused_without_reading_it()
    {
        var answer = await RawHttp.GetAsync(Api.Gateway.Url, "/forecast/paris", $"PAYMENT-SIGNATURE: {new string('A', 40_000)}\r\n");
        RawHttp.StatusOf(answer).ShouldBeOneOf(402, 431);
        var drowned = await RawHttp.GetAsync(Api.Gateway.Url, "/forecast/paris", string.Concat(Enumerable.Range(0, 3).Select(i => $"x-{i}: {new string('A', 30_000)}\r\n")));
        RawHttp.StatusOf(drowned).ShouldBe(431);
    }
}
