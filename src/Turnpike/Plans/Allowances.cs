using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Ledger;

namespace Turnpike.Plans;

/// <summary>What callers have of what their plans include: told, and given more of by the owner or a billing system.</summary>
internal sealed class Allowances(ILedger ledger)
{
    /// <summary>What is left in each allowance now, of what may be taken beyond it, and of what was granted on top.</summary>
    public async ValueTask<IReadOnlyList<AllowanceState>> LeftAsync(string caller, Plan? plan, DateTimeOffset now, CancellationToken ct)
    {
        List<AllowanceState> states = [];
        foreach (var allowance in plan?.Includes ?? [])
        {
            var (_, end) = allowance.Per.At(now);
            states.Add(await StateAsync(allowance.Feature, PlanBook.Account(caller, allowance, end), allowance.Amount, end, ct));
            if (allowance.Overage is { } most) states.Add(await StateAsync(allowance.Feature + "/overage", PlanBook.Overage(caller, allowance, end), most, end, ct));
        }
        foreach (var unit in (plan?.Includes ?? []).Select(a => a.Amount.Currency).Append(RateRule.Requests).Distinct())
            if (await ledger.AvailableAsync(PlanBook.Grants(caller), unit, ct) is { IsZero: false } left) states.Add(new AllowanceState(unit + "/granted", null, null, left, null));
        return states;
    }

    private async ValueTask<AllowanceState> StateAsync(string feature, string name, Money amount, DateTimeOffset end, CancellationToken ct)
    {
        var account = await ledger.AccountAsync(name, amount.Currency, ct);
        // Not opened yet, or opened with less: the next hold raises it.
        var limit = account is { Raised: var raised } && raised > amount ? raised : amount;
        var used = account is { } state ? state.Raised - state.Available : Money.Zero(amount.Currency);
        return new AllowanceState(feature, limit, used, limit - used, end);
    }

    /// <summary>
    /// Gives a caller so much on top, until it is used up. The same <paramref name="id"/> gives it once, whatever the network does in
    /// between; with other content it is a conflict.
    /// </summary>
    public ValueTask<PostResult> GrantAsync(string caller, Money amount, string id, string? note, CancellationToken ct) =>
        ledger.PostAsync(new Transfer($"grant:{caller}:{id}", PlanBook.Giver, PlanBook.Grants(caller), amount, "grant", LimitedFrom: false, LimitedTo: true)
        {
            Correlation = Ids.New("c"),
            Events = [new AuditEvent { Kind = AuditKinds.Granted, Correlation = Ids.New("c"), Caller = caller, Amount = amount.ToString(), Reference = id, Detail = note }],
        }, ct);
}

/// <summary>An allowance as its caller has it now; limit, use and end are null for what was granted on top.</summary>
internal sealed record AllowanceState(string Feature, Money? Limit, Money? Used, Money Left, DateTimeOffset? ResetAt);
