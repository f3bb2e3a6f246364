using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging.Abstractions;
using Turnpike.Catalog.Document;
using Turnpike.Catalog.Loading;

namespace Turnpike.Demo;

/// <summary>The gateway of the demo: the very one that serves elsewhere, on a document written for this run, with secrets nobody keeps.</summary>
internal sealed class DemoGateway : IAsyncDisposable
{
    private readonly string folder;
    private readonly CatalogSource source;

    private DemoGateway(string folder, CatalogSource source, WebApplication app) => (this.folder, this.source, App) = (folder, source, app);

    public WebApplication App { get; }

    /// <summary>Where callers go.</summary>
    public Uri Url => source.Current.Gateway.Url;

    /// <summary>Where operators go.</summary>
    public Uri Admin => new(source.Current.Gateway.Admin);

    /// <summary>What operators present; it ends with this run.</summary>
    public string AdminKey => source.Current.Gateway.AdminKeys[0].Reveal();

    /// <exception cref="DemoException">A port that was asked for is taken, or the document is refused.</exception>
    public static async Task<DemoGateway> StartAsync(DemoOptions options, DemoUpstream upstream, string upstreamKey, LocalChain? chain, Narrator narrator, CancellationToken ct)
    {
        var port = Port(options.Port, 8402, "callers", narrator);
        var admin = Port(options.AdminPort, port == 8403 ? 8404 : 8403, "operators", narrator);
        var folder = Directory.CreateTempSubdirectory("turnpike-demo-").FullName;
        CatalogSource? source = null;
        try
        {
            var path = Path.Combine(folder, "turnpike.yaml");
            await File.WriteAllTextAsync(path, DemoDocument.Text(port, admin, Path.Combine(folder, "demo.db"), chain is not null), ct);
            var variables = Variables(upstream, upstreamKey, chain);
            source = new CatalogSource(Language.Loader, new ConfigEnvironment(variables.GetValueOrDefault, _ => null), path, TimeProvider.System, NullLogger<CatalogSource>.Instance);
            var read = source.Open();
            if (read.Catalog is null) throw new DemoException(string.Join('\n', read.ErrorLines));
            return new DemoGateway(folder, source, await Serving.StartAsync(source, ct));
        }
        catch
        {
            source?.Dispose();
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(3));
        await App.StopAsync(limit.Token);
        await App.DisposeAsync();
        source.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private static Dictionary<string, string> Variables(DemoUpstream upstream, string upstreamKey, LocalChain? chain) => new()
    {
        ["TURNPIKE_ADMIN_KEY"] = Random(),
        ["TURNPIKE_MPP_SECRET"] = Random(),
        ["TURNPIKE_TOKEN_SECRET"] = Random(),
        ["UPSTREAM"] = upstream.Url.GetLeftPart(UriPartial.Authority),
        ["UPSTREAM_KEY"] = upstreamKey,
        ["CHAIN_RPC"] = chain?.Rpc.GetLeftPart(UriPartial.Authority) ?? "",
        ["PAY_TO"] = TestAccounts.Merchant.Address,
        ["SETTLER_KEY"] = TestAccounts.Settler.Key,
    };

    internal static string Random() => RandomNumberGenerator.GetHexString(64, lowercase: true);

    private static int Port(int? wanted, int usual, string whose, Narrator narrator)
    {
        if (IsFree(wanted ?? usual)) return wanted ?? usual;
        if (wanted is not null) throw new DemoException($"Port {wanted} is taken; name another one, or none.");
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var free = ((IPEndPoint)listener.LocalEndpoint).Port;
        narrator.Say($"Port {usual} is taken: {whose} are served on {free}.");
        return free;
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
