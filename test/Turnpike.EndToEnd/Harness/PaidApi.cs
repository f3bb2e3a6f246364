using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;

namespace Turnpike.EndToEnd.Harness;

/// <summary>contract/paid-api.yaml brought to life: upstream, Stripe, chain and gateway, with callers' and operators' hands.</summary>
internal sealed class PaidApi : IAsyncDisposable
{
    private static int tokens;

    private readonly HttpClient http = new(new SocketsHttpHandler { UseProxy = false, UseCookies = false, AllowAutoRedirect = false }) { Timeout = Until.Patience };

    private PaidApi(Chain chain, Parties parties, Upstream upstream, StripeLoopback stripe, TurnpikeProcess gateway) =>
        (Chain, Parties, Upstream, Stripe, Gateway) = (chain, parties, upstream, stripe, gateway);

    public Chain Chain { get; }

    public Parties Parties { get; }

    public Upstream Upstream { get; }

    public StripeLoopback Stripe { get; }

    public TurnpikeProcess Gateway { get; }

    public static Task<PaidApi> StartAsync(Chain chain, params (string Name, string Value)[] variables) => StartOnAsync(chain, null, variables);

    /// <summary>With a part of the scenario changed.</summary>
    public static Task<PaidApi> StartAsync(Chain chain, Func<string, string> change) => BeginAsync(chain, null, change, []);

    /// <summary>Both: another store, and a part of the scenario changed.</summary>
    public static Task<PaidApi> StartOnAsync(Chain chain, string? store, Func<string, string> change, params (string Name, string Value)[] variables) => BeginAsync(chain, store, change, variables);

    /// <param name="store">Instead of the scenario's own.</param>
    public static Task<PaidApi> StartOnAsync(Chain chain, string? store, params (string Name, string Value)[] variables) => BeginAsync(chain, store, text => text, variables);

    private static async Task<PaidApi> BeginAsync(Chain chain, string? store, Func<string, string> change, (string Name, string Value)[] variables)
    {
        var parties = await Parties.FreshAsync(chain);
        var upstream = await Upstream.StartAsync();
        var stripe = await StripeLoopback.StartAsync();
        (string, string)[] all =
        [
            ("UPSTREAM", Plain(upstream.Url)), ("STRIPE_API", Plain(stripe.Url)), ("CHAIN_RPC", Plain(chain.RpcOrNobody)),
            ("PAY_TO", parties.Merchant.Address), ("SETTLER_KEY", parties.Settler.Key), .. variables,
        ];
        var gateway = await TurnpikeProcess.StartOnAsync("paid-api.yaml", store, change, all);
        return new PaidApi(chain, parties, upstream, stripe, gateway);
    }

    /// <summary>The same seen through another node.</summary>
    public PaidApi At(TurnpikeProcess gateway) => new(Chain, Parties, Upstream, Stripe, gateway);

    /// <summary>Another node with the same document on the same store.</summary>
    public Task<TurnpikeProcess> AnotherAsync(string store, params (string Name, string Value)[] variables) => AnotherAsync(store, text => text, variables);

    public Task<TurnpikeProcess> AnotherAsync(string store, Func<string, string> change, params (string Name, string Value)[] variables) => TurnpikeProcess.StartOnAsync("paid-api.yaml", store, change,
    [
        ("UPSTREAM", Plain(Upstream.Url)), ("STRIPE_API", Plain(Stripe.Url)), ("CHAIN_RPC", Plain(Chain.RpcOrNobody)),
        ("PAY_TO", Parties.Merchant.Address), ("SETTLER_KEY", Parties.Settler.Key), .. variables,
    ]);

    /// <summary>Runs a real client against a path, paying from the payer's account.</summary>
    public Task<PaidCall> PayAsync(string script, string path, params (string Name, string Value)[] environment) =>
        ClientScript.RunAsync(script, new Uri(Gateway.Url, path), [("KEY", Parties.Payer.Key), ("RPC", Plain(Chain.RpcOrNobody)), ("STRIPE", Plain(Stripe.Url)), .. environment]);

    /// <summary>A call as curl would make it.</summary>
    public async Task<Answered> CallAsync(string path, string method = "GET", string? body = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(Gateway.Url, path));
        if (body is not null) request.Content = new StringContent(body, new MediaTypeHeaderValue("application/json"));
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        return await SendAsync(request);
    }

    /// <summary>A call of the Admin API with the operator's key.</summary>
    public async Task<Answered> AdminAsync(string method, string path, string? json = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(Gateway.Admin, path));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Checkout.Variables()["TURNPIKE_ADMIN_KEY"]);
        if (json is not null) request.Content = new StringContent(json, new MediaTypeHeaderValue("application/json"));
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        return await SendAsync(request);
    }

    /// <summary>A prepaid token through the Admin API.</summary>
    public async Task<string> TokenAsync(string budget)
    {
        var answer = await AdminAsync("POST", "/admin/v1/tokens", $$"""{"budget":"{{budget}}"}""", ("Idempotency-Key", $"test-{Interlocked.Increment(ref tokens)}"));
        answer.Status.ShouldBeOneOf(HttpStatusCode.OK, HttpStatusCode.Created);
        return answer.Json["token"]!.GetValue<string>();
    }

    /// <summary>The terms of an x402 v2 challenge for a path, as the header has them.</summary>
    public async Task<string> TermsAsync(string path, string method = "GET", string? body = null) =>
        (await CallAsync(path, method, body)).Header("PAYMENT-REQUIRED").ShouldNotBeNull();

    /// <summary>Presents an x402 v2 proof.</summary>
    public Task<Answered> PresentAsync(string path, string proof, string method = "GET", string? body = null) =>
        CallAsync(path, method, body, ("PAYMENT-SIGNATURE", proof));

    /// <summary>The newest payment, once its answer is delivered.</summary>
    public async Task<(string Receipt, string Id)> DeliveredAsync()
    {
        JsonNode? newest = null;
        for (var wait = 0; wait < 1_200; wait++, await Task.Delay(50))
        {
            newest = (await AdminAsync("GET", "/admin/v1/payments?limit=1")).Json["payments"]!.AsArray().ShouldHaveSingleItem();
            if (newest!["outcome"]!.GetValue<string>() == "delivered") return (newest["receipt"]!.GetValue<string>(), newest["id"]!.GetValue<string>());
        }
        throw new ShouldAssertException($"It is never booked as delivered: {newest}");
    }

    /// <summary>What the merchant has on chain, in millionths of a dollar.</summary>
    public async Task<long> EarnedAsync() => (long)(await Chain.BalanceAsync(Parties.Merchant)).Low;

    /// <summary>The owner's two questions at the end of every story: do the books balance, is the trail whole?</summary>
    public Task BooksBalanceAsync() => Gateway.BooksBalanceAsync();

    private async Task<Answered> SendAsync(HttpRequestMessage request)
    {
        using var response = await http.SendAsync(request);
        return await Answered.ReadAsync(response);
    }

    private static string Plain(Uri url) => url.GetLeftPart(UriPartial.Authority);

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        await Gateway.DisposeAsync();
        await Stripe.DisposeAsync();
        await Upstream.DisposeAsync();
    }
}

/// <summary>An answer as a caller sees it.</summary>
internal sealed record Answered(HttpStatusCode Status, ILookup<string, string> Headers, string Body)
{
    public static async Task<Answered> ReadAsync(HttpResponseMessage response) => new(response.StatusCode,
        response.Headers.Concat(response.Content.Headers).SelectMany(h => h.Value.Select(v => (h.Key, v))).ToLookup(h => h.Key, h => h.v, StringComparer.OrdinalIgnoreCase), await response.Content.ReadAsStringAsync());

    public JsonNode Json => JsonNode.Parse(Body)!;

    public string? Header(string name) => Headers[name].FirstOrDefault();

    public string? Reason => Json["reason"]?.GetValue<string>();
}
