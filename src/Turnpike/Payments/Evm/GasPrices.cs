namespace Turnpike.Payments.Evm;

/// <summary>What a transaction should bid, in wei per gas: asked at most every few seconds.</summary>
internal sealed class GasPrices(EvmNode node, TimeProvider time)
{
    private static readonly TimeSpan Kept = TimeSpan.FromSeconds(4);
    private static readonly UInt128 LeastTip = 1_000_000;
    private (long Asked, UInt128 MaxFee, UInt128 Tip)? known;
    private readonly Lock door = new();

    /// <summary>Room for the base fee to double, and the median tip.</summary>
    public async ValueTask<(UInt128 MaxFee, UInt128 Tip)> NowAsync(CancellationToken ct)
    {
        lock (door)
            if (known is { } last && time.GetElapsedTime(last.Asked) < Kept) return (last.MaxFee, last.Tip);
        var (baseFee, median) = await node.FeesAsync(ct);
        var tip = median > LeastTip ? median : LeastTip;
        var maxFee = baseFee * 2 + tip;
        lock (door) known = (time.GetTimestamp(), maxFee, tip);
        return (maxFee, tip);
    }

    /// <summary>An eighth more, rounded up: nodes replace a transaction from ten per cent on.</summary>
    public static UInt128 Raised(UInt128 fee) => fee + fee / 8 + 1;
}
