using Turnpike.Demo;
using Turnpike.Protocols.Evm;

[assembly: AssemblyFixture(typeof(Turnpike.EndToEnd.Harness.Chain))]

namespace Turnpike.EndToEnd.Harness;

/// <summary>One local chain for all tests of a run. Where the machine cannot have one, tests that need it skip with the reason.</summary>
public sealed class Chain : IAsyncLifetime
{
    private readonly List<string> said = [];

    public async ValueTask InitializeAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(4));
        Current = await LocalChain.StartAsync(said.Add, limit.Token);
    }

    internal LocalChain? Current { get; private set; }

    /// <summary>The node's address, or one where nobody answers: a gateway starts without its chain.</summary>
    public Uri RpcOrNobody => Current?.Rpc ?? new Uri("http://127.0.0.1:9");

    internal LocalChain Require()
    {
        if (Current is null) Assert.Skip(string.Join(' ', said));
        return Current;
    }

    /// <summary>What an account has, in millionths of a dollar.</summary>
    internal Task<UInt256> BalanceAsync(TestAccount account) => Require().BalanceAsync(account.Address, TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (Current is not null) await Current.DisposeAsync();
    }
}
