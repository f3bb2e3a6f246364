using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Protocols.Evm;
using Turnpike.Protocols.X402;
using Turnpike.Tests.Client;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Payments.Buying;

/// <summary>A gate in front of a seller that itself asks for payment.</summary>
internal sealed class Market : IDisposable
{
    public const string Document = """
        payments:
          chains:
            "eip155:84532": { rpc: "${env:CHAIN_RPC}", asset: USDC, pay-to: "${env:PAY_TO}", settler-key: "${env:SETTLER_KEY}" }
          x402: {}
          prepaid: { secret: "${env:TURNPIKE_TOKEN_SECRET}" }
        wallets:
          market: { key: "${env:WALLET_KEY}", chains: { "eip155:84532": { asset: USDC, rpc: "${env:CHAIN_RPC}" } }, caps: [{ amount: 10 USD, per: 1d }] }
          pool: { token: "${env:SELLER_TOKEN}", at: https://seller.test }
        services:
          data:
            upstream: https://seller.test
            pays: { wallet: market, payees: "${env:SELLER}", caps: [{ amount: 0.05 USD, per: 1h }] }
            operations:
              lookup: { match: "GET /lookup/{x}", price: 0.02 USD }
              plus: { match: "GET /plus/{x}", price: { cost-plus: 20%, ceiling: 0.10 USD } }
              report: { match: POST /reports, price: 0.02 USD }
        """;

    public Market(string? document = null, Func<TestGate, FakeSeller>? seller = null)
    {
        Gate = new TestGate(document: document ?? Document);
        Seller = seller?.Invoke(Gate) ?? new FakeSeller { ResourceHost = "seller.test", Offers = "x402", Clock = Gate.Time.GetUtcNow };
        Open(Gate);
    }

    public TestGate Gate { get; private set; }

    public FakeSeller Seller { get; }

    /// <summary>Kills the process and starts another on the same books.</summary>
    public void Restart() => Open(Gate = Gate.Restart());

    public async Task<Told> GetAsync(string target = "/lookup/a", params (string, string?)[] headers) => await Gate.GetAsync(target, [.. headers, ("Authorization", await Gate.TokenAsync())]);

    public async Task<HoldState> PurchaseAsync(Told told) =>
        (await Gate.Ledger.FindAsync(Hold.PurchasePrefix + told.Headers["Turnpike-Receipt"].ToString().Split('/')[^1], default)).ShouldNotBeNull();

    /// <summary>The newest purchase there is, by the newest payment.</summary>
    public async Task<HoldState?> LastPurchaseAsync()
    {
        foreach (var call in await Gate.Ledger.ListAsync(new HoldFilter(), default))
            if (await Gate.Ledger.FindAsync(Hold.PurchasePrefix + call.Hold.Receipt, default) is { } bought) return bought;
        return null;
    }

    /// <summary>The seller collects what it was given.</summary>
    public string Collect()
    {
        var payment = X402Header.Decode(Seller.Paid.Last().Credential!).Payment!;
        var payload = ExactEvmPayload.Parse(payment.Payload, out _)!;
        Gate.Chain.Token.Balances[payload.Authorization.From] = 1_000_000_000;
        return Gate.Chain.SettleByOther(payload.Authorization, payload.Signature);
    }

    public async Task<Money> SumAsync(string role) => (await Gate.Ledger.VerifyAsync(default)).Totals.FirstOrDefault(t => t.Role == role)?.Sum ?? Money.Zero("USD");

    public void Dispose() => Gate.Dispose();

    private void Open(TestGate gate)
    {
        var wire = new HttpMessageInvoker(Seller, disposeHandler: false);
        gate.Upstream.Answer = wire.SendAsync;
        gate.Sites["seller.test"] = request => wire.Send(request, default);
    }
}
