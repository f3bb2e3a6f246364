namespace Turnpike.Demo;

/// <summary>The demo's turnpike.yaml: what an API owner would write on the first day, with test money allowed.</summary>
internal static class DemoDocument
{
    private const string Chain = """
          chains:
            "eip155:84532":
              rpc: ${env:CHAIN_RPC}
              asset: USDC
              pay-to: ${env:PAY_TO}
              settler-key: ${env:SETTLER_KEY}
          x402:
            chains: ["eip155:84532"]
          mpp:
            secret: ${env:TURNPIKE_MPP_SECRET}
            evm: { chains: ["eip155:84532"] }

        """;

    /// <param name="store">The database file.</param>
    /// <param name="chain">False leaves out every payment on chain.</param>
    public static string Text(int port, int admin, string store, bool chain) => $$"""
        gateway:
          listen: http://127.0.0.1:{{port}}
          admin: http://127.0.0.1:{{admin}}
          store: 'sqlite:{{store.Replace("'", "''", StringComparison.Ordinal)}}'
          admin-key: ${env:TURNPIKE_ADMIN_KEY}
          sandbox: true

        payments:
        {{(chain ? Chain : "")}}  prepaid:
            secret: ${env:TURNPIKE_TOKEN_SECRET}

        services:
          weather:
            upstream: ${env:UPSTREAM}
            headers:
              x-upstream-key: ${env:UPSTREAM_KEY}
            operations:
              forecast:
                match: GET /forecast/{city}
                description: Seven-day forecast for one city
                price: 0.01 USD
              report:
                match: POST /reports
                description: A report, made to order
                price: 1.00 USD
              status:
                match: GET /status
                price: free
        """;
}
