using Turnpike.EndToEnd.Harness;
using Turnpike.EndToEnd.Storage;

namespace Turnpike.EndToEnd.Nodes;

/// <summary>Two nodes over one PostgreSQL, and everything around them.</summary>
internal sealed class Pair(PaidApi a, PaidApi b) : IAsyncDisposable
{
    public PaidApi A => a;

    public PaidApi B => b;

    public static Task<Pair> StartAsync(Chain chain, params (string Name, string Value)[] variables) => StartOnAsync(chain, TemporaryDatabase.NewEmpty(), variables);

    public static async Task<Pair> StartOnAsync(Chain chain, string store, params (string Name, string Value)[] variables)
    {
        var a = await PaidApi.StartOnAsync(chain, store, [("gateway.node", "a"), ("gateway.drain", "8s"), .. variables]);
        return new Pair(a, a.At(await a.AnotherAsync(store, [("gateway.node", "b"), ("gateway.url", a.Gateway.Url.GetLeftPart(UriPartial.Authority)), .. variables])));
    }

    public async ValueTask DisposeAsync()
    {
        await b.Gateway.DisposeAsync();
        await a.DisposeAsync();
    }
}
