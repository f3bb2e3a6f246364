using System.Net;
using Turnpike.Client;

namespace Turnpike.Tests.Client;

/// <summary>An agent's payments: what it pays, what it refuses to pay, and what it never pays twice.</summary>
public sealed class PayingHandlerTests
{
    private const string Url = "http://127.0.0.1/forecast/berlin";
    private static readonly IWallet Key = new EvmWallet("0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d", FakeSeller.Dollar);
    private static readonly IWallet Token = new TokenWallet(FakeSeller.Token, new Uri("http://127.0.0.1/"));

    [Theory]
    [InlineData("x402", "0xx402")]
    [InlineData("mpp", "0xmpp")]
    [InlineData("prepaid", "r1")]
    public async Task A_402_is_paid_by_each_protocol_and_the_receipt_is_told(string protocol, string reference)
    {
        var seller = new FakeSeller { Offers = protocol };
        var budget = new Budget("1.00 USD");
        using var response = await SendAsync(seller, Options(budget, Key, Token));
        response.StatusCode.ShouldBe(HttpStatusCode.OK, await response.Content.ReadAsStringAsync());
        var payment = response.GetPayment().ShouldNotBeNull();
        (payment.Protocol, payment.Reference, payment.Amount, payment.Receipt).ShouldBe((protocol, reference, Amount.Parse("0.01 USD"), new Uri("http://127.0.0.1/receipts/r1")));
        payment.Remaining.ShouldBe(protocol == "prepaid" ? Amount.Parse("0.04 USD") : null);
        budget.Spent.ToString().ShouldBe("0.01 USD");
        seller.Requests.Count.ShouldBe(2);
    }

    [Fact]
    public async Task The_preferred_protocol_is_used_and_one_that_is_not_listed_never_is()
    {
        using var first = await SendAsync(new FakeSeller(), Options(new Budget("1.00 USD"), Key, Token) with { Prefer = ["mpp", "x402"] });
        first.GetPayment()!.Protocol.ShouldBe("mpp");
        using var none = await SendAsync(new FakeSeller { Offers = "x402" }, Options(new Budget("1.00 USD"), Key) with { Prefer = ["mpp"] });
        none.StatusCode.ShouldBe(HttpStatusCode.PaymentRequired);
        none.WhyUnpaid().ShouldBe("No wallet can pay what is offered.");
    }

    [Fact]
    public async Task A_hundred_calls_at_once_never_pass_the_budget()
    {
        var seller = new FakeSeller();
        var budget = new Budget("0.37 USD");
        using var client = new HttpMessageInvoker(new PayingHandler(Options(budget, Key), seller));
        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => client.SendAsync(new HttpRequestMessage(HttpMethod.Get, Url), default)));
        answers.Count(a => a.StatusCode == HttpStatusCode.OK).ShouldBe(37);
        answers.Where(a => a.StatusCode != HttpStatusCode.OK).ShouldAllBe(a => a.WhyUnpaid()!.Contains("budget", StringComparison.Ordinal));
        seller.Paid.Count().ShouldBe(37);
        budget.Left.Nano.ShouldBe(0);
    }

    [Fact]
    public async Task A_call_above_the_maximum_is_not_paid_and_its_402_stays_readable()
    {
        var budget = new Budget("5.00 USD");
        using var response = await SendAsync(new FakeSeller { Price = 2_000_000 }, Options(budget, Key, Token) with { MaxPerCall = Amount.Parse("1.99 USD") });
        response.StatusCode.ShouldBe(HttpStatusCode.PaymentRequired);
        response.WhyUnpaid()!.ShouldContain("2.00 USD is more than the 1.99 USD");
        (await response.Content.ReadAsStringAsync()).ShouldContain("payment-required");
        budget.Spent.Nano.ShouldBe(0);
    }

    [Fact]
    public async Task The_callers_own_maximum_is_kept()
    {
        using var response = await SendAsync(new FakeSeller(), Options(new Budget("5.00 USD"), Token), ("Turnpike-Max-Price", "0.009 USD"));
        response.WhyUnpaid()!.ShouldContain("0.009 USD");
    }

    [Fact]
    public async Task A_body_is_sent_again_to_the_letter()
    {
        var seller = new FakeSeller();
        using var client = new HttpMessageInvoker(new PayingHandler(Options(new Budget("1.00 USD"), Key), seller));
        using var response = await client.SendAsync(new HttpRequestMessage(HttpMethod.Post, Url) { Content = new StreamContent(new MemoryStream("""{"of":"berlin"}"""u8.ToArray())) }, default);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        seller.Requests.Select(r => r.Body).ShouldBe(["""{"of":"berlin"}""", """{"of":"berlin"}"""]);
    }

    [Fact]
    public async Task A_lost_answer_is_told_and_the_very_same_credential_is_sent_again()
    {
        var seller = new FakeSeller { OnPaid = n => n == 1 ? throw new HttpRequestException(HttpRequestError.ResponseEnded) : null };
        var budget = new Budget("0.01 USD");
        using var client = new HttpMessageInvoker(new PayingHandler(Options(budget, Key), seller));
        var lost = await Should.ThrowAsync<PaymentOutcomeUnknownException>(() => client.SendAsync(new HttpRequestMessage(HttpMethod.Get, Url), default));
        budget.Left.Nano.ShouldBe(0);
        using var response = await client.SendAsync(lost.Attempt.ToRequest(), default);
        response.GetPayment()!.Reference.ShouldBe("0xx402");
        seller.Paid.Select(r => r.Credential).Distinct().Count().ShouldBe(1);
        budget.Spent.ToString().ShouldBe("0.01 USD");
    }

    [Fact]
    public async Task A_connection_that_was_never_made_costs_nothing()
    {
        var seller = new FakeSeller { OnPaid = _ => throw new HttpRequestException(HttpRequestError.ConnectionError) };
        var budget = new Budget("0.01 USD");
        await Should.ThrowAsync<HttpRequestException>(() => SendAsync(seller, Options(budget, Key)));
        budget.Spent.Nano.ShouldBe(0);
    }

    [Fact]
    public async Task An_unknown_settlement_is_asked_about_with_the_same_credential_and_only_so_often()
    {
        var seller = new FakeSeller { OnPaid = n => n <= 2 ? Busy() : null };
        using var response = await SendAsync(seller, Options(new Budget("1.00 USD"), Key));
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        seller.Paid.Count().ShouldBe(3);
        seller.Paid.Select(r => r.Credential).Distinct().Count().ShouldBe(1);

        var never = new FakeSeller { OnPaid = _ => Busy() };
        var budget = new Budget("1.00 USD");
        using var given = await SendAsync(never, Options(budget, Key) with { MostRepeats = 2 });
        given.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (never.Paid.Count(), never.Paid.Select(r => r.Credential).Distinct().Count()).ShouldBe((3, 1));
        budget.Spent.ToString().ShouldBe("0.01 USD");
        given.GetAttempt().ShouldNotBeNull();
        given.GetPayment().ShouldBeNull();
    }

    [Fact]
    public async Task A_refused_payment_is_not_followed_by_another_and_a_signature_stays_counted()
    {
        var seller = new FakeSeller { OnPaid = _ => new HttpResponseMessage(HttpStatusCode.PaymentRequired) };
        var budget = new Budget("1.00 USD");
        using var response = await SendAsync(seller, Options(budget, Key));
        response.WhyUnpaid()!.ShouldContain("refused");
        seller.Paid.Count().ShouldBe(1);
        budget.Spent.ToString().ShouldBe("0.01 USD");
        var token = new Budget("1.00 USD");
        using var other = await SendAsync(new FakeSeller { OnPaid = _ => new HttpResponseMessage(HttpStatusCode.PaymentRequired) }, Options(token, Token));
        token.Spent.Nano.ShouldBe(0);
    }

    [Fact]
    public async Task What_was_given_back_is_taken_again_when_the_credential_is_repeated()
    {
        var seller = new FakeSeller { OnPaid = n => n == 1 ? new HttpResponseMessage(HttpStatusCode.BadGateway) : null };
        var budget = new Budget("0.01 USD");
        using var client = new HttpMessageInvoker(new PayingHandler(Options(budget, Token), seller));
        using var failed = await client.SendAsync(new HttpRequestMessage(HttpMethod.Get, Url), default);
        var attempt = failed.GetAttempt().ShouldNotBeNull();
        budget.Spent.Nano.ShouldBe(0);
        using var paid = await client.SendAsync(attempt.ToRequest(), default);
        paid.StatusCode.ShouldBe(HttpStatusCode.OK);
        budget.Left.Nano.ShouldBe(0);
        seller.Paid.ShouldAllBe(r => r.Headers.Contains("Idempotency-Key"));
        // Asking once more costs nothing more.
        using var again = await client.SendAsync(attempt.ToRequest(), default);
        budget.Left.Nano.ShouldBe(0);
    }

    [Fact]
    public async Task A_token_is_shown_to_its_own_origin_only()
    {
        var seller = new FakeSeller();
        using var response = await SendAsync(seller, Options(new Budget("1.00 USD"), new TokenWallet(FakeSeller.Token, new Uri("http://127.0.0.1:8402/"))));
        response.StatusCode.ShouldBe(HttpStatusCode.PaymentRequired);
        seller.Paid.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_payment_is_not_carried_to_another_url()
    {
        var seller = new FakeSeller { OnPaid = _ => throw new IOException("cut") };
        using var client = new HttpMessageInvoker(new PayingHandler(Options(new Budget("1.00 USD"), Key), seller));
        var lost = await Should.ThrowAsync<PaymentOutcomeUnknownException>(() => client.SendAsync(new HttpRequestMessage(HttpMethod.Get, Url), default));
        var elsewhere = lost.Attempt.ToRequest();
        elsewhere.RequestUri = new Uri("https://thief.example/");
        await Should.ThrowAsync<InvalidOperationException>(() => client.SendAsync(elsewhere, default));
        seller.Requests.ShouldAllBe(r => r.Url.Host == "127.0.0.1");
    }

    [Fact]
    public async Task A_handler_below_that_follows_redirects_is_refused()
    {
        using var client = new HttpMessageInvoker(new PayingHandler(Options(new Budget("1.00 USD"), Key), new SocketsHttpHandler()));
        await Should.ThrowAsync<InvalidOperationException>(() => client.SendAsync(new HttpRequestMessage(HttpMethod.Get, Url), default));
    }

    [Fact]
    public async Task Terms_for_another_host_are_not_paid()
    {
        using var response = await SendAsync(new FakeSeller { Offers = "x402", ResourceHost = "victim.example" }, Options(new Budget("1.00 USD"), Key));
        response.StatusCode.ShouldBe(HttpStatusCode.PaymentRequired);
    }

    [Fact]
    public async Task Nothing_is_paid_over_plain_http_beyond_loopback()
    {
        var seller = new FakeSeller { ResourceHost = "api.example" };
        using var client = new HttpMessageInvoker(new PayingHandler(Options(new Budget("1.00 USD"), Key), seller));
        using var response = await client.SendAsync(new HttpRequestMessage(HttpMethod.Get, "http://api.example/forecast/berlin"), default);
        response.WhyUnpaid()!.ShouldContain("plain HTTP");
        seller.Paid.ShouldBeEmpty();
    }

    [Fact]
    public async Task An_api_key_stays_where_it_is_and_mpp_goes_beside_it()
    {
        var seller = new FakeSeller { Offers = "mpp" };
        using var response = await SendAsync(seller, Options(new Budget("1.00 USD"), Key), ("Authorization", "Bearer key"));
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        seller.Paid.Single().Headers.ShouldBeSubsetOf(["Authorization", "Payment-Authorization"]);
    }

    [Fact]
    public async Task The_callers_request_is_left_without_credentials()
    {
        var request = new HttpRequestMessage(HttpMethod.Get, Url);
        using var client = new HttpMessageInvoker(new PayingHandler(Options(new Budget("1.00 USD"), Key), new FakeSeller()));
        using var response = await client.SendAsync(request, default);
        request.Headers.ShouldBeEmpty();
        response.RequestMessage.ShouldBeSameAs(request);
    }

    private static PayingOptions Options(Budget budget, params IWallet[] wallets) => new() { Budget = budget, Wallets = wallets, Time = new FixedTime() };

    private static async Task<HttpResponseMessage> SendAsync(FakeSeller seller, PayingOptions options, params (string Name, string Value)[] headers)
    {
        using var client = new HttpMessageInvoker(new PayingHandler(options, seller));
        var request = new HttpRequestMessage(HttpMethod.Get, Url);
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        return await client.SendAsync(request, default);
    }

    private static HttpResponseMessage Busy() => new(HttpStatusCode.ServiceUnavailable) { Headers = { { "Retry-After", "0" } } };

    /// <summary>The seller's time; waits are real.</summary>
    private sealed class FixedTime : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => FakeSeller.Now;
    }
}
