using Turnpike.Access;
using Turnpike.Admin;
using Turnpike.Audit;
using Turnpike.Billing;
using Turnpike.Billing.Automatic;
using Turnpike.Billing.Leaks;
using Turnpike.Billing.Owned;
using Turnpike.Catalog;
using Turnpike.Catalog.Loading;
using Turnpike.Discovery;
using Turnpike.Gateway;
using Turnpike.Identity;
using Turnpike.Ledger;
using Turnpike.Limits;
using Turnpike.Limits.Incidents;
using Turnpike.Metering;
using Turnpike.Payments;
using Turnpike.Plans;
using Turnpike.Pricing;
using Turnpike.Storage;
using Turnpike.Storage.Nodes;
using Turnpike.Telemetry;
using Turnpike.Tokens;

namespace Turnpike;

/// <summary>A gateway, put together: every slice in one line, in their order.</summary>
internal static class Serving
{
    /// <summary>Opens store and books, finishes what an earlier run left open, and only then lets callers in.</summary>
    public static async Task<WebApplication> StartAsync(CatalogSource source, CancellationToken ct)
    {
        var gateway = source.Current.Gateway;
        var builder = GatewaySetup.NewHost();
        Logging(builder.Logging);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenForCallers(gateway));
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(source);
        builder.Services.AddHostedService(s => s.GetRequiredService<CatalogSource>());
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = gateway.Drain);
        await AddSlicesAsync(builder.Services, source, ct);
        var app = builder.Build();
        app.UseGateway();
        app.MapDiscovery();
        app.MapBuy();
        app.MapExchange();
        app.MapTransfer();
        app.MapInvoices();
        app.MapTopUps();
        app.MapWebhooks();
        app.MapSecretScanning();
        Follow(app.Services, source);
        await app.Services.GetRequiredService<IncidentBoard>().RefreshAsync(ct);
        await app.Services.GetRequiredService<Settler>().RecoverAsync(ct);
        await app.StartAsync(ct);
        return app;
    }

    private static async Task AddSlicesAsync(IServiceCollection services, CatalogSource source, CancellationToken ct)
    {
        var gateway = source.Current.Gateway;
        var database = Database.Open(new StorageOptions(gateway.Store, StorageAccess.Write), TimeProvider.System);
        var lease = await NodeLease.OpenAsync(database, gateway.Node, source.Current.Version, TimeProvider.System, ct);
        var installation = new InstallationStore(database);
        var seal = new TermsSeal([await installation.KeyAsync("terms", ct)]);
        var keys = await InstallationKeys.OpenAsync(installation, ct);
        services.AddSingleton(_ => database).AddSingleton(seal).AddSingleton(_ => keys);
        services.AddNode(lease, () => source.Current.Version);
        services.AddAudit(() => source.Current.Gateway.Audit).AddLedger().AddMetering().AddIdentity().AddPlans().AddPricing().AddLimits().AddTokens().AddPayments().AddAccess().AddGateway().AddDiscovery().AddBilling().AddTelemetry(gateway.Otlp).AddAdmin();
    }

    private static void Follow(IServiceProvider services, CatalogSource source)
    {
        var (prices, audit) = (services.GetRequiredService<PriceBook>(), services.GetRequiredService<IAuditTrail>());
        source.Changed += (before, after) =>
        {
            prices.Replaced(before);
            _ = audit.RecordAsync(new AuditEvent { Kind = AuditKinds.ConfigLoaded, Correlation = Ids.New("c"), Reference = after.Version }, CancellationToken.None).AsTask();
        };
        source.Refused += result => _ = audit.RecordAsync(new AuditEvent { Kind = AuditKinds.ConfigRefused, Correlation = Ids.New("c"), Detail = $"{result.Errors.Count} errors" }, CancellationToken.None).AsTask();
    }

    private static void Logging(ILoggingBuilder logging)
    {
        logging.ClearProviders();
        logging.AddSimpleConsole(o => { o.SingleLine = true; o.TimestampFormat = "HH:mm:ss "; o.ColorBehavior = Console.IsOutputRedirected ? Microsoft.Extensions.Logging.Console.LoggerColorBehavior.Disabled : Microsoft.Extensions.Logging.Console.LoggerColorBehavior.Default; });
        logging.AddFilter("Microsoft", LogLevel.Warning).AddFilter("Yarp", LogLevel.Error).AddFilter("System", LogLevel.Warning);
        // Scopes are not printed, and a log that might tell of each request makes a span and a scope for each of them. Who traces has spans all the same.
        logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None).Services.Configure<LoggerFilterOptions>(filter => filter.CaptureScopes = false);
    }
}
