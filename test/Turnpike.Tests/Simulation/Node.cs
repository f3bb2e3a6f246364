using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Turnpike.Access;
using Turnpike.Audit;
using Turnpike.Billing;
using Turnpike.Catalog;
using Turnpike.Catalog.Loading;
using Turnpike.Gateway;
using Turnpike.Identity;
using Turnpike.Ledger;
using Turnpike.Limits;
using Turnpike.Metering;
using Turnpike.Payments;
using Turnpike.Payments.Evm;
using Turnpike.Plans;
using Turnpike.Pricing;
using Turnpike.Storage;
using Turnpike.Storage.Nodes;
using Turnpike.Tests.Catalog;
using Turnpike.Tests.Gateway;
using Turnpike.Tests.Storage;
using Turnpike.Tokens;
using Yarp.ReverseProxy.Forwarder;

namespace Turnpike.Tests.Simulation;

/// <summary>One gateway as it is composed for serving, without sockets. It dies with what the disk holds at that moment, and starts again from it.</summary>
internal sealed class Node(World world, string name) : IDisposable
{
    private readonly List<TaskCompletionSource<Told?>> pending = [];
    private readonly List<Action> asked = [];
    private readonly List<ServiceProvider> all = [];
    private ServiceProvider? services;
    private RequestDelegate? gate;
    private Place? place;
    private string file = "";
    private int lives;

    public string Name => name;

    /// <summary>It lets callers in.</summary>
    public bool Up { get; private set; }

    /// <summary>How many rounds its settler has made.</summary>
    public int Rounds { get; private set; }

    public bool Running => place is { Dead: false };

    /// <summary>How long a settler waits between two rounds, and a node before it renews its lease: as in life while anything may fail; when nothing does, most would find nothing.</summary>
    private (TimeSpan Round, TimeSpan Renewal) Pauses => world.Script is null && world.IsCalm ? (TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(5)) : (TimeSpan.FromSeconds(2), NodeLease.Renewal);

    /// <summary>A token's text, from its id.</summary>
    public string TextOf(string token) => DocumentOf(world.Document).Current.Settings.Get<PaymentSettings>()!.Prepaid!.Text.Of(token);

    /// <summary>A token's id, from its text.</summary>
    public string? IdOf(string text) => DocumentOf(world.Document).Current.Settings.Get<PaymentSettings>()!.Prepaid!.Text.Read(text).Id;

    public T Of<T>() where T : notnull => services!.GetRequiredService<T>();

    /// <summary>It stands still at the moment, and does not know it.</summary>
    public bool Stands => place is { } here && here.PausedUntil > world.Scheduler.Ticks;

    /// <summary>Starts on what the last life left, and opens its door when recovery is through.</summary>
    public async Task StartAsync()
    {
        var here = place = new Place(world.Scheduler, name);
        here.Time.Off = world.ClockOff;
        SynchronizationContext.SetSynchronizationContext(here);
        var database = world.Store is { } store ? Database.Over(store.Connect(here), here.Time, threaded: false) : Database.Open(new StorageOptions("sqlite:" + NextFile()) { Threaded = false }, here.Time);
        here.Writer = database.Writer;
        if (world.Store is null)
        {
            Build(database, here, null);
            database.Writer.Join(new FaultyDisk(world, here));
        }
        here.Wrote = () => world.Checks.AfterBatch(this, database);
        SynchronizationContext.SetSynchronizationContext(world.Scheduler.Outside);
        world.Say($"{name} starts, life {++lives}");
        here.Post(async _ => await LiveAsync(database, here), null);
        await Task.CompletedTask;
    }

    /// <summary>Sends a request and waits for the end of its answer; null when the connection broke, or nobody listened.</summary>
    public Task<Told?> SendAsync(Ask ask)
    {
        if (!Up) return Task.FromResult<Told?>(null);
        var (done, here, told) = (new TaskCompletionSource<Told?>(), place!, ask.Open(services!));
        pending.Add(done);
        here.Post(async _ =>
        {
            try { await gate!(told.Http); }
            catch (Exception e) { world.Broken($"{name}: the gate threw: {e}"); }
            pending.Remove(done);
            done.TrySetResult(told);
        }, null);
        return done.Task;
    }

    /// <summary>What an operator asks of it; null when it died, or its store did not answer.</summary>
    public Task<T?> DoAsync<T>(Func<Node, Task<T>> ask) where T : class
    {
        var (done, here) = (new TaskCompletionSource<T?>(), place!);
        Action broken = () => done.TrySetResult(null);
        asked.Add(broken);
        here.Post(async _ =>
        {
            try { done.TrySetResult(await ask(this)); }
            catch (StorageUnavailableException) { done.TrySetResult(null); }
            catch (Exception e)
            {
                world.Broken($"{name}: an operator's word threw: {e}");
                done.TrySetResult(null);
            }
            asked.Remove(broken);
        }, null);
        return done.Task;
    }

    /// <summary>kill -9, of this life only.</summary>
    public void Crash(Place life)
    {
        if (life.Dead || life != place) return;
        world.Say($"{name} dies");
        (life.Dead, Up) = (true, false);
        foreach (var call in pending.ToList()) call.TrySetResult(null);
        pending.Clear();
        foreach (var broken in asked.ToList()) broken();
        asked.Clear();
        world.Later(world.Scheduler.Between(50, 5_000), $"{name} is started again", () => _ = StartAsync());
    }

    public void Crash() => Crash(place!);

    public void Pause(TimeSpan by)
    {
        world.Say($"{name} stands still for {by.TotalSeconds:0.0} s");
        place!.Pause(by);
    }

    public void Jump(TimeSpan off) => place!.Time.Off = off;

    public void Dispose()
    {
        foreach (var life in all) life.Dispose();
    }

    private string NextFile()
    {
        var before = file;
        file = Path.Combine(world.Folder, $"{name}{lives + 1}.db");
        if (before != "") Inherit(before, file);
        else EmptyDatabase.Put(file);
        return file;
    }

    private async Task LiveAsync(Database database, Place here)
    {
        try
        {
            var lease = world.Store is null ? null : await JoinAsync(database, here);
            if (lease is not null) Build(database, here, lease);
            var (settler, watch) = (Of<Settler>(), ActivatorUtilities.CreateInstance<ChainWatch>(services!));
            if (lease is not null) await Of<Revisions>().StartAsync(CancellationToken.None);
            await settler.RecoverAsync(CancellationToken.None);
            Up = true;
            world.Say($"{name} is open");
            if (lease is not null) here.Post(async _ => await KeepAsync(lease, here), null);
            for (var round = 0; ; round++) await RoundAsync(settler, round % 8 == 0 ? watch : null, here);
        }
        catch (StorageException e) when (e is StorageUnavailableException || world.Store is not null)
        {
            Crash(here); // a process that cannot start ends
        }
        catch (Exception e) { world.Broken($"{name}: recovery failed: {e}"); }
    }

    private async Task<NodeLease> JoinAsync(Database database, Place here) => await NodeLease.OpenAsync(database, name, "v1", here.Time, CancellationToken.None);

    /// <summary>What <see cref="NodeKeeper"/> does.</summary>
    private async Task KeepAsync(NodeLease lease, Place here)
    {
        for (var pause = Pauses.Renewal; ;)
        {
            await Task.Delay(pause, here.Time);
            try
            {
                if (!await lease.RenewAsync("v1", CancellationToken.None)) world.Say($"{name} has lost its lease");
                pause = Pauses.Renewal;
            }
            catch (StorageException) { pause = TimeSpan.FromMilliseconds(500); }
        }
    }

    private void Build(Database database, Place here, NodeLease? lease)
    {
        all.Add(services = Compose(database, here, lease));
        (_, _) = (services.GetRequiredService<ILedger>(), services.GetRequiredService<AuditTrail>());
        var app = new ApplicationBuilder(services);
        app.UseMiddleware<Faults>();
        app.MapWhen(http => TargetOf(http).StartsWith("/buy/", StringComparison.Ordinal), sales => sales.Run(SellAsync));
        app.UseMiddleware<Gate>();
        app.Run(services.GetRequiredService<Forwarder>().ForwardAsync);
        gate = app.Build();
    }

    private static string TargetOf(HttpContext http) => http.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpRequestFeature>()!.RawTarget;

    /// <summary>What the route of a sale does.</summary>
    private static Task SellAsync(HttpContext http)
    {
        var parts = TargetOf(http).Split('/');
        var services = http.RequestServices;
        return PayApi.PayAsync(parts[2], int.Parse(parts[3], System.Globalization.CultureInfo.InvariantCulture), http, services.GetRequiredService<CatalogSource>(), services.GetRequiredService<Cashier>(), services.GetRequiredService<AccessRules>(), services.GetRequiredService<PaymentReplies>(),
            services.GetRequiredService<TokenSale>(), services.GetRequiredService<TokenDesk>(), services.GetRequiredService<ILedger>(), services.GetRequiredService<TimeProvider>());
    }

    private async Task RoundAsync(Settler settler, ChainWatch? watch, Place here)
    {
        await Task.Delay(Pauses.Round, here.Time);
        try
        {
            if (watch is not null) await watch.RoundAsync(CancellationToken.None);
            await settler.RoundAsync(CancellationToken.None);
            if (world.Consent is not null) await Of<Turnpike.Billing.Automatic.TopUps>().RoundAsync(CancellationToken.None);
            Rounds++;
        }
        catch (StorageException e) when (e is StorageUnavailableException || world.Store is not null) { /* said, and tried again in the next round */ }
        catch (Exception e) { world.Broken($"{name}: the settler's round threw: {e}"); }
    }

    /// <summary>What a killed process leaves: the file and its log, nobody having closed them.</summary>
    private static void Inherit(string from, string to)
    {
        File.Copy(from, to);
        if (File.Exists(from + "-wal")) File.Copy(from + "-wal", to + "-wal");
    }

    private ServiceProvider Compose(Database database, Place here, NodeLease? lease)
    {
        var source = DocumentOf(world.Document);
        var parts = new ServiceCollection().AddLogging().AddSingleton<TimeProvider>(here.Time).AddSingleton(source).AddSingleton(_ => database);
        if (lease is not null) parts.AddSingleton(lease);
        parts.AddSingleton(new TermsSeal([[.. Enumerable.Repeat((byte)7, 32)]]));
        parts.AddSingleton<Microsoft.Extensions.Hosting.IHostApplicationLifetime>(new Microsoft.Extensions.Hosting.Internal.ApplicationLifetime(NullLogger<Microsoft.Extensions.Hosting.Internal.ApplicationLifetime>.Instance));
        parts.AddAudit().AddLedger().AddMetering().AddIdentity().AddPlans().AddPricing().AddLimits().AddTokens().AddPayments().AddAccess().AddGateway().AddBilling();
        parts.AddSingleton<Turnpike.Admin.Data.DataDesk>();
        parts.AddSingleton<HttpClients>((url, timeout, most) => new HttpClient(world.HandlerOf(url), disposeHandler: false) { Timeout = timeout, MaxResponseContentBufferSize = most });
        parts.AddSingleton(new RailTimings { Poll = TimeSpan.FromSeconds(1) }).AddSingleton(world.Scheduler.Random);
        foreach (var method in parts.Where(s => s.ServiceType == typeof(IPaymentMethod)).ToList())
        {
            parts.Remove(method);
            parts.AddSingleton<IPaymentMethod>(s => new SimulatedRail(world, (IPaymentMethod)ActivatorUtilities.CreateInstance(s, method.ImplementationType!)));
        }
        var yarp = parts.Single(s => s.ServiceType == typeof(IHttpForwarder));
        parts.Remove(yarp);
        parts.AddSingleton<IHttpForwarder>(s => new Wire((IHttpForwarder)ActivatorUtilities.CreateInstance(s, yarp.ImplementationType!), world.Upstream));
        return parts.BuildServiceProvider();
    }

    private static readonly System.Collections.Concurrent.ConcurrentDictionary<string, Lazy<CatalogSource>> Sources = new();

    private static CatalogSource DocumentOf(string text) => Sources.GetOrAdd(text, static text => new Lazy<CatalogSource>(() => Open(text))).Value;

    private static CatalogSource Open(string text)
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory("turnpike-").FullName, "turnpike.yaml");
        File.WriteAllText(path, text);
        var source = new CatalogSource(Language.Loader, Documents.Environment, path, TimeProvider.System, NullLogger<CatalogSource>.Instance);
        source.Open().ErrorLines.ShouldBeEmpty();
        return source;
    }

    /// <summary>The real forwarding with its last step, the socket, replaced.</summary>
    private sealed class Wire(IHttpForwarder real, HttpMessageHandler upstream) : IHttpForwarder
    {
        private readonly HttpMessageInvoker client = new(upstream, disposeHandler: false);

        public ValueTask<ForwarderError> SendAsync(HttpContext context, string destinationPrefix, HttpMessageInvoker httpClient, ForwarderRequestConfig requestConfig, HttpTransformer transformer) =>
            real.SendAsync(context, destinationPrefix, client, requestConfig, transformer);
    }
}
