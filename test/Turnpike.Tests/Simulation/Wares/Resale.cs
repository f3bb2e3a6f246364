using Turnpike.Ledger;

namespace Turnpike.Tests.Simulation.Wares;

/// <summary>The reckoning of what is bought to be sold on: paid for once, within its caps, and never more than the chain took.</summary>
internal sealed class Resale(World world)
{
    /// <summary>Nano-dollars that may be paid out in an hour.</summary>
    public const long Cap = 40_000_000;

    public static bool IsResale(HoldState state) => state.Hold.Operation == "lookup" && !state.Hold.IsPurchase;

    /// <summary>What was paid, or may have been, for these calls.</summary>
    public static async Task<IReadOnlyList<HoldState>> PurchasesAsync(Node node, IReadOnlyList<HoldState> holds)
    {
        List<HoldState> purchases = [];
        foreach (var call in holds.Where(IsResale))
            if (await node.Of<ILedger>().FindAsync(Hold.PurchasePrefix + call.Hold.Receipt, CancellationToken.None) is { } bought) purchases.Add(bought);
        return purchases;
    }

    public async Task ReckonAsync(Node node, IReadOnlyList<HoldState> holds)
    {
        var purchases = await PurchasesAsync(node, holds);
        foreach (var open in purchases.Where(p => p.IsOpen || p is { Status: HoldStatus.Settled, Outcome: HoldOutcome.Open })) world.Broken($"I5: {open.Hold.Id} is still {open.Status}");
        var paid = purchases.Where(p => p.Status == HoldStatus.Settled).ToList();
        var booked = paid.Sum(p => p.Captured.Units);
        var (taken, believed) = (world.Seller.Taken * 1000, world.Seller.Believed * 1000);
        if (booked < taken || booked > taken + believed) world.Broken($"the chain took {taken} of our wallet, {believed} was not collected, and the books say {booked}");
        foreach (var cap in paid.SelectMany(p => p.Hold.Legs.Where(l => l.Limited).Select(l => (l.From, p.Captured.Units))).GroupBy(l => l.From))
            if (cap.Sum(l => l.Units) > Cap) world.Broken($"I2: {cap.Sum(l => l.Units)} was paid under {cap.Key}, more than {Cap}");
        foreach (var call in holds.Where(h => IsResale(h) && h is { Status: HoldStatus.Settled, Outcome: HoldOutcome.Delivered }))
            if (!paid.Exists(p => p.Hold.Id == Hold.PurchasePrefix + call.Hold.Receipt && p.Outcome == HoldOutcome.Delivered)) world.Broken($"{call.Hold.Id} was delivered and what it is made of was never paid for");
    }
}
