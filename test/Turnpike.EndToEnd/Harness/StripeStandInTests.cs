using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace Turnpike.EndToEnd.Harness;

/// <summary>The stand-in refuses what Stripe would refuse; a softer one would let our mistakes pass.</summary>
public sealed class StripeStandInTests : IAsyncLifetime
{
    private readonly HttpClient http = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(5) };
    private StripeStandIn? stripe;

    public async ValueTask InitializeAsync() => stripe = await StripeStandIn.StartAsync("sk_test_seller", "profile_x");

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        await stripe!.DisposeAsync();
    }

    [Fact]
    public async Task A_good_request_succeeds_once_and_its_repetition_is_a_replay()
    {
        var form = Form(await GrantAsync());
        var (first, json, _) = await PostAsync(form, key: "k");
        first.ShouldBe(HttpStatusCode.OK);
        json["status"]!.GetValue<string>().ShouldBe("succeeded");
        json["metadata"]!["mpp_challenge_id"]!.GetValue<string>().ShouldBe("c");
        var (_, again, replayed) = await PostAsync(form, key: "k");
        (again["id"]!.GetValue<string>(), replayed).ShouldBe((json["id"]!.GetValue<string>(), true));
        (await CodeAsync(form, key: "other")).ShouldBe("shared_payment_token_used");
        form["amount"] = "101";
        (await PostAsync(form, key: "k")).Json["error"]!["type"]!.GetValue<string>().ShouldBe("idempotency_error");
        stripe!.Intents.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("amount", "49", "amount_too_small")]
    [InlineData("amount", "101", "amount_too_large")]
    [InlineData("amount", "1.00", "parameter_invalid_integer")]
    [InlineData("currency", "eur", "currency_mismatch")]
    [InlineData("shared_payment_granted_token", "spt_none", "resource_missing")]
    [InlineData("surprise", "1", "parameter_unknown")]
    [InlineData("confirm", "false", "parameter_missing")]
    [InlineData("automatic_payment_methods[allow_redirects]", "always", "parameter_missing")]
    public async Task A_wrong_parameter_is_refused_with_stripes_code(string name, string value, string code)
    {
        var form = Form(await GrantAsync());
        form[name] = value;
        (await CodeAsync(form)).ShouldBe(code);
        stripe!.Intents.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_wrong_key_a_missing_version_and_an_expired_token_are_refused()
    {
        var form = Form(await GrantAsync());
        (await PostAsync(form, secret: "sk_test_other")).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await CodeAsync(form, version: "2024-06-20")).ShouldBe("parameter_unknown");
        (await CodeAsync(Form(await GrantAsync(expires: 1)))).ShouldBe("shared_payment_token_expired");
        (await CodeAsync(Form(await GrantAsync(seller: "profile_other")))).ShouldBe("resource_missing");
    }

    [Fact]
    public async Task A_declined_card_is_402_and_one_that_asks_its_owner_waits()
    {
        var declined = await PostAsync(Form(await GrantAsync("pm_card_chargeDeclined")));
        declined.Status.ShouldBe(HttpStatusCode.PaymentRequired);
        declined.Json["error"]!["code"]!.GetValue<string>().ShouldBe("card_declined");
        (await PostAsync(Form(await GrantAsync("pm_card_authenticationRequired")))).Json["status"]!.GetValue<string>().ShouldBe("requires_action");
    }

    [Fact]
    public async Task A_lost_answer_leaves_its_effect()
    {
        var form = Form(await GrantAsync());
        stripe!.Trouble = StripeTrouble.SilentAfterEffect;
        using var limit = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
        await Should.ThrowAsync<OperationCanceledException>(() => PostAsync(form, key: "k", ct: limit.Token));
        stripe.Intents.Count.ShouldBe(1);
        stripe.Trouble = StripeTrouble.None;
        (await PostAsync(form, key: "k")).Replayed.ShouldBeTrue();
        stripe.Intents.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_charge_is_refunded_once_under_a_key_and_never_beyond_its_amount()
    {
        var intent = (await PostAsync(Form(await GrantAsync()))).Json["id"]!.GetValue<string>();
        async Task<(HttpStatusCode Status, JsonNode Json, bool Replayed)> Refund(string amount, string key, string of) =>
            await SendAsync("/v1/refunds", new() { ["payment_intent"] = of, ["amount"] = amount, ["metadata[turnpike_refund]"] = key }, "sk_test_seller", "2026-07-29.preview", key, default);

        (await Refund("60", "a", intent)).Json["status"]!.GetValue<string>().ShouldBe("succeeded");
        (await Refund("60", "a", intent)).Replayed.ShouldBeTrue();
        (await Refund("60", "b", intent)).Json["error"]!["message"]!.GetValue<string>().ShouldContain("greater than unrefunded amount");
        (await Refund("40", "c", intent)).Status.ShouldBe(HttpStatusCode.OK);
        (await Refund("1", "d", intent)).Json["error"]!["code"]!.GetValue<string>().ShouldBe("charge_already_refunded");
        (await Refund("1", "e", "pi_none")).Json["error"]!["code"]!.GetValue<string>().ShouldBe("resource_missing");
        (await Refund("0", "f", intent)).Status.ShouldBe(HttpStatusCode.BadRequest);
        stripe!.Refunds.Select(r => (r.Amount, r.Name)).ShouldBe([(60, "a"), (40, "c")]);
    }

    private static Dictionary<string, string> Form(string token) => new()
    {
        ["amount"] = "100", ["currency"] = "usd", ["confirm"] = "true", ["automatic_payment_methods[enabled]"] = "true", ["automatic_payment_methods[allow_redirects]"] = "never",
        ["shared_payment_granted_token"] = token, ["metadata[mpp_challenge_id]"] = "c",
    };

    private async Task<string> GrantAsync(string card = "pm_card_visa", long expires = 99_999_999_999, string seller = "profile_x")
    {
        var form = new Dictionary<string, string>
        {
            ["payment_method"] = card, ["usage_limits[currency]"] = "usd", ["usage_limits[max_amount]"] = "100", ["usage_limits[expires_at]"] = $"{expires}", ["seller_details[network_id]"] = seller,
        };
        return (await SendAsync("/v1/test_helpers/shared_payment/granted_tokens", form, "sk_test_agent", "2026-07-29.preview", null, default)).Json["id"]!.GetValue<string>();
    }

    private async Task<string> CodeAsync(Dictionary<string, string> form, string? key = null, string version = "2026-07-29.preview")
    {
        var (status, json, _) = await PostAsync(form, key: key, version: version);
        status.ShouldBe(HttpStatusCode.BadRequest);
        return json["error"]!["code"]!.GetValue<string>();
    }

    private Task<(HttpStatusCode Status, JsonNode Json, bool Replayed)> PostAsync(Dictionary<string, string> form, string secret = "sk_test_seller", string? key = null, string version = "2026-07-29.preview", CancellationToken ct = default) =>
        SendAsync("/v1/payment_intents", form, secret, version, key, ct);

    private async Task<(HttpStatusCode Status, JsonNode Json, bool Replayed)> SendAsync(string path, Dictionary<string, string> form, string secret, string version, string? key, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(stripe!.Url, path)) { Content = new FormUrlEncodedContent(form) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(secret + ":")));
        request.Headers.Add("Stripe-Version", version);
        if (key is not null) request.Headers.Add("Idempotency-Key", key);
        using var response = await http.SendAsync(request, ct);
        return (response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync(ct))!, response.Headers.Contains("Idempotent-Replayed"));
    }
}
