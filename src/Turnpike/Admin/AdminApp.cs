using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Turnpike.Access.Approvals;
using Turnpike.Admin.Accounts;
using Turnpike.Admin.Guards;
using Turnpike.Admin.Callers;
using Turnpike.Admin.Organisations;
using Turnpike.Admin.Data;
using Turnpike.Admin.Meters;
using Turnpike.Admin.Sold;
using Turnpike.Admin.Support;
using Turnpike.Audit;
using Turnpike.Catalog.Loading;
using Turnpike.Gateway;
using Turnpike.Identity;
using Turnpike.Ledger;
using Turnpike.Limits;
using Turnpike.Limits.Breakers;
using Turnpike.Limits.Incidents;
using Turnpike.Plans;
using Turnpike.Payments;
using Turnpike.Payments.Refunds;
using Turnpike.Storage;
using Turnpike.Storage.Nodes;
using Turnpike.Telemetry;
using Turnpike.Tokens;

namespace Turnpike.Admin;

/// <summary>
/// The operators' listener: a server of its own beside the callers', over the gateway's own books. Nothing of it can be reached
/// through the public one, whatever Host or path a caller sends.
/// </summary>
internal sealed class AdminApp(IServiceProvider gateway, CatalogSource catalog) : IHostedService, IAsyncDisposable
{
    /// <summary>No order is longer; an operator's mistake must not fill the memory.</summary>
    private const int MostBody = 64 * 1024;

    private WebApplication? app;

    /// <summary>Where it listens, once it does.</summary>
    public Uri Address => new(app!.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        app = Build();
        await app.StartAsync(cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken) => app?.StopAsync(cancellationToken) ?? Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (app is not null) await app.DisposeAsync();
    }

    private WebApplication Build()
    {
        var settings = catalog.Current.Gateway;
        var builder = GatewaySetup.NewHost();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MostBody;
            var address = new Uri(settings.Admin);
            GatewaySetup.Listen(kestrel, address, options =>
            {
                if (address.Scheme == "https" && settings.Tls is { } tls) options.UseHttps(X509Certificate2.CreateFromPemFile(tls.Certificate, tls.Key));
            });
        });
        Share(builder.Services);
        // A body that does not bind throws, so that it is answered as a problem and not as an empty 400.
        builder.Services.Configure<RouteHandlerOptions>(options => options.ThrowOnBadRequest = true);
        builder.Services.ConfigureHttpJsonOptions(options =>
        {
            options.SerializerOptions.TypeInfoResolverChain.Insert(0, AdminJson.Default);
            options.SerializerOptions.Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping;
            options.SerializerOptions.NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.Strict;
            options.SerializerOptions.UnmappedMemberHandling = System.Text.Json.Serialization.JsonUnmappedMemberHandling.Disallow;
        });
        builder.Services.AddAdminDocument();
        builder.Services.AddSingleton<IHostLifetime, GatewayLifetime>();
        return Map(builder.Build());
    }

    /// <summary>The gateway's own singletons, by instance: this server neither makes nor disposes them.</summary>
    private void Share(IServiceCollection services)
    {
        services.AddSingleton(catalog);
        Share<ILoggerFactory>(services);
        Share<TimeProvider>(services);
        Share<Database>(services);
        Share<InstallationStore>(services);
        Share<InstallationKeys>(services);
        Share<ILedger>(services);
        Share<IAuditTrail>(services);
        Share<AuditRounds>(services);
        Share<TokenDesk>(services);
        Share<TokenHandover>(services);
        Share<Allowances>(services);
        Share<Plans.Grants.GrantDesk>(services);
        Share<Identity.Reputations.ReputationBook>(services);
        Share<Metering.UsageStore>(services);
        Share<Metering.MeterQueries>(services);
        Share<Metering.MarginQueries>(services);
        Share<Billing.Export.OutboxStore>(services);
        Share<Billing.Invoices.InvoiceStore>(services);
        Share<Billing.Invoices.InvoiceDesk>(services);
        Share<Billing.Invoices.CustomerStore>(services);
        Share<Billing.Invoices.StripeInvoicer>(services);
        Share<Billing.Statements.StatementDesk>(services);
        Share<Billing.Statements.BookStore>(services);
        Share<Billing.Disputes.DisputeStore>(services);
        Share<Billing.Disputes.DisputeDesk>(services);
        Share<Billing.PurchaseRefunds>(services);
        Share<Billing.Automatic.MandateStore>(services);
        Share<Billing.Automatic.TopUps>(services);
        Share<Billing.Automatic.TopUpView>(services);
        Share<Settler>(services);
        Share<Billing.SaleRefunds>(services);
        Share<RateCounters>(services);
        Share<CounterSet>(services);
        Share<IncidentBoard>(services);
        Share<ApprovalStore>(services);
        Share<ApprovalDesk>(services);
        Share<BreakerBoard>(services);
        Share<CallerDesk>(services);
        Share<Identity.Organisations.OrganisationDesk>(services);
        Share<NodeLease>(services);
        Share<PrometheusText>(services);
        services.AddSingleton(new Readiness(gateway.GetRequiredService<Database>(), gateway.GetRequiredService<NodeLease>(), catalog, gateway.GetRequiredService<IHostApplicationLifetime>()));
        Share<DataDesk>(services);
        services.AddSingleton<TokenOrders>().AddSingleton<CallerRegister>().AddSingleton<OrganisationRegister>();
    }

    private void Share<T>(IServiceCollection services) where T : class => services.AddSingleton(gateway.GetRequiredService<T>());

    private static WebApplication Map(WebApplication app)
    {
        app.UseMiddleware<AdminFaults>();
        app.UseMiddleware<AdminDoor>();
        app.UseRouting();
        app.MapHealth();
        var api = app.MapGroup("/admin/v1");
        api.MapTokens();
        api.MapGrants();
        api.MapIncidents();
        api.MapOperatorApprovals();
        api.MapBreakers();
        api.MapLimits();
        api.MapPlans();
        api.MapCallers();
        api.MapCallerPlans();
        api.MapOrganisations();
        api.MapPayments();
        api.MapResolve();
        api.MapRefunds();
        api.MapEvidence();
        api.MapLedger();
        api.MapAudit();
        api.MapData();
        api.MapMeters();
        api.MapUsage();
        api.MapExports();
        api.MapMargin();
        api.MapOperations();
        api.MapInvoices();
        api.MapStatements();
        api.MapDisputes();
        api.MapTokenRefunds();
        api.MapTopUpAgreements();
        api.MapConfig();
        app.MapOpenApi("/admin/v1/openapi.json").ExcludeFromDescription();
        return app;
    }

    /// <summary>It lives and stops with the gateway; signals are the gateway's to hear.</summary>
    private sealed class GatewayLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
