using System.Net.Http.Headers;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Billing;

/// <summary>contract/tokens.yaml brought to life: two upstreams, Stripe's checkout and the gateway.</summary>
internal sealed class TokenShop : IAsyncDisposable
{
    private readonly HttpClient http = new(new SocketsHttpHandler { UseProxy = false, UseCookies = false, AllowAutoRedirect = false }) { Timeout = Until.Patience };

    private TokenShop(Upstream first, Upstream second, StripeLoopback stripe, TurnpikeProcess gateway) => (First, Second, Stripe, Gateway) = (first, second, stripe, gateway);

    public Upstream First { get; }

    public Upstream Second { get; }

    public StripeLoopback Stripe { get; }

    public TurnpikeProcess Gateway { get; }

    /// <param name="change">A part of the scenario changed.</param>
    public static async Task<TokenShop> StartAsync(Func<string, string>? change = null)
    {
        var (first, second, stripe) = (await Upstream.StartAsync(), await Upstream.StartAsync(), await StripeLoopback.StartAsync());
        var gateway = await TurnpikeProcess.StartAsync("tokens.yaml", change ?? (text => text), ("UPSTREAM", Plain(first.Url)), ("UPSTREAM_2", Plain(second.Url)), ("STRIPE_API", Plain(stripe.Url)));
        return new TokenShop(first, second, stripe, gateway);
    }

    public async Task<Answered> SendAsync(string method, string path, string? json = null, string? token = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(Gateway.Url, path));
        if (json is not null) request.Content = new StringContent(json, new MediaTypeHeaderValue("application/json"));
        if (token is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        using var response = await http.SendAsync(request);
        return await Answered.ReadAsync(response);
    }

    /// <summary>Orders a bundle; returns the order's answer and the session behind it.</summary>
    public async Task<(Answered Order, StripeSession Session)> OrderAsync(string operation, int bundle, string? token = null)
    {
        var order = await SendAsync("POST", $"/buy/{operation}", $$"""{"bundle":{{bundle}}}""", token);
        return (order, Stripe.Sessions[^1]);
    }

    /// <summary>Buys a bundle and returns the token.</summary>
    public async Task<(string Token, StripeSession Session)> BuyAsync(string operation, int bundle)
    {
        var (_, session) = await OrderAsync(operation, bundle);
        Stripe.Pay(session.Id);
        var done = await SendAsync("GET", Done(operation, session));
        return (done.Json["token"]!.GetValue<string>(), session);
    }

    public static string Done(string operation, StripeSession session) => $"/buy/{operation}/done?session_id={session.Id}";

    public async Task<string> LeftAsync(string token) => (await SendAsync("GET", "/balance", null, token)).Json["available"]!["amount"]!.GetValue<string>();

    public Task BooksBalanceAsync() => Gateway.BooksBalanceAsync();

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        await Gateway.DisposeAsync();
        await Stripe.DisposeAsync();
        await Second.DisposeAsync();
        await First.DisposeAsync();
    }

    private static string Plain(Uri url) => url.GetLeftPart(UriPartial.Authority);
}
