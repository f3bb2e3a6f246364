using Turnpike.Billing;
using Turnpike.Billing.Automatic;
using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Tokens;

namespace Turnpike.Tests.Simulation.Wares;

/// <summary>
/// A token whose buyer agreed to have it topped up: everybody spends it, its card says no now and then, and its buyer ends what was
/// agreed, or goes on. What the card was charged is on the token, once, and never more than was agreed to in a month.
/// </summary>
internal sealed class Consent(World world)
{
    private static readonly Money Price = new(Money.Nano, "USD"), Below = new(Money.Nano * 97 / 100, "USD"), Monthly = new(Money.Nano * 3, "USD");
    private static readonly string[] Noes = ["insufficient_funds", "card_velocity_exceeded", "authentication_required"];
    private string mandate = "", token = "";

    /// <summary>The token, as callers send it.</summary>
    public string Text { get; private set; } = "";

    public string Token => token;

    /// <summary>Bought and agreed to while all is well.</summary>
    public async Task BeginAsync(Node node)
    {
        var (sale, topUps, terms) = (node.Of<TokenSale>(), node.Of<TopUps>(), new MandateTerms(Price, Price, null, null, Below, Monthly));
        var settings = node.Of<CurrentPayments>()()!.Prepaid!.Checkout!;
        var (order, session) = await sale.BeginAsync(settings, "forecast", new Bundle(Price, Price, null, null), null, "https://api.example/buy/forecast", CancellationToken.None, terms.Told);
        await topUps.AskAsync(order, terms, CancellationToken.None);
        world.Stripe.PayCheckout(session!.Id);
        var agreed = await topUps.OfAsync((await sale.LookAsync(settings, session.Id, CancellationToken.None))!, CancellationToken.None);
        (mandate, token, Text) = (agreed!.Id, order.Token, "Bearer " + node.TextOf(order.Token));
        for (var i = world.Scheduler.Random.Next(4); i > 0 && world.Scheduler.Chance(50); i--) world.Stripe.Refuse(Noes[world.Scheduler.Random.Next(Noes.Length)]);
    }

    /// <summary>Its buyer, now and then.</summary>
    public async Task RunAsync()
    {
        while (!world.IsCalm)
        {
            await world.WaitAsync(world.Scheduler.Between(2_000, 40_000));
            if (world.IsCalm || world.AnyUp() is not { } node) continue;
            var ends = world.Scheduler.Chance(10);
            world.Say($"the buyer {(ends ? "ends the top-ups" : "has them go on")}");
            await node.DoAsync(async at =>
            {
                var known = (await at.Of<MandateStore>().FindAsync(mandate, CancellationToken.None))!;
                _ = ends ? await at.Of<TopUps>().EndAsync(known, "enough", CancellationToken.None) : await at.Of<TopUps>().ResumeAsync(known, CancellationToken.None);
                return known;
            });
        }
    }

    /// <summary>A card was charged: at no moment more than was agreed to.</summary>
    public void Charged()
    {
        if (world.Stripe.ToppedUp.Sum(c => c.Cents) * 10_000_000 > Monthly.Units) world.Broken($"{string.Join(", ", world.Stripe.ToppedUp)} were charged, more than {Monthly} in a month");
    }

    /// <summary>An order that was sent before its buyer ended it, and that Stripe has not heard of, stands for as long as Stripe keeps its key: longer than any world here.</summary>
    public async Task<bool> IsOpenAsync(Node node) =>
        await node.Of<MandateStore>().FindAsync(mandate, CancellationToken.None) is { Pending: { } order } standing
        && (standing.Status != MandateStatus.Ended || world.Stripe.ToppedUp.Any(charged => charged.Order == order));

    public async Task ReckonAsync(Node node, IReadOnlyList<HoldState> holds, IReadOnlyList<HoldState> refunds)
    {
        if (await IsOpenAsync(node)) world.Broken("I5: nobody knows yet what became of a top-up");
        var account = Turnpike.Tokens.Token.AccountOf(token);
        var added = 0L;
        foreach (var (order, cents) in world.Stripe.ToppedUp)
        {
            if ((await node.Of<HandoverStore>().MovedAsync($"topup:{order}", "USD", CancellationToken.None)).Units != cents * 10_000_000) world.Broken($"{order} was charged {cents} and is not on the token");
            added += cents * 10_000_000;
        }
        var spent = holds.Where(h => h is { Status: HoldStatus.Settled, Outcome: HoldOutcome.Delivered } && h.Hold.Legs[0].From == account).Sum(h => h.Captured.Units);
        var back = Till.Back(refunds, account);
        var left = await node.Of<ILedger>().AvailableAsync(account, "USD", CancellationToken.None);
        if (left.Units != Price.Units + added - spent + back) world.Broken($"{account} was bought for {Price}, topped up by {added}, spent {spent}, got back {back} and has {left}");
    }
}
