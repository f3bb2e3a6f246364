using System.Globalization;
using System.Net;
using System.Text.Json;
using Turnpike.EndToEnd.Harness;
using Turnpike.Protocols.Mpp;

namespace Turnpike.EndToEnd.Crashes;

/// <summary>One purchase on one rail, which can be presented again and again and must be charged once; and what the rail says was charged.</summary>
internal sealed class Purchase(PaidApi api, string path, string method, string? body, (string, string)[] headers, bool order = false)
{
    /// <summary>More than one rail is sold by: a metered operation, and a token in one call.</summary>
    public static string Selling(string document) => document
        .Replace("    secret: ${env:TURNPIKE_TOKEN_SECRET}", """
                secret: ${env:TURNPIKE_TOKEN_SECRET}
                bundles: [{ price: 0.05 USD, budget: 0.06 USD }]
            """, StringComparison.Ordinal)
        .Replace("      status:\n", """
                  pages: { match: POST /pages, accept: [prepaid], usage: { pages: $.pages }, price: { ceiling: 0.50 USD, per-unit: { pages: 0.01 USD } } }
                  status:

            """, StringComparison.Ordinal);

    /// <summary>What a token begins with, in cents: an answer costs one.</summary>
    public const long Budget = 10_000;

    /// <summary>What a token begins with that no machine empties while a test runs, in cents.</summary>
    public const long Plenty = 100_000_000;

    /// <summary>The same, as an order of a token says it.</summary>
    public static string PlentyUsd { get; } = string.Create(CultureInfo.InvariantCulture, $"{Plenty / 100}.00 USD");

    private static readonly string[] Open = ["held", "captured", "unknown"];

    /// <summary>The same, to be presented to another node.</summary>
    public Purchase At(PaidApi node) => new(node, path, method, body, headers, order);

    /// <summary>Presents it; null when the connection broke.</summary>
    public async Task<Answered?> PresentAsync()
    {
        try { return order ? await api.AdminAsync(method, path, body, headers) : await api.CallAsync(path, method, body, headers); }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException) { return null; }
    }

    /// <summary>Repeats it, as Retry-After asks, until the answer is final.</summary>
    public async Task<Answered> InsistAsync()
    {
        Answered? last = null;
        for (var wait = 0; wait < 240; wait++)
        {
            last = await PresentAsync();
            if (last is { Status: HttpStatusCode.OK } or { Status: HttpStatusCode.Conflict, Reason: "already-delivered" }) return last;
            await Task.Delay(500);
        }
        throw new ShouldAssertException($"No final answer in two minutes: {last?.Status} {last?.Body}\n{api.Gateway.Log}");
    }

    public static async Task<Purchase> OnAsync(PaidApi api, string rail, string? token, int number) => rail switch
    {
        "prepaid" => new(api, "/forecast/paris", "GET", null, [("Authorization", $"Bearer {token}"), ("Idempotency-Key", $"\"buy-{number}\"")]),
        "x402" => new(api, "/forecast/paris", "GET", null, [("PAYMENT-SIGNATURE", ExactSigner.Pay(await api.TermsAsync("/forecast/paris"), api.Parties.Payer))]),
        "mpp-evm" => new(api, "/forecast/paris", "GET", null, [("Authorization", (await api.PayAsync("mpp/pay-mpp-evm.mjs", "/forecast/paris", ("CAPTURE", "1"))).Sent!.Value.Value)]),
        "metered" => new(api, "/pages", "POST", "{}", [("Authorization", $"Bearer {token}"), ("Idempotency-Key", $"\"buy-{number}\"")]),
        "sale" => new(api, "/buy/forecast/1", "POST", "{}", [("PAYMENT-SIGNATURE", ExactSigner.Pay(await api.TermsAsync("/buy/forecast/1", "POST", "{}"), api.Parties.Payer))]),
        "refund" => await RefundAsync(api, number),
        _ => await CardAsync(api),
    };

    private static async Task<Purchase> CardAsync(PaidApi api) => new(api, "/reports", "POST", "{}", [("Authorization", await ByCardAsync(api))]);

    /// <summary>An operator's order to give a card payment back, which may be sent again and again as well.</summary>
    private static async Task<Purchase> RefundAsync(PaidApi api, int number)
    {
        (await (await CardAsync(api)).PresentAsync()).ShouldNotBeNull().Status.ShouldBe(HttpStatusCode.OK);
        var (receipt, _) = await api.DeliveredAsync();
        return new(api, $"/admin/v1/payments/{receipt}/refund", "POST", """{"reason":"crash"}""", [("Idempotency-Key", $"\"back-{number}\"")], order: true);
    }

    /// <summary>How many answers the payer was charged for, as the rail itself says it.</summary>
    public static async Task<long> ChargedAsync(PaidApi api, string rail, string? token, long budget = Budget) => rail switch
    {
        "prepaid" => budget - Cents(await api.CallAsync("/balance", headers: ("Authorization", $"Bearer {token}"))),
        "x402" or "mpp-evm" => await api.EarnedAsync() / 10_000,
        "metered" => (budget - Cents(await api.CallAsync("/balance", headers: ("Authorization", $"Bearer {token}")))) / 3,
        "sale" => await SoldAsync(api),
        "refund" => api.Stripe.Refunds.Count,
        _ => api.Stripe.Intents.Count(intent => (string?)intent["status"] == "succeeded"),
    };

    /// <summary>What was earned is as many tokens, each with its budget whole.</summary>
    private static async Task<long> SoldAsync(PaidApi api)
    {
        var tokens = (await api.AdminAsync("GET", "/admin/v1/tokens?limit=500")).Json["tokens"]!.AsArray().Where(token => token!["note"]?.GetValue<string>().StartsWith("bought", StringComparison.Ordinal) == true).ToList();
        tokens.ShouldAllBe(token => token!["left"]!["amount"]!.GetValue<string>() == "0.06");
        (await api.EarnedAsync()).ShouldBe(50_000 * tokens.Count);
        return tokens.Count;
    }

    /// <summary>Every hold has ended, the books balance, the trail is whole.</summary>
    public static async Task SettledAsync(PaidApi api)
    {
        string? last = null;
        for (var wait = 0; wait < 600; wait++)
        {
            last = (await api.AdminAsync("GET", "/admin/v1/payments")).Body;
            if (!Open.Any(status => last.Contains($"\"status\":\"{status}\"", StringComparison.Ordinal))) break;
            if (wait == 599) throw new ShouldAssertException($"A payment is still open after two minutes: {last}");
            await Task.Delay(200);
        }
        await api.BooksBalanceAsync();
    }

    private static long Cents(Answered balance) =>
        (long)(decimal.Parse(balance.Json["available"]!["amount"]!.GetValue<string>(), CultureInfo.InvariantCulture) * 100);

    /// <summary>An MPP credential by a Shared Payment Token, as a client would make it.</summary>
    private static async Task<string> ByCardAsync(PaidApi api)
    {
        var terms = await api.CallAsync("/reports", "POST", "{}");
        var challenge = terms.Headers["WWW-Authenticate"].Select(line => Challenge.Parse(line, out _)).First(c => c?.Method == "stripe")!;
        return new MppCredential { Challenge = challenge, Payload = JsonDocument.Parse($$"""{"spt":"{{await GrantedAsync(api.Stripe.Url)}}"}""").RootElement }.Encode();
    }

    private static async Task<string> GrantedAsync(Uri stripe)
    {
        using var wallet = new HttpMessageInvoker(new SocketsHttpHandler { UseProxy = false });
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(stripe, "/v1/test_helpers/shared_payment/granted_tokens"));
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer sk_test_agent");
        request.Content = new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["payment_method"] = "pm_card_visa", ["usage_limits[currency]"] = "usd", ["usage_limits[max_amount]"] = "100",
            ["usage_limits[expires_at]"] = TimeProvider.System.GetUtcNow().AddHours(1).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture),
            ["seller_details[network_id]"] = Checkout.Variables()["STRIPE_PROFILE"],
        });
        using var answer = await wallet.SendAsync(request, CancellationToken.None);
        return JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.GetProperty("id").GetString()!;
    }
}
