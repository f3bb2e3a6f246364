using Turnpike.Protocols.Evm;

namespace Turnpike.Payments.Evm;

/// <summary>What the chain knows of an authorization.</summary>
internal abstract record Traced
{
    /// <summary>The money moved to us, in this transaction, whoever sent it.</summary>
    internal sealed record Paid(string Hash) : Traced;

    /// <summary>Its payer cancelled it, or spent its nonce on another transfer: it can never pay.</summary>
    internal sealed record Cancelled : Traced;

    /// <summary>Unused, and its time has passed on a block that is final: it can never pay.</summary>
    internal sealed record Expired : Traced;

    /// <summary>Unused, and it may still pay.</summary>
    internal sealed record Open : Traced;

    /// <summary>Used, but the event that says by which transaction was not found.</summary>
    internal sealed record Untraceable : Traced;
}

/// <summary>
/// Finds what became of an authorization. Anybody who sees one can send it first (pre-emption, arXiv 2605.11781 I-B); the money
/// still comes to us, so what counts is the event and not whose transaction carried it.
/// </summary>
internal sealed class AuthorizationTrace(EvmNode node, RailTimings timings)
{
    private const ulong Window = 2_000;
    private const int MostWindows = 60;
    private static readonly string Cancelled = Hex.Encode(Keccak.Hash("AuthorizationCanceled(address,bytes32)"u8));

    /// <summary>Looks back until <paramref name="since"/>. Throws <see cref="NodeSilentException"/>.</summary>
    public async ValueTask<Traced> FindAsync(AuthorizationTerms terms, DateTimeOffset since, CancellationToken ct)
    {
        var authorization = terms.Authorization;
        var state = Erc3009.AuthorizationState(authorization.From, authorization.Nonce);
        var latest = await node.BlockAsync("latest", ct);
        // At that very block: a replica that lags behind must say so, and not "unused".
        var (answer, _) = await node.CallAsync(terms.Contract, state, ct, block: EvmNode.Quantity(latest.Number));
        if (Abi.DecodeBool(answer) == true) return await SearchAsync(terms, authorization, latest, since, ct);

        if (latest.Number < timings.Confirmations || authorization.ValidBefore > latest.Timestamp) return new Traced.Open();
        // No later block can take it, and enough blocks lie on this one that it stays.
        var final = await node.BlockAsync(EvmNode.Quantity(latest.Number - timings.Confirmations), ct);
        return authorization.ValidBefore <= final.Timestamp ? new Traced.Expired() : new Traced.Open();
    }

    private async ValueTask<Traced> SearchAsync(AuthorizationTerms terms, Authorization authorization, EvmBlock latest, DateTimeOffset since, CancellationToken ct)
    {
        var earliest = (ulong)Math.Max(0, since.ToUnixTimeSeconds() - 60);
        var to = latest.Number;
        for (var window = 0; window < MostWindows; window++)
        {
            var from = to >= Window ? to - Window + 1 : 0;
            if (await InAsync(terms, authorization, from, to, ct) is { } found) return found;
            if (from == 0 || (await node.BlockAsync(EvmNode.Quantity(from), ct)).Timestamp < earliest) break;
            to = from - 1;
        }
        return new Traced.Untraceable();
    }

    private async ValueTask<Traced?> InAsync(AuthorizationTerms terms, Authorization authorization, ulong from, ulong to, CancellationToken ct)
    {
        var (payer, nonce) = (Erc3009.Topic(authorization.From), Hex.Encode(authorization.Nonce));
        foreach (var log in await node.LogsAsync(terms.Contract, [Erc3009.AuthorizationUsedTopic, payer, nonce], from, to, ct))
            if (await node.ReceiptAsync(log.Transaction, ct) is { Succeeded: true } receipt)
                return Moved(terms, authorization, receipt) ? new Traced.Paid(log.Transaction) : new Traced.Cancelled();
        return (await node.LogsAsync(terms.Contract, [Cancelled, payer, nonce], from, to, ct)).Count > 0 ? new Traced.Cancelled() : null;
    }

    /// <summary>
    /// True when this transaction moved exactly what was signed. Its success alone says nothing: not every token reverts on a used
    /// nonce. In a transaction that used several authorizations of this payer, only the transfer that follows this one's event
    /// counts: else one transfer, batched with a nonce spent elsewhere, would pay two proofs.
    /// </summary>
    public static bool Moved(AuthorizationTerms terms, Authorization authorization, EvmReceipt receipt)
    {
        if (!receipt.Succeeded) return false;
        var (payer, nonce) = (Erc3009.Topic(authorization.From), Hex.Encode(authorization.Nonce));
        var logs = receipt.Logs.Where(log => log.Contract == terms.Contract).ToList();
        var used = logs.FindAll(log => IsUse(log, payer)).Count;
        var mine = used <= 1;
        foreach (var log in logs)
        {
            if (IsUse(log, payer)) mine = used == 1 || log.Topics[2].Equals(nonce, StringComparison.OrdinalIgnoreCase);
            else if (mine && Erc3009.IsTransferOf(authorization, log.Topics, log.Data)) return true;
        }
        return false;
    }

    private static bool IsUse(EvmLog log, string payer) =>
        log.Topics.Count == 3 && log.Topics[0] == Erc3009.AuthorizationUsedTopic && log.Topics[1].Equals(payer, StringComparison.OrdinalIgnoreCase);
}
