namespace Turnpike.Demo;

/// <summary>Everything the demo runs: the chain where this machine can have one, the upstream, the gateway.</summary>
internal sealed class DemoWorld(LocalChain? chain, DemoUpstream upstream, DemoGateway gateway) : IAsyncDisposable
{
    /// <summary>Null: payments on chain are left out.</summary>
    public LocalChain? Chain => chain;

    public DemoGateway Gateway => gateway;

    public static async Task<DemoWorld> StartAsync(DemoOptions options, Narrator narrator, CancellationToken ct)
    {
        var chain = await LocalChain.StartAsync(narrator.Say, ct);
        DemoUpstream? upstream = null;
        try
        {
            var key = DemoGateway.Random();
            upstream = await DemoUpstream.StartAsync(key, ct);
            var gateway = await DemoGateway.StartAsync(options, upstream, key, chain, narrator, ct);
            narrator.Say($"The gateway answers at {gateway.Url.GetLeftPart(UriPartial.Authority)}, and sells what {upstream.Url.GetLeftPart(UriPartial.Authority)} knows.");
            return new DemoWorld(chain, upstream, gateway);
        }
        catch
        {
            if (upstream is not null) await upstream.DisposeAsync();
            if (chain is not null) await chain.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Gateway.DisposeAsync();
        await upstream.DisposeAsync();
        if (Chain is not null) await Chain.DisposeAsync();
    }
}
