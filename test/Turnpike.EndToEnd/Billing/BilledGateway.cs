using System.Net;
using System.Text.Json.Nodes;
using Turnpike.EndToEnd.Crashes;
using Turnpike.EndToEnd.Harness;
using Turnpike.Plans;
using Turnpike.Storage;
using Turnpike.Tests.Billing.Stripe;

namespace Turnpike.EndToEnd.Billing;

/// <summary>A gateway that bills one caller by Stripe, on a clock a test moves (libfaketime), to be killed at will; several over one database, if wanted.</summary>
internal sealed class BilledGateway : IAsyncDisposable
{
    public const string Key = "acme-key-for-tests-0123456789abcdef";
    private readonly HttpClient http = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = Until.Patience };
    private readonly List<(string Name, TurnpikeProcess Node)> nodes = [];
    private readonly string clock = Path.GetTempFileName();
    private string? store;
    private TimeSpan off;

    private BilledGateway(Upstream upstream, StripeLoopback stripe) => (Upstream, Stripe) = (upstream, stripe);

    public Upstream Upstream { get; }

    public StripeLoopback Stripe { get; }

    /// <summary>Of several the first that was not killed by its name.</summary>
    public TurnpikeProcess Gateway => nodes[0].Node;

    public DateTimeOffset Now => TimeProvider.System.GetUtcNow() + off;

    /// <param name="stores">One of each node; null: SQLite.</param>
    public static async Task<BilledGateway> StartAsync(string collect = "send", params string?[] stores)
    {
        if (FakeClock.Library is null && stores.All(s => s is null)) Assert.Skip("libfaketime is not installed.");
        var made = new BilledGateway(await Upstream.StartAsync(), await StripeLoopback.StartAsync());
        // Not on any day of the month: the weeks that pass in a test are to end in the same month, whenever it is run.
        if (stores.All(s => s is null)) await made.PassAsync(Second(made.Now, 1) - made.Now);
        foreach (var (store, name) in (stores.Length == 0 ? [null] : stores).Select((s, i) => (s, $"n{i}")))
            made.nodes.Add((name, await TurnpikeProcess.StartAsync("tokens.yaml", _ => Document(collect),
            [
                ("UPSTREAM", Plain(made.Upstream.Url)), ("STRIPE_API", made.Stripe.UrlFor(name)), ("ACME_KEY", Key), ("TURNPIKE_STORE", store ?? "sqlite:books.db"), .. store is null ? FakeClock.Variables(made.clock) : [("gateway.node", name)],
            ])));
        made.store = stores.FirstOrDefault();
        return made;
    }

    /// <summary>Time passes while it does not run.</summary>
    public async Task PassAsync(TimeSpan time)
    {
        off += time;
        await File.WriteAllTextAsync(clock, $"+{(long)off.TotalSeconds}s");
    }

    /// <summary>The month of the calls so far is over. A server has a clock of its own: there its calls are of the month before.</summary>
    public async Task PassMonthAsync()
    {
        if (store is null) { await PassAsync(Second(Now, 1) - Now); return; }
        var now = TimeProvider.System.GetUtcNow();
        var (begin, end) = (new DateTimeOffset(now.Year, now.Month, 1, 0, 0, 0, TimeSpan.Zero), new DateTimeOffset(now.Year, now.Month, 1, 0, 0, 0, TimeSpan.Zero).AddMonths(1));
        using var database = Database.Open(new StorageOptions(store, StorageAccess.Write), TimeProvider.System);
        await database.WriteAsync(sql =>
        {
            sql.Run("update entries set account = $2 where account = $1", Postpaid.Account("acme", end), Postpaid.Account("acme", begin));
            sql.Run("update holds set legs = replace(legs, $1, $2)", Postpaid.Account("acme", end), Postpaid.Account("acme", begin));
        }, CancellationToken.None);
    }

    /// <summary>So much stands on account, and for answers that were delivered by the books: what a kill leaves open is not billed.</summary>
    public async Task OwesAsync(string amount)
    {
        await Until.HoldsAsync($"{amount} is owed", async () => (await CallAsync("/invoices")).Json["unbilled"]!.AsArray() is [{ } one] && (string?)one["amount"] == amount);
        await Until.HoldsAsync("all is delivered", async () => JsonNode.Parse((await Gateway.RunAsync("payments", "list", "--json")).Said)!["payments"]!.AsArray() is { Count: > 0 } all && all.All(p => (string?)p!["outcome"] == "delivered"));
    }

    public async Task KillAsync()
    {
        foreach (var (_, node) in nodes) await node.KillAsync();
    }

    /// <summary>The node that Stripe knows by this name is killed, and is the last from now on.</summary>
    public async Task KillAsync(string name)
    {
        var dead = nodes.Single(n => n.Name == name);
        await dead.Node.KillAsync();
        nodes.Remove(dead);
        nodes.Add(dead);
    }

    public Task StartAgainAsync() => Task.WhenAll(nodes.Select(n => store is null ? n.Node.StartAgainAsync() : n.Node.StartAgainAnewAsync()));

    public Task<Answered> CallAsync(string path = "/forecast/rome", int node = 0) => SendAsync(HttpMethod.Get, path, node);

    /// <summary>Asks for Stripe's page for its customer.</summary>
    public Task<Answered> PortalAsync() => SendAsync(HttpMethod.Post, "/invoices/portal", 0);

    private async Task<Answered> SendAsync(HttpMethod method, string path, int node)
    {
        using var request = new HttpRequestMessage(method, new Uri(nodes[node].Node.Url, path));
        request.Headers.Add("x-api-key", Key);
        using var response = await http.SendAsync(request);
        return await Answered.ReadAsync(response);
    }

    /// <summary>The one invoice, as its customer sees it, once it has this status; within two minutes.</summary>
    public async Task<JsonNode> InvoiceAsync(string status)
    {
        Answered? last = null;
        for (var wait = 0; wait < 600; wait++, await Task.Delay(200))
        {
            last = await CallAsync("/invoices");
            if (last.Status == HttpStatusCode.OK && last.Json["invoices"]!.AsArray() is [{ } one] && (string?)one["status"] == status) return one;
        }
        throw new ShouldAssertException($"It does not become {status}: {last?.Body}\n{Gateway.Log}");
    }

    /// <summary>Stripe tells all it has to tell from the first event on, each this often.</summary>
    public async Task TellAsync(int times = 1)
    {
        foreach (var told in Stripe.Objects.Events.ToList())
            for (var i = 0; i < times; i++) (await Stripe.TellAsync(Gateway.Url, told, Now)).ShouldBe(HttpStatusCode.OK, told.Type);
    }

    /// <summary>One invoice at Stripe for these cents, one customer, and so many payments of it.</summary>
    public async Task ShouldHaveBilledOnceAsync(long cents, int payments)
    {
        StripeObjects.Long(Stripe.Objects.All("invoice").ShouldHaveSingleItem()["total"]).ShouldBe(cents);
        Stripe.Objects.All("customer").ShouldHaveSingleItem();
        Stripe.Objects.All("charge").Count(c => (string?)c["status"] == "succeeded").ShouldBe(payments);
        await Gateway.BooksBalanceAsync();
    }

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        foreach (var (_, node) in nodes) await node.DisposeAsync();
        await Stripe.DisposeAsync();
        await Upstream.DisposeAsync();
        File.Delete(clock);
    }

    private static string Document(string collect) => $$"""

        gateway:
          admin-key: ${env:TURNPIKE_ADMIN_KEY}
          store: ${env:TURNPIKE_STORE}
        payments: { prepaid: { secret: "${env:TURNPIKE_TOKEN_SECRET}" } }
        services:
          s: { upstream: "${env:UPSTREAM}", operations: { data: { match: "GET /forecast/{city}", price: 0.25 USD, accept: [plan, prepaid] } } }
        plans: { account: { postpaid: { per: 1mo, due: 14d, grace: 3d } } }
        callers: { acme: { plan: account, caps: [{ amount: 500.00 USD, per: 1mo }], keys: ["${env:ACME_KEY}"] } }
        billing:
          stripe: { secret-key: "${env:STRIPE_SECRET_KEY}", webhook-secret: "${env:STRIPE_WEBHOOK_SECRET}", api: "${env:STRIPE_API}", automatic-tax: true, collect: {{collect}} }
        """;

    /// <summary>Noon of the second day, so many months on.</summary>
    private static DateTimeOffset Second(DateTimeOffset now, int months) => new DateTimeOffset(now.Year, now.Month, 2, 12, 0, 0, TimeSpan.Zero).AddMonths(months);

    private static string Plain(Uri url) => url.GetLeftPart(UriPartial.Authority);
}
