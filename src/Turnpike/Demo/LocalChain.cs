using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Turnpike.Protocols.Evm;

namespace Turnpike.Demo;

/// <summary>
/// A real EVM chain on loopback that says it is Base Sepolia, with a dollar at USDC's address there: clients trust only the known
/// assets of known networks. It lives as long as this object, or this process.
/// </summary>
internal sealed class LocalChain : IAsyncDisposable
{
    private readonly SemaphoreSlim sending = new(1, 1);
    private static readonly UInt256 Allowance = 1_000_000_000_000UL;

    private readonly AnvilProcess process;

    private LocalChain(AnvilProcess process, Uri rpc) => (this.process, Rpc) = (process, rpc);

    public const ulong ChainId = 84532;

    /// <summary>The dollar's contract.</summary>
    public static Address Dollar { get; } = KnownAssets.Find(ChainId, "USDC")!.Address;

    /// <summary>The JSON-RPC address.</summary>
    public Uri Rpc { get; }

    /// <summary>Installs what is missing, starts the chain, places the dollar, funds <see cref="TestAccounts.Funded"/>; null, with the reason said, when this machine cannot.</summary>
    public static async Task<LocalChain?> StartAsync(Action<string> say, CancellationToken ct)
    {
        if (await ChainTools.FindAsync(say, ct) is not { } tools || await tools.DollarAsync(ct) is not { } code) return null;
        for (var attempt = 1; attempt <= 3; attempt++)
        {
            var port = FreePort();
            var chain = new LocalChain(AnvilProcess.Start(tools.Anvil, port, ChainId), new Uri($"http://127.0.0.1:{port}"));
            try
            {
                if (await chain.AnswersAsync(ct))
                {
                    await chain.PlaceDollarAsync(code, ct);
                    say($"The local chain answers at {chain.Rpc}.");
                    return chain;
                }
            }
            catch
            {
                await chain.DisposeAsync();
                throw;
            }
            await chain.DisposeAsync();
        }
        say("No local chain: anvil did not start.");
        return null;
    }

    /// <summary>What an account has, in millionths of a dollar.</summary>
    public async Task<UInt256> BalanceAsync(string account, CancellationToken ct)
    {
        using var rpc = new ChainRpc(Rpc);
        var result = await rpc.CallAsync("eth_call", ct, Transaction(("to", Dollar.ToString()), ("data", Hex.Encode(Erc3009.BalanceOf(Address.Parse(account))))), "\"latest\"");
        return Abi.DecodeUInt(Hex.Decode(result.GetString())) ?? throw new InvalidOperationException("The dollar does not tell balances.");
    }

    /// <summary>Gives an account dollars, in millionths, and returns when it has them.</summary>
    public Task MintAsync(TestAccount account, UInt256 millionths, CancellationToken ct) =>
        SendAsync(TestAccounts.Minter, Dollar, [.. Abi.Selector("mint(address,uint256)"), .. Abi.Word(Address.Parse(account.Address)), .. Abi.Word(millionths)], ct);

    /// <summary>Sends a transaction from one of the chain's own accounts and returns when it is mined. One after the other: the node numbers them, and two at once get one number.</summary>
    public async Task SendAsync(TestAccount from, Address to, byte[] data, CancellationToken ct)
    {
        await sending.WaitAsync(ct);
        try { await SendOneAsync(from, to, data, ct); }
        finally { sending.Release(); }
    }

    private async Task SendOneAsync(TestAccount from, Address to, byte[] data, CancellationToken ct)
    {
        using var rpc = new ChainRpc(Rpc);
        var sent = await rpc.CallAsync("eth_sendTransaction", ct, Transaction(("from", from.Address), ("to", to.ToString()), ("data", Hex.Encode(data))));
        for (var wait = 0; wait < 100; wait++)
        {
            var receipt = await rpc.CallAsync("eth_getTransactionReceipt", ct, Quoted(sent.GetString()!));
            if (receipt.ValueKind == JsonValueKind.Object) return;
            await Task.Delay(TimeSpan.FromMilliseconds(100), ct);
        }
        throw new InvalidOperationException("The transaction was not mined in ten seconds.");
    }

    /// <summary>Gives an account what transactions cost.</summary>
    public async Task GiveGasAsync(TestAccount account, CancellationToken ct)
    {
        using var rpc = new ChainRpc(Rpc);
        await rpc.CallAsync("anvil_setBalance", ct, Quoted(account.Address), Quoted("0x8ac7230489e80000"));
    }

    public ValueTask DisposeAsync() => process.DisposeAsync();

    /// <summary>Waits for the first answer, at most 15 seconds; false when anvil ended, for another took the port.</summary>
    private async Task<bool> AnswersAsync(CancellationToken ct)
    {
        using var rpc = new ChainRpc(Rpc);
        for (var wait = 0; wait < 150 && !process.HasExited; wait++)
        {
            try
            {
                return (await rpc.CallAsync("eth_chainId", ct)).GetString() == $"0x{ChainId:x}";
            }
            catch (HttpRequestException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), ct);
            }
        }
        return false;
    }

    private async Task PlaceDollarAsync(string code, CancellationToken ct)
    {
        using var rpc = new ChainRpc(Rpc);
        await rpc.CallAsync("anvil_setCode", ct, Quoted(Dollar.ToString()), Quoted(code));
        foreach (var account in TestAccounts.Funded) await MintAsync(account, Allowance, ct);
    }

    private static string Quoted(string plain) => $"\"{plain}\"";

    private static string Transaction(params (string Name, string Value)[] fields) => $"{{{string.Join(',', fields.Select(f => $"\"{f.Name}\":\"{f.Value}\""))}}}";

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
