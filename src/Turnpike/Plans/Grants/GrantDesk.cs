using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Ledger;

namespace Turnpike.Plans.Grants;

/// <summary>What owners do with balances: grant, look, take back; and what time does to them.</summary>
internal sealed class GrantDesk(GrantStore store, ILedger ledger, TimeProvider time)
{
    private const int MostAtOnce = 500;

    /// <summary>
    /// Grants once for each id: the same again answers the grant that is there; null: that one is another. The row comes first and the
    /// money second, each once, so that a crash between them leaves a grant without money, which the repetition funds.
    /// </summary>
    public async ValueTask<Grant?> GrantAsync(Grant wanted, CancellationToken ct)
    {
        var grant = await store.AddAsync(wanted with { Created = time.GetUtcNow() }, ct);
        if (!grant.IsAs(wanted)) return null;
        var correlation = Ids.New("c");
        var happened = Event(AuditKinds.BalanceGranted, grant, grant.Amount) with { Correlation = correlation, Detail = $"{(grant.Kind == GrantKind.Paid ? "paid" : "promotional")}{(grant.Note is { } note ? ": " + note : "")}" };
        await ledger.PostAsync(new Transfer($"balance:{grant.Caller}:{grant.Id}", grant.Giver, grant.Account, grant.Amount, "grant", LimitedFrom: false, LimitedTo: true) { Correlation = correlation, Events = [happened] }, ct);
        return grant;
    }

    /// <summary>Who gives for a call, in the burn order: the caller's own grants, then its organisation's. Null: neither was ever granted anything.</summary>
    public async ValueTask<IReadOnlyList<string>?> SourcesAsync(Call call, string currency, CancellationToken ct)
    {
        List<string>? sources = null;
        foreach (var holder in HoldersOf(call))
            if (await store.AnyAsync(holder, ct)) (sources ??= []).AddRange(await store.SourcesAsync(holder, currency, call.Now, ct));
        return sources;
    }

    /// <summary>The same grants as they stand, for the caller to see.</summary>
    public async ValueTask<IReadOnlyList<GrantState>> ListAsync(Call call, int most, CancellationToken ct)
    {
        List<GrantState> grants = [];
        foreach (var holder in HoldersOf(call)) grants.AddRange(await store.ListAsync(holder, most, ct));
        return grants;
    }

    private static IEnumerable<string> HoldersOf(Call call)
    {
        if (call.Caller is not { } caller) yield break;
        yield return caller;
        if (call.Principal?.Caller.Organisation is { } organisation) yield return Organisation.Holder(organisation);
    }

    public ValueTask<IReadOnlyList<GrantState>> ListAsync(string caller, int most, CancellationToken ct) => store.ListAsync(caller, most, ct);

    /// <summary>Takes back what is unused of a grant, to where it came from. Null: there is no such grant. What calls hold is theirs.</summary>
    public async ValueTask<(Grant Grant, Money Taken)?> TakeBackAsync(string caller, string id, string reason, CancellationToken ct) =>
        await store.FindAsync(caller, id, ct) is not { } grant ? null : (grant, await TakeAsync(grant, grant.Giver, AuditKinds.BalanceTakenBack, reason, ct));

    /// <summary>Removes what nobody used of expired grants; what comes back to one later is removed then. True when there may be more.</summary>
    public async ValueTask<bool> ExpireAsync(CancellationToken ct)
    {
        var expired = await store.ExpiredAsync(time.GetUtcNow(), MostAtOnce, ct);
        foreach (var state in expired) await TakeAsync(state.Grant, state.Grant.Heir, AuditKinds.BalanceExpired, "expired", ct);
        return expired.Count == MostAtOnce;
    }

    private async ValueTask<Money> TakeAsync(Grant grant, string to, string kind, string reason, CancellationToken ct)
    {
        while (true)
        {
            var left = await ledger.AvailableAsync(grant.Account, grant.Amount.Currency, ct);
            // Held or taken elsewhere in this moment: look again.
            if (left.IsZero || await ledger.PostAsync(new Transfer(Ids.New("unused"), grant.Account, to, left, reason, LimitedFrom: true, LimitedTo: false) { Events = [Event(kind, grant, left) with { Detail = reason }] }, ct) != PostResult.InsufficientFunds) return left;
        }
    }

    private static AuditEvent Event(string kind, Grant grant, Money amount) => new() { Kind = kind, Correlation = Ids.New("c"), Caller = grant.Caller, Payer = grant.Payer, Amount = amount.ToString(), Reference = grant.Id };
}
