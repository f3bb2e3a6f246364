using System.Collections.Concurrent;
using System.Globalization;
using Turnpike.Catalog;
using Turnpike.Protocols.Evm;

namespace Turnpike.Payments.Evm;

/// <summary>
/// The transactions of one signer on one chain. Each gets a number of its own from a durable counter, so that twenty settlements
/// at once do not fight over one; a number that was taken and never sent would hold up all behind it, so it is filled.
/// </summary>
internal sealed partial class SignerQueue(EvmNode node, ulong chainId, Secret key, IChainNonces nonces, RailTimings timings, TimeProvider time, ILogger log)
{
    private const ulong TransferGas = 21_000;
    private const int MostRaises = 6;
    private readonly byte[] privateKey = KeyBytes(key);
    private readonly GasPrices prices = new(node, time);
    private readonly ConcurrentDictionary<ulong, long> taken = new();
    private readonly SemaphoreSlim filling = new(1, 1);
    private readonly long started = time.GetTimestamp();
    private long floor = -1;

    public Address Signer { get; } = Secp256k1.AddressOf(KeyBytes(key));

    /// <summary>Signs a call under the next number; nothing is sent. Throws <see cref="NodeSilentException"/>.</summary>
    public async ValueTask<PreparedTransaction> SignAsync(Address to, byte[] data, ulong gas, CancellationToken ct)
    {
        var (maxFee, tip) = await prices.NowAsync(ct);
        if (Volatile.Read(ref floor) < 0) Volatile.Write(ref floor, (long)await node.TransactionCountAsync(Signer, "pending", ct));
        var nonce = await nonces.TakeAsync(chainId, Signer, (ulong)Math.Max(0, Volatile.Read(ref floor)), ct);
        taken[nonce] = time.GetTimestamp();
        return Sign(to, data, nonce, gas, maxFee, tip);
    }

    /// <summary>Sends what was signed. An answer of any kind means that the number is not ours to fill any more, except a refusal.</summary>
    public async ValueTask<(Handed Outcome, string Text)> SendAsync(PreparedTransaction transaction, CancellationToken ct)
    {
        taken[transaction.Nonce] = time.GetTimestamp();
        var (outcome, text) = await node.SendAsync(transaction.Raw, ct);
        if (outcome is not Handed.NoGasMoney) taken.TryRemove(transaction.Nonce, out _);
        if (outcome == Handed.NonceTooLow) Volatile.Write(ref floor, -1);
        if (outcome is Handed.Refused or Handed.NoGasMoney) Log.Refused(log, chainId, transaction.Hash, text);
        return (outcome, text);
    }

    /// <summary>Sees to what is not mined: fills what is missing before it, or raises its own fee. What replaces it, or null.</summary>
    public async ValueTask<PreparedTransaction?> HurryAsync(PreparedTransaction stuck, Address to, byte[] data, CancellationToken ct)
    {
        if (await node.TransactionCountAsync(Signer, "latest", ct) >= stuck.Nonce) return await RaiseAsync(stuck, to, data, ct);
        await FillGapsAsync(ct);
        return null;
    }

    /// <summary>The same under the same number for a higher fee, or null when the node keeps what it has.</summary>
    public async ValueTask<PreparedTransaction?> RaiseAsync(PreparedTransaction stuck, Address to, byte[] data, CancellationToken ct)
    {
        var (maxFee, tip) = await prices.NowAsync(ct);
        maxFee = Max(maxFee, GasPrices.Raised(Wei(stuck.MaxFee)));
        tip = Max(tip, GasPrices.Raised(Wei(stuck.Tip)));
        for (var raise = 0; raise < MostRaises; raise++)
        {
            var raised = Sign(to, data, stuck.Nonce, stuck.Gas, maxFee, tip);
            var (outcome, _) = await node.SendAsync(raised.Raw, ct);
            if (outcome is Handed.Taken or Handed.AlreadyKnown)
            {
                Log.Raised(log, chainId, stuck.Hash, raised.Hash, raised.MaxFee);
                return raised;
            }
            if (outcome != Handed.Underpriced) return null;
            (maxFee, tip) = (GasPrices.Raised(maxFee), GasPrices.Raised(tip));
        }
        return null;
    }

    /// <summary>
    /// Sends a transfer of nothing to ourselves under every number that was handed out and that the node has not got. A number taken
    /// a moment ago is left alone: its transaction is on its way, after a restart by way of the settler. When another node took a
    /// number is not known here: its moment counts from when it was first missed.
    /// </summary>
    public async ValueTask FillGapsAsync(CancellationToken ct)
    {
        if (!await filling.WaitAsync(0, ct)) return;
        try
        {
            if (await nonces.NextAsync(chainId, Signer, ct) is not { } next || !await nonces.MayFillAsync(chainId, Signer, ct)) return;
            ulong? filled = null;
            // Asked anew each time: what waits behind the gap is already there, and must not be replaced.
            while (await node.TransactionCountAsync(Signer, "pending", ct) is var missing && missing < next && missing != filled)
            {
                foreach (var past in taken.Keys.Where(number => number < missing)) taken.TryRemove(past, out _);
                if (time.GetElapsedTime(taken.GetOrAdd(missing, nonces.IsShared ? time.GetTimestamp() : started)) < timings.Gap) return;
                var (maxFee, tip) = await prices.NowAsync(ct);
                var filler = Sign(Signer, [], missing, TransferGas, maxFee, tip);
                var (outcome, text) = await node.SendAsync(filler.Raw, ct);
                taken.TryRemove(missing, out _);
                if (outcome is Handed.NoGasMoney or Handed.Refused) { Log.Refused(log, chainId, filler.Hash, text); return; }
                if (outcome == Handed.Taken) Log.Filled(log, chainId, missing, filler.Hash);
                filled = missing;
            }
        }
        finally
        {
            filling.Release();
        }
    }

    private PreparedTransaction Sign(Address to, byte[] data, ulong nonce, ulong gas, UInt128 maxFee, UInt128 tip)
    {
        var raw = new Eip1559Transaction { ChainId = chainId, Nonce = nonce, MaxPriorityFeePerGas = tip, MaxFeePerGas = maxFee, GasLimit = gas, To = to, Data = data }.Sign(privateKey);
        return new PreparedTransaction(Hex.Encode(raw), Hex.Encode(Eip1559Transaction.Hash(raw)), nonce, gas, maxFee.ToString(CultureInfo.InvariantCulture), tip.ToString(CultureInfo.InvariantCulture));
    }

    public static byte[] KeyBytes(Secret key)
    {
        var text = key.Reveal();
        return Hex.Decode(text.StartsWith("0x", StringComparison.Ordinal) ? text : "0x" + text) is { Length: 32 } bytes
            ? bytes
            : throw new ArgumentException("The settler's key is not 32 bytes of hexadecimal.");
    }

    private static UInt128 Wei(string text) => UInt128.Parse(text, CultureInfo.InvariantCulture);

    private static UInt128 Max(UInt128 a, UInt128 b) => a > b ? a : b;

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Error, Message = "Chain {Chain}: the node refused transaction {Hash}: {Text}")]
        public static partial void Refused(ILogger logger, ulong chain, string hash, string text);

        [LoggerMessage(Level = LogLevel.Information, Message = "Chain {Chain}: transaction {Stuck} waits; {Raised} replaces it for {Fee} wei per gas")]
        public static partial void Raised(ILogger logger, ulong chain, string stuck, string raised, string fee);

        [LoggerMessage(Level = LogLevel.Warning, Message = "Chain {Chain}: number {Nonce} was handed out and never sent; {Hash} fills it")]
        public static partial void Filled(ILogger logger, ulong chain, ulong nonce, string hash);
    }
}
