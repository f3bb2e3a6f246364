using Turnpike.Admin.Data;
using Turnpike.Storage;

namespace Turnpike.Tests.Simulation.Wares;

/// <summary>Everybody is erased at the end, while disks, stores and processes fail again: the books and the trail hold, and nothing buys twice.</summary>
internal sealed class Erasing(World world)
{
    private const int MostTries = 60;

    public async Task RunAsync()
    {
        world.Say("--- everybody is erased ---");
        world.Checks.Renames = true;
        if (world.Scheduler.Chance(30)) world.Later(world.Scheduler.Between(0, 3_000), null, () => { if (world.AnyUp() is { } node) node.Crash(); });
        foreach (var payer in world.Payers)
        {
            await EraseAsync("token:" + world.Nodes[0].IdOf(payer.Token["Bearer ".Length..]));
            await EraseAsync(payer.Wallet.Address.ToLowerHex());
        }
        if (world.Consent is { } consent) await EraseAsync("token:" + consent.Token);
        world.BecomeCalm();
        for (var wait = 0; world.Nodes.Any(n => !n.Up) && wait < MostTries; wait++) await world.WaitAsync(TimeSpan.FromSeconds(1));
        foreach (var payer in world.Payers)
        {
            Gone(payer.Wallet.Address.ToLowerHex());
            foreach (var purchase in payer.Purchases.Where(p => p.How is "x402" or "mpp" && !p.BuysToken))
                if (await world.SendAsync(purchase.Ask) is { Status: 200 } told) world.Broken($"I3: a proof of somebody erased buys again: {told.Body}");
        }
        await world.Checks.BooksAsync();
    }

    private async Task EraseAsync(string subject)
    {
        for (var tries = 0; tries < MostTries; tries++)
        {
            var result = world.AnyUp() is { } node ? await node.DoAsync(async at => new Told(await at.Of<DataDesk>().EraseAsync(Subject.Of(subject)!, forfeit: true, CancellationToken.None))) : null;
            if (result is { Outcome.Denied: { } no }) world.Broken($"{subject} cannot be erased: {no.Detail}");
            if (result is not null) return;
            await world.WaitAsync(world.Scheduler.Between(200, 3_000));
        }
        world.Broken($"{subject} was never erased");
    }

    /// <summary>What an export would show, on this thread.</summary>
    private void Gone(string subject)
    {
        if (world.AnyUp() is not { } node) return;
        var read = node.Of<Database>().ReadAsync(sql => StoredStore.All.ToDictionary(table => table.Name, table => table.Find(sql, Subject.Of(subject)!, new StoredLinks()).Count()), CancellationToken.None);
        foreach (var (table, rows) in read.GetAwaiter().GetResult().Where(t => t.Value > 0)) world.Broken($"{rows} rows of {table} still name {subject}");
    }

    private sealed record Told((ErasedView? Erased, Turnpike.Admin.Callers.Denial? Denied) Outcome);
}
