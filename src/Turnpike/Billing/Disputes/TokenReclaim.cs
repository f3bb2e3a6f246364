using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Tokens;

namespace Turnpike.Billing.Disputes;

/// <summary>Where the money of a payment went that may go back.</summary>
/// <param name="Since">When it was ordered: what its buyer moved on before is other money.</param>
internal sealed record SoldTo(string Account, string Operation, DateTimeOffset Since);

/// <summary>Stops what was bought, and takes it back, wherever its buyer moved it since (I2: never more than there is, nor than came that way).</summary>
internal sealed class TokenReclaim(TokenDesk desk, HandoverStore handovers, IAuditTrail audit)
{
    /// <summary>
    /// What is left of it covers the owner's loss. Where that is less than what went back, whatever token the money was moved to is frozen
    /// with it, and gives what came that way; false while some is still missing: what calls on their way hold comes back when they end,
    /// and buys nothing until an operator has looked.
    /// </summary>
    /// <param name="id">Names the reversal: the same one takes nothing more.</param>
    public async ValueTask<bool> TakeAsync(SoldTo sold, string id, Money amount, string why, CancellationToken ct)
    {
        await desk.TakeAsync(sold.Account, $"reverse:{id}:token", amount, "loss:disputed", ct);
        var missing = amount - await handovers.MovedAsync($"reverse:{id}:token", amount.Currency, ct);
        if (!missing.IsZero) missing = await FollowAsync(sold, id, missing, why, ct);
        if (!missing.IsZero) return false;
        await ThawAsync(sold, $"reverse:{id}", "what went back was found", ct);
        return true;
    }

    /// <param name="cause">What has to be over before they are thawed.</param>
    public async ValueTask<IReadOnlyList<Reached>> FreezeAsync(SoldTo sold, string currency, string cause, string why, CancellationToken ct)
    {
        var (frozen, reached) = await handovers.FreezeAsync(sold.Account, currency, cause, sold.Since, ct);
        foreach (var one in frozen) await audit.RecordAsync(Event(AuditKinds.TokenFrozen, one, one == sold.Account ? why : $"money of {sold.Account} came to it: {why}"), ct);
        return reached;
    }

    public async ValueTask ThawAsync(SoldTo sold, string cause, string why, CancellationToken ct)
    {
        foreach (var one in await handovers.ThawAsync(cause, ct)) await audit.RecordAsync(Event(AuditKinds.TokenThawed, one, why) with { Operation = sold.Operation }, ct);
    }

    private async ValueTask<Money> FollowAsync(SoldTo sold, string id, Money missing, string why, CancellationToken ct)
    {
        foreach (var other in (await FreezeAsync(sold, missing.Currency, $"reverse:{id}", $"its payment was {why}, and less was left", ct)).Where(r => r.Account != sold.Account))
        {
            var taking = $"reverse:{id}:{TokenStore.FirstOf(other.Account)}";
            await desk.TakeAsync(other.Account, taking, other.Most < missing ? other.Most : missing, "loss:disputed", ct);
            missing -= await handovers.MovedAsync(taking, missing.Currency, ct);
            if (missing.IsZero) break;
        }
        return missing;
    }

    private static AuditEvent Event(string kind, string account, string why) =>
        new() { Kind = kind, Correlation = Ids.New("c"), Payer = account, Reference = TokenStore.FirstOf(account), Detail = why };
}
