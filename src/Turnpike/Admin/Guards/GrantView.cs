using Turnpike.Ledger;
using Turnpike.Plans.Grants;

namespace Turnpike.Admin.Guards;

/// <summary>A grant, and what its caller has of it now; on top of a plan, of all grants in that unit.</summary>
/// <param name="Kind"><c>plan</c>, <c>paid</c> or <c>promotional</c>.</param>
/// <param name="Status">Of money: <c>active</c>, <c>used-up</c> or <c>expired</c>.</param>
internal sealed record GrantView(string Id, string Caller, string Kind, MoneyView Amount, MoneyView Left, int? Priority, DateTimeOffset? Expires, string? Status)
{
    public static GrantView Of(GrantState state, DateTimeOffset now) => new(state.Grant.Id, state.Grant.Caller, state.Grant.Kind.ToString().ToLowerInvariant(), MoneyView.Of(state.Grant.Amount), MoneyView.Of(state.Left), state.Grant.Priority, state.Grant.Expires, state.StatusAt(now));
}

/// <summary>A caller's balance.</summary>
/// <param name="Available">What it can spend now, by currency.</param>
/// <param name="Next">The grant that is spent next; null when there is none.</param>
/// <param name="Grants">Every grant of money, in the burn order.</param>
internal sealed record BalanceView(string Caller, IReadOnlyList<MoneyView> Available, string? Next, IReadOnlyList<GrantView> Grants)
{
    public static BalanceView Of(string caller, IReadOnlyList<GrantState> states, DateTimeOffset now)
    {
        var living = states.Where(s => !(s.Grant.Expires <= now) && !s.Left.IsZero).ToList();
        var sums = living.GroupBy(s => s.Left.Currency).OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => MoneyView.Of(g.Aggregate(Money.Zero(g.Key), (sum, s) => sum + s.Left)));
        return new BalanceView(caller, [.. sums], living.FirstOrDefault()?.Grant.Id, [.. states.Select(s => GrantView.Of(s, now))]);
    }
}

/// <summary>What was taken back of a grant.</summary>
internal sealed record TakenBackView(string Id, string Caller, MoneyView Taken);
