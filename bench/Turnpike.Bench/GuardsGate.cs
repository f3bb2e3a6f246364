using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Turnpike.Access;
using Turnpike.Audit;
using Turnpike.Billing;
using Turnpike.Catalog;
using Turnpike.Catalog.Document;
using Turnpike.Catalog.Loading;
using Turnpike.Gateway;
using Turnpike.Gateway.Doors;
using Turnpike.Identity;
using Turnpike.Ledger;
using Turnpike.Limits;
using Turnpike.Metering;
using Turnpike.Payments;
using Turnpike.Plans;
using Turnpike.Pricing;
using Turnpike.Storage;
using Turnpike.Tokens;
using Yarp.ReverseProxy.Forwarder;

namespace Turnpike.Bench;

/// <summary>
/// The whole gate as it is composed for serving, on a file of its own, without sockets: forwarding ends in an upstream in memory. What
/// is left is what the gate itself takes, the trail it writes included.
/// </summary>
internal sealed class GuardsGate : IDisposable
{
    public const string Key = "a-key-that-only-measures-0123456789", Secret = "a secret of thirty-two bytes or more, only for measuring";

    // Limits and breakers that nobody reaches: counting is what is measured, not refusing.
    private const string Document = """
        payments: { prepaid: { secret: "${env:SECRET}" } }
        services:
          weather:
            upstream: http://127.0.0.1:9
            operations:
              status: { match: GET /status, price: free }
              guarded: { match: GET /guarded, price: free, identity: required, limits: [{ amount: 1000000000 requests, per: 1m, key: [caller] }, { amount: 1000000000 requests, per: 1h, key: [address] }] }
              included: { match: GET /included, price: 0.01 USD, identity: required }
        plans: { pro: { limits: [{ amount: 1000000000 requests, per: 1m }], includes: [{ amount: 1000000000 requests, per: 1mo }] } }
        callers: { bench: { plan: pro, keys: ["${env:KEY}"], caps: [{ amount: 1000.00 USD, per: 1d }] } }
        identity: { jwt: { login: { issuer: "https://login.example.com", audience: "https://api.example.com", secret: "${env:SECRET}" } } }
        breakers:
          loop: { watch: identical-requests, more-than: 1000000, within: 1s }
          probing: { watch: endpoint-cycling, more-than: 1000000, within: 60s }
          spike: { watch: spend-spike, times: 10, floor: 0.10 USD, within: 60s }
        """;

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("turnpike-guards-");
    private readonly ServiceProvider services;
    private readonly CatalogSource source;
    private readonly RequestDelegate gate;
    private readonly Upstream upstream = new();

    /// <param name="store">A database that is there already; null: an empty one.</param>
    public GuardsGate(string? store = null)
    {
        var config = Path.Combine(folder.FullName, "turnpike.yaml");
        File.WriteAllText(config, Document);
        var environment = new ConfigEnvironment(static name => name switch { "KEY" => Key, "SECRET" => Secret, _ => null }, static _ => null);
        source = new CatalogSource(Language.Loader, environment, config, TimeProvider.System, NullLogger<CatalogSource>.Instance);
        if (source.Open().ErrorLines.FirstOrDefault() is { } wrong) throw new InvalidOperationException(wrong);
        services = Compose(Database.Open(new StorageOptions("sqlite:" + (store ?? Path.Combine(folder.FullName, "books.db"))), TimeProvider.System));
        var app = new ApplicationBuilder(services);
        app.UseMiddleware<Faults>();
        app.Use(next => http => services.GetRequiredService<Drain>().PassAsync(http, next));
        app.UseMiddleware<Pressure>();
        app.UseMiddleware<Gate>();
        app.Run(services.GetRequiredService<Forwarder>().ForwardAsync);
        gate = app.Build();
    }

    /// <summary>Finds a key and its caller in the database, and nothing else.</summary>
    public ValueTask<(ApiKey Key, Caller? Caller)?> LookUpAsync(KeyHash kept) => services.GetRequiredService<CallerStore>().FindAsync(kept, CancellationToken.None);

    /// <summary>What a call does first: whoever has been asked about is remembered.</summary>
    public ValueTask<(ApiKey Key, Principal? Principal)?> KnowAsync(KeyHash presented) => services.GetRequiredService<CallerDesk>().FindAsync(presented, CancellationToken.None);

    /// <summary>One call, from its request to the last byte of its answer.</summary>
    public async Task CallAsync(string target, string? header, string? value)
    {
        var http = new DefaultHttpContext { RequestServices = services };
        http.Features.Set<IHttpRequestBodyDetectionFeature>(NoBody.Instance);
        http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget = target;
        http.Connection.RemoteIpAddress = IPAddress.Loopback;
        (http.Request.Method, http.Request.Protocol, http.Request.Scheme, http.Request.Host) = ("GET", "HTTP/1.1", "https", new HostString("api.example.com"));
        if (header is not null) http.Request.Headers[header] = value;
        var before = upstream.Answered;
        await gate(http);
        if (http.Response.StatusCode != 200 || upstream.Answered != before + 1) throw new InvalidOperationException($"{target} answered {http.Response.StatusCode}.");
    }

    public void Dispose()
    {
        services.Dispose();
        source.Dispose();
        folder.Delete(recursive: true);
    }

    private ServiceProvider Compose(Database database)
    {
        var all = new ServiceCollection().AddLogging().AddSingleton(TimeProvider.System).AddSingleton(source).AddSingleton(_ => database);
        all.AddSingleton(new TermsSeal([new byte[32]]));
        all.AddSingleton<IHostApplicationLifetime>(new Microsoft.Extensions.Hosting.Internal.ApplicationLifetime(NullLogger<Microsoft.Extensions.Hosting.Internal.ApplicationLifetime>.Instance));
        all.AddAudit().AddLedger().AddMetering().AddIdentity().AddPlans().AddPricing().AddLimits().AddTokens().AddPayments().AddAccess().AddGateway().AddBilling();
        var yarp = all.Single(s => s.ServiceType == typeof(IHttpForwarder));
        all.Remove(yarp);
        all.AddSingleton<IHttpForwarder>(s => new Wire((IHttpForwarder)ActivatorUtilities.CreateInstance(s, yarp.ImplementationType!), upstream));
        return all.BuildServiceProvider();
    }

    /// <summary>The real forwarding with its last step, the socket, replaced.</summary>
    private sealed class Wire(IHttpForwarder real, Upstream upstream) : IHttpForwarder
    {
        private readonly HttpMessageInvoker client = new(upstream);

        public ValueTask<ForwarderError> SendAsync(HttpContext context, string destinationPrefix, HttpMessageInvoker httpClient, ForwarderRequestConfig requestConfig, HttpTransformer transformer) =>
            real.SendAsync(context, destinationPrefix, client, requestConfig, transformer);
    }

    private sealed class Upstream : HttpMessageHandler
    {
        private static readonly byte[] Body = "sunny"u8.ToArray();

        /// <summary>How often it was asked.</summary>
        public int Answered { get; private set; }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Answered++;
            return Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { Content = new ByteArrayContent(Body), RequestMessage = request });
        }
    }

    private sealed class NoBody : IHttpRequestBodyDetectionFeature
    {
        public static readonly NoBody Instance = new();

        public bool CanHaveBody => false;
    }
}
