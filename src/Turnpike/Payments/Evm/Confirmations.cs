namespace Turnpike.Payments.Evm;

/// <summary>Waits until so many blocks hold a settlement that it can be called final; the block it stands in is the first of them.</summary>
internal sealed class Confirmations(EvmNode node, RailTimings timings, TimeProvider time)
{
    /// <summary>Settled, when there are enough; unknown while there are not: the settler asks again.</summary>
    public async ValueTask<Settlement> WaitAsync(Settlement.Settled settled, ulong blocks, CancellationToken ct)
    {
        var start = time.GetTimestamp();
        try
        {
            do
            {
                // Read anew each time: a block that is reorganised away takes its transactions along.
                if (await node.ReceiptAsync(settled.Reference, ct) is { Succeeded: true } receipt && (await node.BlockAsync("latest", ct)).Number + 1 >= receipt.Block + blocks) return settled;
                await Task.Delay(timings.Poll, time, ct);
            }
            while (time.GetElapsedTime(start) < timings.Wait);
        }
        catch (NodeSilentException silent) { return new Settlement.Unknown(settled.Reference, silent.Message); }
        return new Settlement.Unknown(settled.Reference, $"Fewer than {blocks} blocks hold it yet.");
    }
}
