using Turnpike.Billing;
using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Payments.Refunds;

namespace Turnpike.Tests.Simulation;

/// <summary>
/// Who owns the gateway: gives back all or a part of what was paid, by rail or as credit, sometimes twice at once on two nodes, insists
/// while nobody answers, and says what became of charges that Stripe keeps silent about.
/// </summary>
internal sealed class Operator(World world)
{
    private const int MostTries = 20;
    private readonly Scheduler scheduler = world.Scheduler;
    private int keys;

    public async Task RunAsync()
    {
        while (!world.IsCalm)
        {
            await world.WaitAsync(scheduler.Between(1_000, 10_000));
            if (await AskAsync(node => node.Of<ILedger>().ListAsync(new HoldFilter { Most = 100 }, CancellationToken.None).AsTask()) is not { } payments) continue;
            if (scheduler.Chance(20)) await ResolveAsync(payments);
            else if (payments.Where(p => p.Status == HoldStatus.Settled).ToList() is { Count: > 0 } paid) await RefundAsync(paid[scheduler.Random.Next(paid.Count)]);
        }
    }

    /// <summary>Ends what no rail says, by what the chain shows.</summary>
    public static async Task LookAsync(World world, Node node)
    {
        foreach (var open in await node.Of<ILedger>().ListAsync(new HoldFilter { Most = 10_000 }, CancellationToken.None))
        {
            if (open is not { Status: HoldStatus.Unknown, Hold.Method: "x402.exact" or "mpp.evm" }) continue;
            var (used, cancelled) = (world.Chain.Token.Used.Contains(Checks.UsedKey(open)), world.Cancelled.Contains(Checks.UsedKey(open)));
            world.Say($"the operator sees that {open.Hold.Receipt} was {(cancelled ? "cancelled" : used ? "paid" : "never paid")}");
            if (!used) world.Broken($"I5: {open.Hold.Id} was never paid, its time is over, and the settler has not ended it");
            await node.DoAsync(async at =>
            {
                await at.Of<Settler>().ResolveAsync(open, new Resolution(cancelled ? ResolvedAs.Released : ResolvedAs.Settled, null, "seen on the chain"), CancellationToken.None);
                return open;
            });
        }
    }

    /// <summary>Gives back what was paid, once, insisting until somebody answers.</summary>
    public async Task RefundAllAsync(bool asCredit)
    {
        var payments = await world.Nodes[0].Of<ILedger>().ListAsync(new HoldFilter { Most = 1 }, CancellationToken.None);
        await InsistAsync(new RefundOrder(payments[0], null, asCredit ? RefundAs.Credit : RefundAs.Rail, "the simulated owner's", "once"));
    }

    private async Task RefundAsync(HoldState payment)
    {
        var amount = scheduler.Chance(50) ? payment.Captured with { Units = payment.Captured.Units / 2 } : (Money?)null;
        RefundAs? how = scheduler.Random.Next(3) switch { 0 => null, 1 => RefundAs.Credit, _ => RefundAs.Rail };
        var order = new RefundOrder(payment, amount, how, "the simulated owner's", $"k{keys++}");
        if (scheduler.Chance(20)) await Task.WhenAll(InsistAsync(order), InsistAsync(order));
        else await InsistAsync(order);
    }

    private async Task InsistAsync(RefundOrder order)
    {
        world.Say($"the operator gives back {order.Amount?.ToString() ?? "all"} of {order.Payment.Hold.Receipt} as {order.As?.ToString() ?? "it can be"}");
        for (var tries = 0; tries < MostTries; tries++)
        {
            var result = await AskAsync(node => node.Of<SaleRefunds>().RefundAsync(order, CancellationToken.None).AsTask());
            if (result is not null)
            {
                world.Say($"the operator is told {(result is RefundResult.Ordered ordered ? $"{ordered.State.Status} for {ordered.State.Hold.Receipt}" : ((RefundResult.Refused)result).Reason)}");
                return;
            }
            await world.WaitAsync(scheduler.Between(500, 5_000));
        }
    }

    private async Task ResolveAsync(IReadOnlyList<HoldState> payments)
    {
        var known = payments.FirstOrDefault(p => p.Status == HoldStatus.Unknown && p.Hold.Id.StartsWith("stripe:", StringComparison.Ordinal) && world.Stripe.Charged.ContainsKey(p.Hold.Id["stripe:".Length..]));
        if (known is null) return;
        world.Say($"the operator has seen {known.Hold.Receipt} in Stripe's books");
        await AskAsync(async node =>
        {
            await node.Of<Settler>().ResolveAsync(known, new Resolution(scheduler.Chance(50) ? ResolvedAs.Settled : ResolvedAs.Credited, world.Stripe.IntentOf(known.Hold.Id["stripe:".Length..]), "seen"), CancellationToken.None);
            return known;
        });
    }

    private Task<T?> AskAsync<T>(Func<Node, Task<T>> ask) where T : class => world.Nodes[scheduler.Random.Next(world.Nodes.Count)] is { Up: true } node ? node.DoAsync(ask) : Task.FromResult<T?>(null);
}
