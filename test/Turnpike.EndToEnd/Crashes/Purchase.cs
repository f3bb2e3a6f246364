using System.Globalization;
using System.Net;
using System.Text.Json;
using Turnpike.EndToEnd.Harness;
using Turnpike.Protocols.Mpp;

namespace Turnpike.EndToEnd.Crashes;

/// <summary>One purchase on one rail, which can be presented again and again and must be charged once; and what the rail says was charged.</summary>
internal sealed class Purchase(PaidApi api, string path, string method, string? body, (string, string)[] headers)
{
    /// <summary>What a token begins with, in cents: an answer costs one.</summary>
    public const long Budget = 10_000;

    private static readonly string[] Open = ["held", "captured", "unknown"];

    /// <summary>The same, to be presented to another node.</summary>
    public Purchase At(PaidApi node) => new(node, path, method, body, headers);

    /// <summary>Presents it; null when the connection broke.</summary>
    public async Task<Answered?> PresentAsync()
    {
        try { return await api.CallAsync(path, method, body, headers); }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException) { return null; }
    }

    /// <summary>Repeats it, as Retry-After asks, for at most half a minute, until the answer is final.</summary>
    public async Task<Answered> InsistAsync()
    {
        Answered? last = null;
        for (var wait = 0; wait < 60; wait++)
        {
            last = await PresentAsync();
            if (last is { Status: HttpStatusCode.OK } or { Status: HttpStatusCode.Conflict, Reason: "already-delivered" }) return last;
            await Task.Delay(500);
        }
        throw new ShouldAssertException($"No final answer in half a minute: {last?.Status} {last?.Body}\n{api.Gateway.Log}");
    }

    public static async Task<Purchase> OnAsync(PaidApi api, string rail, string? token, int number) => rail switch
    {
        "prepaid" => new(api, "/forecast/paris", "GET", null, [("Authorization", $"Bearer {token}"), ("Idempotency-Key", $"\"buy-{number}\"")]),
        "x402" => new(api, "/forecast/paris", "GET", null, [("PAYMENT-SIGNATURE", ExactSigner.Pay(await api.TermsAsync("/forecast/paris"), api.Parties.Payer))]),
        _ => new(api, "/reports", "POST", "{}", [("Authorization", await ByCardAsync(api))]),
    };

    /// <summary>How many answers the payer was charged for, as the rail itself says it.</summary>
    public static async Task<long> ChargedAsync(PaidApi api, string rail, string? token) => rail switch
    {
        "prepaid" => Budget - Cents(await api.CallAsync("/balance", headers: ("Authorization", $"Bearer {token}"))),
        "x402" => await api.EarnedAsync() / 10_000,
        _ => api.Stripe.Intents.Count(intent => intent.Status == "succeeded"),
    };

    /// <summary>Every hold has ended, the books balance, the trail is whole.</summary>
    public static async Task SettledAsync(PaidApi api)
    {
        string? last = null;
        for (var wait = 0; wait < 100; wait++)
        {
            last = (await api.AdminAsync("GET", "/admin/v1/payments")).Body;
            if (!Open.Any(status => last.Contains($"\"status\":\"{status}\"", StringComparison.Ordinal))) break;
            if (wait == 99) throw new ShouldAssertException($"A payment is still open after 20 seconds: {last}");
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
