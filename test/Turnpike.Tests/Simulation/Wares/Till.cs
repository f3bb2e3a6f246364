using Turnpike.Billing;
using Turnpike.Ledger;
using Turnpike.Tokens;

namespace Turnpike.Tests.Simulation.Wares;

/// <summary>The reckoning of what is sold beside single answers.</summary>
internal sealed class Till(World world, IReadOnlyDictionary<string, string> promised)
{
    /// <summary>Nano-dollars for each token a stream delivers.</summary>
    private const long PerToken = 1_000_000;

    public static bool IsStream(HoldState state) => state.Hold.Operation == "chat";

    public static bool IsSale(HoldState state) => state.Hold.Operation.StartsWith(PayApi.Selling, StringComparison.Ordinal);

    public async Task ReckonAsync(Node node, IReadOnlyList<HoldState> holds, IReadOnlyList<HoldState> refunds)
    {
        var paid = holds.Where(h => h is { Status: HoldStatus.Settled, Outcome: HoldOutcome.Delivered }).ToList();
        foreach (var stream in paid.Where(IsStream)) Streamed(stream);
        foreach (var period in paid.Where(h => h.Hold.Method == "plan").GroupBy(h => h.Hold.Legs[0].From)) await IncludedAsync(node, period.Key, period.Sum(h => h.Captured.Units) - Back(refunds, period.Key), CancellationToken.None);
        await SoldAsync(node, paid, refunds);
    }

    /// <summary>I4: who was given all of it pays for all of it, within what was held, to the last unit; but by what was noted on the way where the node was taken for dead.</summary>
    private void Streamed(HoldState stream)
    {
        var run = world.Upstream.Executions.FirstOrDefault(e => e.Receipt == stream.Hold.Receipt);
        if (run is null) world.Broken($"I7: {stream.Hold.Id} is charged and the upstream was never asked");
        else if ((world.Store is null || world.Script is not null) && run.Finished && promised.ContainsKey(stream.Hold.Receipt) && stream.Captured.Units != Math.Min(run.Tokens * PerToken, stream.Hold.Ceiling.Units)) world.Broken($"I4: {stream.Hold.Id} delivered {run.Tokens} tokens and took {stream.Captured} of {stream.Hold.Ceiling}");
    }

    /// <summary>I2: no period gives more than it includes, and what it has left is what nobody used.</summary>
    private async Task IncludedAsync(Node node, string account, long used, CancellationToken ct)
    {
        if (used > 5) world.Broken($"I2: {account} includes 5 requests and gave {used}");
        if (await node.Of<ILedger>().AccountAsync(account, "requests", ct) is { } left && left.Available.Units != 5 - used) world.Broken($"{account} gave {used} of 5 and has {left.Available}");
    }

    /// <summary>What was put on a token is what was paid for it, once; it is spent, given back, or still there.</summary>
    private async Task SoldAsync(Node node, IReadOnlyList<HoldState> paid, IReadOnlyList<HoldState> refunds)
    {
        var funded = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var sale in paid.Where(IsSale))
        {
            var put = await node.Of<PurchaseStore>().BoughtAsync(TokenText.IdFor(sale.Hold.Receipt), sale.Hold.Receipt, CancellationToken.None);
            if (put is null && promised.ContainsKey(sale.Hold.Receipt)) world.Broken($"{sale.Hold.Receipt} was answered with a token and bought none");
            if (put is not null && put.Paid != sale.Captured) world.Broken($"{sale.Hold.Receipt} took {sale.Captured} and put {put.Paid} on a token");
            if (put is not null) funded[put.Account] = funded.GetValueOrDefault(put.Account) + put.Paid.Units;
        }
        foreach (var (account, put) in funded)
        {
            var spent = paid.Where(h => h.Hold.Legs[0].From == account).Sum(h => h.Captured.Units);
            var unbought = Settled(refunds).Where(r => r.Hold.Legs.Any(l => l.From == account)).Sum(r => r.Captured.Units);
            var left = await node.Of<ILedger>().AvailableAsync(account, "USD", CancellationToken.None);
            if (left.Units != put - spent - unbought + Back(refunds, account)) world.Broken($"{account} was sold for {put}, spent {spent}, gave back {unbought}, got back {Back(refunds, account)} and has {left}");
        }
    }

    private static IEnumerable<HoldState> Settled(IReadOnlyList<HoldState> refunds) => refunds.Where(r => r.Status == HoldStatus.Settled);

    /// <summary>What an operator gave back into an account.</summary>
    public static long Back(IReadOnlyList<HoldState> refunds, string account) => Settled(refunds).Where(r => r.Hold.Legs[0].To == account).Sum(r => r.Captured.Units);
}
