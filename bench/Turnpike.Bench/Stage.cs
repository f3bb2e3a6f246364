using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Turnpike.Audit;
using Turnpike.Bench.Stores;
using Turnpike.Ledger;
using Turnpike.Storage;
using Turnpike.Tokens;

namespace Turnpike.Bench;

/// <summary>The upstream, bare YARP and the gateway as a user runs it (or several nodes of it), each a process of its own, until disposed.</summary>
internal sealed class Stage : IAsyncDisposable
{
    private const string Secret = "a secret of thirty-two bytes or more, only for measuring";
    private const string SettlerKey = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"; // the first account every local chain prints
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("turnpike-bench-");
    private readonly List<Process> processes = [];

    public Uri Upstream { get; private set; } = null!;

    public Uri Proxy { get; private set; } = null!;

    public Uri Gateway => Gateways[0];

    public List<Uri> Gateways { get; } = [];

    public int ProxyProcess => processes[1].Id;

    public int GatewayProcess => processes[^1].Id;

    /// <summary>The gateways, in their order.</summary>
    public IEnumerable<Process> GatewayProcesses => processes.TakeLast(Gateways.Count);

    /// <summary>A prepaid token that no run empties.</summary>
    public string Token => Tokens[0];

    public List<string> Tokens { get; } = [];

    /// <param name="store">A file of the stage's own unless said.</param>
    public static async Task<Stage> SetAsync(string? store = null, int nodes = 1)
    {
        var stage = new Stage();
        try
        {
            var (upstream, proxy) = (Local(), Local());
            (stage.Upstream, stage.Proxy) = (upstream, proxy);
            store ??= "sqlite:" + stage.Path("data/bench.db");
            stage.Store = store;
            var bench = typeof(Stage).Assembly.Location;
            for (var node = 0; node < nodes; node++) stage.Tokens.Add(await IssueAsync(store));
            await stage.StartAsync(upstream, bench, Bystanders.UpstreamVerb, $"{upstream.Port}");
            await stage.StartAsync(proxy, bench, Bystanders.ProxyVerb, $"{proxy.Port}", upstream.AbsoluteUri);
            for (var node = 0; node < nodes; node++) await stage.ServeAsync(upstream, node);
            return stage;
        }
        catch
        {
            await stage.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in processes)
        {
            if (!process.HasExited) process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }
        folder.Delete(recursive: true);
    }

    private string Path(string name) => System.IO.Path.Combine(folder.FullName, name);

    /// <summary>Where the books are.</summary>
    public string Store { get; private set; } = "";

    /// <summary>Ends the gateways as an orderly machine does: what they have written is in its place.</summary>
    public async Task StopGatewaysAsync()
    {
        foreach (var gateway in GatewayProcesses)
        {
            Quota.Terminate(gateway);
            await gateway.WaitForExitAsync();
        }
    }

    private async Task ServeAsync(Uri upstream, int node)
    {
        var (gateway, config) = (Local(), Path($"turnpike-{node}.yaml"));
        Gateways.Add(gateway);
        await File.WriteAllTextAsync(config, Document(upstream, gateway, Local(), node));
        await StartAsync(gateway, System.IO.Path.Combine(AppContext.BaseDirectory, "turnpike.dll"), "serve", "--config", config);
    }

    private static async Task<string> IssueAsync(string store)
    {
        using var database = Database.Open(new StorageOptions(store), TimeProvider.System);
        using var audit = new AuditTrail(database, TimeProvider.System);
        var desk = new TokenDesk(new TokenStore(database, new Storage.Nodes.Revisions(database, TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger<Storage.Nodes.Revisions>.Instance)), new SqlLedger(database, audit, "bench"), audit, TimeProvider.System);
        var token = await desk.IssueAsync(new TokenOrder(new Money(1_000_000_000 * Money.Nano, "USD")), "external:bench");
        return new TokenText([System.Text.Encoding.UTF8.GetBytes(Secret)]).Of(token.Id);
    }

    // Every rail is configured, so that a 402 carries the terms of all. The limits on strangers are set out of the way.
    private string Document(Uri upstream, Uri gateway, Uri admin, int node) => $$"""
        gateway:
          node: "{{node + 1}}"
          listen: {{gateway.GetLeftPart(UriPartial.Authority)}}
          admin: {{admin.GetLeftPart(UriPartial.Authority)}}
          store: {{Store}}
        limits:
          unpaid: { amount: 1000000000 requests, per: 1s }
          invalid-proofs: { amount: 1000000000 requests, per: 1s }
        payments:
          chains:
            "eip155:84532":
              rpc: http://127.0.0.1:9
              asset: USDC
              pay-to: "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"
              settler-key: ${env:BENCH_KEY}
          x402: { chains: ["eip155:84532"] }
          mpp:
            secret: ${env:BENCH_SECRET}
            evm: { chains: ["eip155:84532"] }
          prepaid: { secret: "${env:BENCH_SECRET}" }
        services:
          weather:
            upstream: {{upstream.GetLeftPart(UriPartial.Authority)}}
            operations:
              forecast: { match: "GET /forecast/{city}", price: 0.01 USD }
              status: { match: GET /status, price: free }
              free-stream: { match: POST /free-stream, price: free }
              free-metered: { match: POST /free-metered, usage: openai, price: free }
              fixed-stream: { match: POST /fixed-stream, price: 0.01 USD }
              metered-stream: { match: POST /metered-stream, usage: openai, accept: [prepaid], price: { ceiling: 0.50 USD, by: $.model, per-million: { gpt-4o: { input_tokens: 2.50 USD, output_tokens: 10.00 USD } } } }
        """;

    private async Task StartAsync(Uri at, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        (start.Environment["BENCH_SECRET"], start.Environment["BENCH_KEY"]) = (Secret, SettlerKey);
        var process = Process.Start(start)!;
        processes.Add(process);
        var said = new List<string>();
        process.OutputDataReceived += (_, line) => Keep(said, line.Data);
        process.ErrorDataReceived += (_, line) => Keep(said, line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        for (var attempt = 0; attempt < 300 && !process.HasExited; attempt++)
        {
            if (await AnswersAsync(at)) return;
            await Task.Delay(100);
        }
        throw new InvalidOperationException($"{string.Join(' ', arguments)} does not answer at {at}: {string.Join(Environment.NewLine, said)}");
    }

    private static void Keep(List<string> said, string? line)
    {
        lock (said) if (line is not null && said.Count < 50) said.Add(line);
    }

    private static async Task<bool> AnswersAsync(Uri at)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try { await socket.ConnectAsync(IPAddress.Loopback, at.Port); return true; }
        catch (SocketException) { return false; }
    }

    private static Uri Local()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return new Uri($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");
    }
}
