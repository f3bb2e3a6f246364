using Turnpike.Tests.Gateway;
using Turnpike.Tests.Payments.Evm;
using Turnpike.Tests.Simulation.Wares;

namespace Turnpike.Tests.Simulation;

/// <summary>
/// A caller with a wallet and a token. It asks for terms, pays, and repeats the same request while it was not given a final
/// answer; now and then it hangs up, presents one proof twice at once, replays it later, or meddles with its own money.
/// </summary>
internal sealed class Payer(World world, int number, string token)
{
    private const int MostTries = 80;
    private readonly Scheduler scheduler = world.Scheduler;
    private Shopper? shopper;
    private int keys;

    public Wallet Wallet { get; } = new(world, number);

    public Shopper Shopper => shopper ??= new Shopper(world, this, number);

    public string Token => token;

    public List<Purchase> Purchases { get; } = [];

    /// <summary>Authorizations that others sent to the chain.</summary>
    public List<(string Key, UInt128 Value)> GivenAway { get; } = [];

    private string Name => $"payer {number}";

    public async Task RunAsync()
    {
        for (var wanted = scheduler.Random.Next(1, 5); wanted > 0; wanted--)
        {
            await world.WaitAsync(scheduler.Between(0, 6_000));
            if (await ChooseAsync() is not { } purchase) continue;
            Purchases.Add(purchase);
            if (scheduler.Chance(15)) await Task.WhenAll(BuyAsync(purchase), BuyAsync(purchase));
            else await BuyAsync(purchase);
            if (!purchase.Repeatable || !scheduler.Chance(40)) continue;
            await world.WaitAsync(scheduler.Between(0, 20_000));
            await PresentAsync(purchase);
        }
    }

    /// <summary>Something to buy, with its credential; null when nobody gave terms.</summary>
    private async Task<Purchase?> ChooseAsync()
    {
        if (world.Has(Parts.Streams) || world.Has(Parts.Plans) || world.Has(Parts.Sales) || world.Has(Parts.Buying) || world.Has(Parts.TopUps))
            if (await Shopper.ChooseAsync() is { } ware) return ware;
        var way = scheduler.Random.Next(6);
        var ask = way == 2 || way > 2 && scheduler.Chance(20) ? new Ask("POST", "/reports") { Body = $"{{\"by\":{number}}}" }
            : new Ask("GET", scheduler.Chance(70) ? "/forecast/paris" : "/early");
        if (way >= 4)
        {
            ask = ask.With(("Authorization", token));
            if (way == 5) return new Purchase(ask.With(("Idempotency-Key", $"\"key-{keys++}\"")), "prepaid with a key") { Repeatable = true };
            return new Purchase(ask, "prepaid");
        }
        if (await TermsAsync(ask) is not { } terms) return null;
        var (header, how) = way switch { 2 => (Wallet.Stripe(terms), "stripe"), 3 => (Wallet.MppEvm(terms), "mpp"), _ => (Wallet.X402(terms), "x402") };
        if (way != 2 && scheduler.Chance(5)) Meddle();
        return new Purchase(ask.With(header), how) { Repeatable = true };
    }

    public async Task<Told?> TermsAsync(Ask ask)
    {
        for (var tries = 0; tries < 10; tries++)
        {
            var terms = await world.SendAsync(ask);
            if (terms is { Status: 402 }) return terms;
            world.Say($"{Name} asks for terms of {ask.Target} and is told {terms}");
            await world.WaitAsync(scheduler.Between(200, 3_000));
        }
        return null;
    }

    /// <summary>Presents until the answer is final. A request without a key is not repeated: that would be another purchase.</summary>
    public async Task BuyAsync(Purchase purchase)
    {
        for (var tries = 0; tries < MostTries; tries++)
        {
            var told = await PresentAsync(purchase);
            if (told is { Aborted: false, Status: 200 or 400 or 402 or 403 or 404 or 422 } or { Status: 409, Reason: not "in-flight" } or { Reason: "spending-cap-reached" or "upstream-asks-payment" } || !purchase.Repeatable) return;
            if (!world.IsCalm && scheduler.Chance(5)) return;
            await world.WaitAsync(scheduler.Between(500, 12_000));
        }
        if (world.IsCalm && !world.IsBlind) world.Broken($"{Name} was never given a final answer for {purchase.How} {purchase.Ask.Target}");
    }

    public async Task<Told?> PresentAsync(Purchase purchase)
    {
        var leaving = new CancellationTokenSource();
        var ask = purchase.Ask;
        if (scheduler.Chance(world.Weather.Leaving))
        {
            purchase.Left = true;
            if (scheduler.Chance(30)) ask = ask with { Breaks = true };
            else world.Later(scheduler.Between(0, 4_000), null, leaving.Cancel);
            ask = ask with { Leaves = leaving.Token };
        }
        world.Say($"{Name} presents {purchase.How} for {ask.Method} {ask.Target}{(ask.Breaks || ask.Leaves.CanBeCanceled ? ", and will leave" : "")}");
        var told = await world.SendAsync(ask);
        if (leaving.IsCancellationRequested) told = null; // whatever was written, nobody read it
        world.Say($"{Name} is told {(told is null ? "nothing: the connection broke" : told.Aborted ? "half an answer" : $"{told} {told.Body[..Math.Min(told.Body.Length, told.Status == 200 ? 40 : 0)]}")}");
        if (told is { Reason: "internal-error" }) world.Broken($"{Name} is told 500");
        if (told is null || told.Aborted) purchase.Left = true;
        else if (told.Status == 200 && !ask.Breaks)
        {
            world.Checks.Answered(this, purchase, told);
            if (purchase.BuysToken) Shopper.Receive(told);
        }
        return told;
    }

    /// <summary>The payer, or anybody who saw the authorization, uses it before we do; or the payer cancels it.</summary>
    private void Meddle()
    {
        var (authorization, signature) = Wallet.Last;
        var cancels = scheduler.Chance(50);
        world.Later(scheduler.Between(0, 30_000), $"{Name}'s authorization is {(cancels ? "cancelled" : "sent by somebody else")}", () =>
        {
            var key = FakeToken.Key(authorization.From, authorization.Nonce);
            if (world.Chain.Token.Used.Contains(key)) return;
            if (cancels && world.Cancelled.Add(key)) world.Chain.Cancel(authorization);
            else world.Chain.SettleByOther(authorization, signature);
            if (!cancels && world.Chain.Token.Used.Contains(key)) GivenAway.Add((key, authorization.Value.Low));
        });
    }
}
