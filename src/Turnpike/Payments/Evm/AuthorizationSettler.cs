using System.Collections.Concurrent;
using Turnpike.Protocols.Evm;
using Turnpike.Protocols.X402;

namespace Turnpike.Payments.Evm;

/// <summary>
/// Takes the money of one authorization and tells what became of it. The authorization can be used once, so trying again is safe
/// however often: a transaction is only what carries it.
/// </summary>
internal sealed class AuthorizationSettler(EvmNode node, AuthorizationVerifier verifier, AuthorizationTrace trace, SignerQueue queue, RailTimings timings, TimeProvider time)
{
    private const int MostCarriers = 3;
    private const ulong UsualGas = 150_000;
    private readonly ConcurrentDictionary<Address, ulong> gasOf = new();

    /// <summary>A signed transaction under a number of its own. Throws <see cref="NodeSilentException"/>.</summary>
    public async ValueTask<PreparedTransaction> PrepareAsync(AuthorizationTerms terms, CancellationToken ct)
    {
        var data = Data(terms);
        return await queue.SignAsync(terms.Contract, data, await GasAsync(terms, data, ct), ct);
    }

    /// <summary>Sends what was prepared and waits for it; finds what an earlier try or somebody else has done.</summary>
    public async ValueTask<Settlement> SettleAsync(AuthorizationTerms terms, PreparedTransaction? prepared, DateTimeOffset since, bool again, CancellationToken ct)
    {
        var sent = prepared;
        try
        {
            if (again && await DoneAsync(terms, since, prepared?.Hash, ct) is { } known) return known;
            for (var carrier = 0; carrier < MostCarriers; carrier++)
            {
                sent = prepared ?? await PrepareAsync(terms, ct);
                var (outcome, text) = await queue.SendAsync(sent, ct);
                switch (outcome)
                {
                    case Handed.Taken or Handed.AlreadyKnown:
                        return await WaitAsync(terms, [sent], since, ct);
                    case Handed.Underpriced: // fees have risen since it was signed, or an earlier try has raised its own
                        var raised = await queue.RaiseAsync(sent, terms.Contract, Data(terms), ct);
                        return await WaitAsync(terms, raised is null ? [sent] : [sent, raised], since, ct);
                    case Handed.NonceTooLow:
                        if (await node.ReceiptAsync(sent.Hash, ct) is { } mined) return await JudgeAsync(terms, mined, since, ct);
                        if (await DoneAsync(terms, since, sent.Hash, ct) is { } done) return done;
                        prepared = null; // its number went to another transaction; a new one carries the same authorization
                        continue;
                    case Handed.NoGasMoney:
                        return new Settlement.Unknown(null, "The settling account cannot pay for gas.");
                    default:
                        return await RefusedAsync(terms, sent, text, since, ct);
                }
            }
            return new Settlement.Unknown(sent?.Hash, "Its transactions were overtaken again and again.");
        }
        catch (NodeSilentException silent)
        {
            return new Settlement.Unknown(sent?.Hash, silent.Message);
        }
    }

    private async ValueTask<Settlement> WaitAsync(AuthorizationTerms terms, List<PreparedTransaction> ours, DateTimeOffset since, CancellationToken ct)
    {
        var (start, raises) = (time.GetTimestamp(), 1);
        while (time.GetElapsedTime(start) < timings.Wait)
        {
            foreach (var one in ours)
                if (await node.ReceiptAsync(one.Hash, ct) is { } receipt) return await JudgeAsync(terms, receipt, since, ct);
            if (time.GetElapsedTime(start) >= timings.Bump * raises)
            {
                raises++;
                if (await queue.HurryAsync(ours[^1], terms.Contract, Data(terms), ct) is { } raised) ours.Add(raised);
            }
            await Task.Delay(timings.Poll, time, ct);
        }
        return await DoneAsync(terms, since, ours[^1].Hash, ct) ?? new Settlement.Unknown(ours[^1].Hash, "It was sent and is in no block yet.");
    }

    private async ValueTask<Settlement> JudgeAsync(AuthorizationTerms terms, EvmReceipt receipt, DateTimeOffset since, CancellationToken ct)
    {
        if (AuthorizationTrace.Moved(terms, terms.Authorization, receipt)) return new Settlement.Settled(receipt.Hash, terms.Value);
        if (await DoneAsync(terms, since, receipt.Hash, ct) is { } done) return done;
        if (receipt.Succeeded) return Failed(ErrorCodes.TransferEventMismatch, receipt.Hash);
        var revert = await verifier.SimulateAgainAsync(terms, ct);
        return Failed(revert is null ? ErrorCodes.TransactionFailed : RevertReason.CodeOf(revert.Text), receipt.Hash);
    }

    /// <summary>The node looked into it and said no: nothing was sent, so its number must be filled.</summary>
    private async ValueTask<Settlement> RefusedAsync(AuthorizationTerms terms, PreparedTransaction refused, string text, DateTimeOffset since, CancellationToken ct)
    {
        await queue.FillGapsAsync(ct);
        if (await DoneAsync(terms, since, null, ct) is { } done) return done;
        return await verifier.SimulateAgainAsync(terms, ct) is { } revert
            ? Failed(RevertReason.CodeOf(revert.Text), null)
            : new Settlement.Unknown(null, $"The node refused {refused.Hash}: {text}");
    }

    /// <summary>The end of the authorization, when it has come to one; null while it may still pay.</summary>
    private async ValueTask<Settlement?> DoneAsync(AuthorizationTerms terms, DateTimeOffset since, string? hash, CancellationToken ct) => await trace.FindAsync(terms, since, ct) switch
    {
        Traced.Paid paid => new Settlement.Settled(paid.Hash, terms.Value),
        Traced.Cancelled => Failed(ErrorCodes.NonceAlreadyUsed, hash),
        Traced.Expired => Failed(ErrorCodes.ValidBefore, hash),
        Traced.Untraceable => new Settlement.Unknown(hash, "The asset has seen the authorization; the transaction was not found."),
        _ => null,
    };

    /// <summary>What plain signatures cost is estimated once per asset, with room for a payee that had nothing; wallets differ, and are asked each time.</summary>
    private async ValueTask<ulong> GasAsync(AuthorizationTerms terms, byte[] data, CancellationToken ct)
    {
        var plain = terms.SignatureBytes.Length == Secp256k1.SignatureLength;
        if (plain && gasOf.TryGetValue(terms.Contract, out var known)) return known;
        if (await node.EstimateGasAsync(terms.Contract, data, queue.Signer, ct) is not { } estimated) return UsualGas;
        var gas = estimated + estimated / 2 + 20_000;
        if (plain) gasOf[terms.Contract] = gas;
        return gas;
    }

    private static byte[] Data(AuthorizationTerms terms) =>
        Erc3009.TransferWithAuthorization(terms.Authorization, AuthorizationVerifier.Unwrapped(terms.SignatureBytes));

    private static Settlement.Failed Failed(string code, string? hash) => new(code, Verdicts.Of(code).Detail, hash);
}
