using Turnpike.Ledger;
using Turnpike.Protocols.Evm;
using Turnpike.Tests.Catalog;
using Turnpike.Tests.Gateway;
using Turnpike.Tests.Payments.Evm;
using Turnpike.Tests.Simulation.Outside;
using Turnpike.Tests.Simulation.Sweeps;
using Turnpike.Tests.Simulation.Wares;
using Turnpike.Tests.Storage;
using Turnpike.Tokens;

namespace Turnpike.Tests.Simulation;

/// <summary>
/// Everything of one run: a storm with payers, rails, upstream, clocks, disks and processes that fail, then calm, in which every
/// payment must come to its end, and a reckoning.
/// </summary>
internal sealed class World : IDisposable
{
    private readonly List<string> trace = [];
    private readonly DirectoryInfo folder = Directory.CreateDirectory(Path.Combine(Root, "turnpike-" + Path.GetRandomFileName()));
    private readonly SimulatedChain chainLine;
    private readonly SimulatedStripe stripe;
    private readonly List<Payer> payers = [];

    /// <param name="script">One payment instead of a storm; null: a storm.</param>
    public World(int seed, Parts parts, Script? script = null)
    {
        Script = script;
        (Parts, Scheduler) = (parts, new Scheduler(seed));
        Chain = new FakeChain(Scheduler.Outside.Time);
        (chainLine, stripe, Upstream, Checks) = (new SimulatedChain(this, Chain), new SimulatedStripe(this), new SimulatedUpstream(this), new Checks(this));
        Weather = script is null ? Weather.Of(Scheduler.Random, parts) : Weather.Calm;
        (Facilitator, Seller) = (new SimulatedFacilitator(this, new Random(~seed).Next(4)), new SimulatedSeller(this));
        Store = Has(Parts.Nodes) ? new SharedStore(this, Path.Combine(Folder, "shared.db")) : null;
        Nodes = Store is null || script is not null ? [new Node(this, "node A")] : [new Node(this, "node A"), new Node(this, "node B"), .. Scheduler.Chance(30) ? [new Node(this, "node C")] : (Node[])[]];
        if (parts != Parts.None) Say(parts.ToString());
        Say(Weather.ToString());
    }

    private const string Chains = """
        payments:
          chains:
            "eip155:84532": { asset: USDC, pay-to: "${env:PAY_TO}", WHO }

        """;

    private const string Rest = """
          x402: {}
          mpp: { secret: "${env:TURNPIKE_MPP_SECRET}", evm: {}, stripe: { secret-key: "${env:STRIPE_SECRET_KEY}", profile: "${env:STRIPE_PROFILE}", api: "${env:STRIPE_API}" } }
          prepaid: { secret: "${env:TURNPIKE_TOKEN_SECRET}", bundles: [{ price: 0.03 USD, budget: 0.03 USD }, { price: 1.00 USD, budget: 1.00 USD }] }
        plans: { few: { includes: [{ amount: 5 requests, per: 1m, when-used-up: pay }] } }
        callers: { agent: { plan: few, keys: ["${env:AGENT_KEY}"] } }
        services:
          weather:
            upstream: ${env:UPSTREAM}
            headers: { x-upstream-key: "${env:UPSTREAM_KEY}" }
            operations:
              forecast: { match: "GET /forecast/{city}", price: 0.01 USD }
              early: { match: GET /early, price: 0.01 USD, settle: before }
              report: { match: POST /reports, price: 1.00 USD }
              member: { match: GET /member, price: 0.01 USD, accept: [plan, prepaid] }
              chat: { match: POST /chat, usage: openai, accept: [prepaid], price: { ceiling: 0.05 USD, per-million: { output_tokens: 1000.00 USD } } }
        """;

    private const string Agreeing = """automatic-top-up: { monthly: 100.00 USD }, checkout: { stripe: { secret-key: "${env:STRIPE_SECRET_KEY}", webhook-secret: "${env:STRIPE_WEBHOOK_SECRET}", api: "${env:STRIPE_API}" } }, """;

    private const string Market = """

          market:
            upstream: https://seller.test
            pays: { wallet: market, payees: "${env:SELLER}", caps: [{ amount: 0.04 USD, per: 1h }] }
            operations: { lookup: { match: GET /lookup, price: 0.02 USD } }
        wallets: { market: { key: "${env:WALLET_KEY}", chains: { "eip155:84532": { asset: USDC, rpc: "${env:CHAIN_RPC}" } } } }
        """;

    /// <summary>Who settles, and whether we have a node to look for ourselves, is the seed's to say.</summary>
    public string Document => Chains.Replace("WHO", Has(Parts.Facilitator) ? $"facilitator: \"{SimulatedFacilitator.Url}\"{(Facilitator.IsWatched ? ", rpc: \"${env:CHAIN_RPC}\"" : "")}" : "rpc: \"${env:CHAIN_RPC}\", settler-key: \"${env:SETTLER_KEY}\"", StringComparison.Ordinal) + (Has(Parts.TopUps) ? Rest.Replace("bundles: [{ price: 0.03 USD, budget: 0.03 USD }", Agreeing + "bundles: [{ price: 0.50 USD, budget: 0.50 USD }", StringComparison.Ordinal) : Rest) + (Has(Parts.Buying) ? Market : "");

    public Parts Parts { get; }

    public Script? Script { get; }

    /// <summary>What several nodes write; null for one node with a file.</summary>
    public SharedStore? Store { get; }

    public Scheduler Scheduler { get; }

    public Weather Weather { get; private set; }

    public bool IsCalm { get; private set; }

    /// <summary>What a process had not written when its disk failed, it could not write any more.</summary>
    public bool DiskFailed { get; set; }

    /// <summary>Nobody but a facilitator knows what became of a payment: its no is believed when the authorization has long ended.</summary>
    public bool IsBlind => Has(Parts.Facilitator) && !Facilitator.IsWatched;

    public FakeChain Chain { get; }

    public SimulatedStripe Stripe => stripe;

    public SimulatedUpstream Upstream { get; }

    public SimulatedFacilitator Facilitator { get; }

    /// <summary>Who sells us what we sell on.</summary>
    public SimulatedSeller Seller { get; }

    /// <summary>What a buyer agreed to; null where nobody did.</summary>
    public Consent? Consent { get; private set; }

    public Checks Checks { get; }

    public IReadOnlyList<Node> Nodes { get; }

    public IReadOnlyList<Payer> Payers => payers;

    /// <summary>Authorizations that their payers cancelled.</summary>
    public HashSet<string> Cancelled { get; } = [];

    /// <summary>How far wall clocks of starting processes are off.</summary>
    public TimeSpan ClockOff { get; private set; }

    public string Folder => folder.FullName;

    /// <summary>What happened, in order.</summary>
    public IReadOnlyList<string> Trace => trace;

    /// <summary>What must never happen and did.</summary>
    public List<string> Findings { get; } = [];

    private static string Root => Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath();

    public void Run()
    {
        Scheduler.Run(Script is null ? RunAsync : PlayAsync);
        if (Scheduler.Strays > 0) Broken($"{Scheduler.Strays} continuations came from other threads");
    }

    public bool Has(Parts part) => Parts.HasFlag(part);

    /// <summary>A node that lets callers in; null when none does.</summary>
    public Node? AnyUp() => Nodes.FirstOrDefault(node => node.Up && !node.Stands);

    public void Say(string what) => trace.Add($"{Scheduler.Ticks / TimeSpan.TicksPerMillisecond,9} ms  {what}");

    public void Broken(string what)
    {
        Findings.Add(what);
        Say("!!! " + what);
    }

    public Task WaitAsync(TimeSpan by) => Task.Delay(by, Scheduler.Outside.Time);

    /// <summary>Does something later; told in the trace when it is worth a word.</summary>
    public void Later(TimeSpan by, string? what, Action act) => Scheduler.At(Scheduler.Ticks + by.Ticks, new Alarm(Scheduler.Outside, () =>
    {
        if (what is not null) Say(what);
        act();
    }));

    public async Task<Told?> SendAsync(Ask ask)
    {
        await WaitAsync(Scheduler.Between(0, 20));
        return await Nodes[Scheduler.Random.Next(Nodes.Count)].SendAsync(ask);
    }

    public HttpMessageHandler HandlerOf(Uri url) => url.Port == 8545 ? chainLine : url.Port == SimulatedFacilitator.Url.Port ? Facilitator : stripe;

    public void Dispose()
    {
        foreach (var node in Nodes) node.Dispose();
        Store?.Dispose();
        folder.Delete(recursive: true);
    }

    private async Task RunAsync()
    {
        var storm = Weather;
        Weather = Weather.Calm;
        foreach (var node in Nodes) await node.StartAsync();
        while (!Nodes.All(n => n.Up)) await WaitAsync(TimeSpan.FromMilliseconds(10));
        for (var i = 0; i < Scheduler.Random.Next(1, 5); i++) payers.Add(await ComesAsync(i));
        if (Has(Parts.TopUps)) await AgreeAsync();
        Weather = storm;
        var buying = payers.ConvertAll(payer => payer.RunAsync());
        if (Consent is not null) buying.Add(Consent.RunAsync());
        if (Has(Parts.Operator)) buying.Add(new Operator(this).RunAsync());
        await StormAsync(TimeSpan.FromSeconds(Scheduler.Random.Next(10, 120)));
        BecomeCalm();
        Chain.Mining = true;
        Chain.Mine();
        Say("--- calm ---");
        foreach (var node in Nodes.Where(n => n.Running)) node.Jump(TimeSpan.Zero);
        await Task.WhenAll(buying);
        await QuietAsync();
        await Checks.ReckonAsync();
        if (!Has(Parts.Erasure) || Findings.Count > 0) return;
        Weather = Weather.Calm with { Disk = storm.Disk, SlowDisk = storm.SlowDisk, Store = storm.Store };
        await new Erasing(this).RunAsync();
    }

    /// <summary>Nothing fails any more.</summary>
    public void BecomeCalm()
    {
        (Weather, IsCalm, ClockOff) = (Weather.Calm, true, TimeSpan.Zero);
        if (Store is not null) Store.AwayUntil = 0;
    }

    /// <summary>Nothing fails but what the script says.</summary>
    private async Task PlayAsync()
    {
        IsCalm = true;
        await Nodes[0].StartAsync();
        while (!Nodes[0].Up) await WaitAsync(TimeSpan.FromMilliseconds(10));
        payers.Add(await ComesAsync(0));
        await new ScriptedPayment(this, payers[0], Script!).RunAsync();
        await QuietAsync();
        await Checks.ReckonAsync();
    }

    private async Task<Payer> ComesAsync(int number)
    {
        var desk = Nodes[0].Of<TokenDesk>();
        Money.TryParse(Script is null && Scheduler.Chance(50) ? "0.03 USD" : "5.00 USD", out var budget).ShouldBeTrue();
        var token = await desk.IssueAsync(new TokenOrder(budget) { Calls = Scheduler.Chance(30) ? 2 : null }, "external:owner");
        var payer = new Payer(this, number, "Bearer " + Nodes[0].TextOf(token.Id));
        Chain.Token.Balances[payer.Wallet.Address] = Checks.Rich(payer, token, Script is null && Scheduler.Chance(50) ? 25_000UL : 9_000_000UL);
        if (Script is not null) Chain.Token.Balances[Settler] = 1_000_000_000;
        if (Has(Parts.Operator)) Chain.Token.Balances[Settler] = Scheduler.Chance(80) ? 1_000_000_000UL : 15_000UL;
        return payer;
    }

    /// <summary>Whose wallet refunds come out of.</summary>
    private static readonly Address Settler = Secp256k1.AddressOf(Hex.Decode(Documents.Variables["SETTLER_KEY"])!);

    private async Task AgreeAsync()
    {
        var consent = new Consent(this);
        await consent.BeginAsync(Nodes[0]);
        Consent = consent;
    }

    private async Task StormAsync(TimeSpan length)
    {
        for (var end = Scheduler.Ticks + length.Ticks; Scheduler.Ticks < end;)
        {
            await WaitAsync(Scheduler.Between(100, 10_000));
            var node = Nodes[Scheduler.Random.Next(Nodes.Count)];
            if (node.Running && Scheduler.Chance(Weather.Crash)) node.Crash();
            if (node.Running && Scheduler.Chance(Weather.Clock))
            {
                ClockOff = TimeSpan.FromMinutes(Scheduler.Random.Next(-60, 61));
                Say($"{node.Name}'s clock is off by {ClockOff}");
                node.Jump(ClockOff);
            }
            if (node.Running && Weather.Pause > 0 && Scheduler.Chance(Weather.Pause)) node.Pause(Scheduler.Between(100, 20_000));
            if (Scheduler.Chance(Weather.StandingChain)) Stand(Scheduler.Between(1_000, 60_000));
        }
    }

    private void Stand(TimeSpan by)
    {
        Chain.Mining = false;
        Say("the chain stands still");
        Later(by, "the chain moves on", () => { Chain.Mining = true; Chain.Mine(); });
    }

    /// <summary>Nobody asks any more; every payment comes to its end within the time a settler may take.</summary>
    private async Task QuietAsync()
    {
        // What we signed by a clock that was an hour fast may be collected for as long.
        for (var wait = 0; wait < (IsBlind || Has(Parts.Buying) ? 720 : 180) && await Checks.OpenAsync() > 0; wait++)
        {
            await WaitAsync(TimeSpan.FromSeconds(10));
            Chain.Mine(10);
        }
        // A facilitator that only says that the nonce was used has said nothing: its owner looks at the chain.
        if (IsBlind && AnyUp() is { } node) await Operator.LookAsync(this, node);
        await WaitAsync(TimeSpan.FromMinutes(3)); // what was still on its way arrives
        Chain.Mine(10);
        await WaitAsync(TimeSpan.FromMinutes(6));
    }
}
