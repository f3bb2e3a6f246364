using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Payments.Buying;

/// <summary>A gateway that buys what it sells: its upstream asks for payment, and its wallet pays on the local chain.</summary>
internal sealed class Reseller : IAsyncDisposable
{
    private const string Document = """
        # A reseller
        gateway:
          store: sqlite:data/reseller.db
          admin-key: ${env:TURNPIKE_ADMIN_KEY}
        payments:
          prepaid: { secret: "${env:TURNPIKE_TOKEN_SECRET}" }
        wallets:
          market:
            key: ${env:WALLET_KEY}
            chains: { "eip155:84532": { asset: USDC, rpc: "${env:CHAIN_RPC}" } }
            caps: [{ amount: 1.00 USD, per: 1d }, { amount: 0.50 USD, per: 1d, each: host }]
          bulk: { token: "${env:SELLER_TOKEN}", at: "${env:UPSTREAM}" }
        services:
          data:
            upstream: ${env:UPSTREAM}
            pays: { wallet: WALLET, payees: "${env:SELLER}", protocols: [PROTOCOL] }
            operations:
              forecast: { match: "GET /forecast/{city}", price: { cost-plus: 50%, ceiling: 0.10 USD } }
              report: { match: POST /reports, price: 1.20 USD }

        """;

    private readonly HttpClient http = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false }) { Timeout = Until.Patience };
    private static int tokens;

    private Reseller(TurnpikeProcess gateway) => Gateway = gateway;

    public TurnpikeProcess Gateway { get; }

    public static Task<Reseller> StartAsync(Chain chain, Parties parties, Uri seller, string protocol, string token = "none", string? payee = null) => StartOnAsync(null, "1", chain, parties, seller, protocol, token, payee);

    /// <summary>One node of a reseller on a store that nodes share.</summary>
    /// <param name="caps">Of the wallet whose tokens were bought in bulk.</param>
    public static async Task<Reseller> StartOnAsync(string? store, string node, Chain chain, Parties parties, Uri seller, string protocol, string token = "none", string? payee = null, string caps = "")
    {
        var text = Document.Replace("at: \"${env:UPSTREAM}\"", $"at: \"${{env:UPSTREAM}}\"{caps}", StringComparison.Ordinal).Replace("PROTOCOL", protocol, StringComparison.Ordinal).Replace("wallet: WALLET", protocol == "prepaid" ? "wallet: bulk" : "wallet: market", StringComparison.Ordinal);
        return new Reseller(await TurnpikeProcess.StartOnAsync("paid-api.yaml", store, _ => text,
        [
            ("gateway.node", node), ("UPSTREAM", seller.GetLeftPart(UriPartial.Authority)), ("CHAIN_RPC", chain.RpcOrNobody.GetLeftPart(UriPartial.Authority)), ("WALLET_KEY", parties.Payer.Key), ("SELLER", payee ?? parties.Merchant.Address), ("SELLER_TOKEN", token),
        ]));
    }

    /// <summary>A caller's token of ours.</summary>
    public async Task<string> TokenAsync(string budget) =>
        (await SendAsync(HttpMethod.Post, new Uri(Gateway.Admin, "/admin/v1/tokens"), $$"""{"budget":"{{budget}}"}""", Admin, ("Idempotency-Key", $"t-{Interlocked.Increment(ref tokens)}"))).Json["token"]!.GetValue<string>();

    public Task<Answered> CallAsync(string path, string? token = null, string? json = null) =>
        SendAsync(json is null ? HttpMethod.Get : HttpMethod.Post, new Uri(Gateway.Url, path), json, token is null ? ("X-Nothing", "1") : ("Authorization", "Bearer " + token));

    public Task<Answered> AdminAsync(string path) => SendAsync(HttpMethod.Get, new Uri(Gateway.Admin, path), null, Admin);

    /// <summary>The one payment to a seller, once it is known what became of it and of what our caller paid for it.</summary>
    public async Task<JsonNode> BoughtAsync()
    {
        JsonNode bought = null!;
        await Until.HoldsAsync("the purchase has its outcome", async () =>
        {
            bought = (await AdminAsync("/admin/v1/purchases")).Json["payments"]!.AsArray().ShouldHaveSingleItem()!;
            return bought["outcome"]!.GetValue<string>() != "open";
        });
        return bought;
    }

    public Task BooksBalanceAsync() => Gateway.BooksBalanceAsync();

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        await Gateway.DisposeAsync();
    }

    private static (string, string) Admin => ("Authorization", "Bearer " + Checkout.Variables()["TURNPIKE_ADMIN_KEY"]);

    private async Task<Answered> SendAsync(HttpMethod method, Uri url, string? json, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, url);
        if (json is not null) request.Content = new StringContent(json, new MediaTypeHeaderValue("application/json"));
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        using var response = await http.SendAsync(request);
        return await Answered.ReadAsync(response);
    }
}
