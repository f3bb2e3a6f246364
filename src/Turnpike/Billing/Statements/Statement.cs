using Turnpike.Ledger;

namespace Turnpike.Billing.Statements;

/// <summary>What came in and went back on one rail in one currency.</summary>
/// <param name="Fees">What the rail kept of it; null where it does not tell.</param>
/// <param name="PaidOut">What it paid out to the owner's bank; null where it does not tell, or where money arrives at once.</param>
internal sealed record RailLine(string Rail, string Currency, Money Taken, Money GivenBack, Money? Fees, Money? PaidOut);

/// <summary>A role of accounts over the time: what it had, what came and went, what it has.</summary>
internal sealed record RoleLine(string Role, string Currency, Money Opening, Money In, Money Out, Money Closing);

/// <summary>The owner's statement of a time. Every number is a sum of the ledger's entries, but what a rail tells itself.</summary>
internal sealed record Statement(DateTimeOffset From, DateTimeOffset To)
{
    public IReadOnlyList<RailLine> Rails { get; init; } = [];

    /// <summary>Earned by delivering.</summary>
    public IReadOnlyList<Money> Revenue { get; init; } = [];

    /// <summary>Taken back from what was earned: refunds and credit notes.</summary>
    public IReadOnlyList<Money> Refunded { get; init; } = [];

    /// <summary>Paid and not delivered, and so the payers' again.</summary>
    public IReadOnlyList<Money> Credited { get; init; } = [];

    public IReadOnlyList<Money> Losses { get; init; } = [];

    /// <summary>What upstreams cost.</summary>
    public IReadOnlyList<Money> Expenses { get; init; } = [];

    /// <summary>At its end: paid for and not delivered yet, in tokens and credit.</summary>
    public IReadOnlyList<Money> Deferred { get; init; } = [];

    /// <summary>Of that, in tokens that have expired.</summary>
    public IReadOnlyList<Money> Expired { get; init; } = [];

    /// <summary>At its end: delivered, and owed by callers, billed or not.</summary>
    public IReadOnlyList<Money> Receivable { get; init; } = [];

    /// <summary>All accounts by role: at the end they are what <c>ledger verify</c> adds up.</summary>
    public IReadOnlyList<RoleLine> Roles { get; init; } = [];

    /// <summary>Adds up the flows of a time.</summary>
    public static Statement Of(DateTimeOffset from, DateTimeOffset to, IReadOnlyList<AccountFlow> flows, IReadOnlyList<Money> expenses, IReadOnlyList<Money> expired, IReadOnlyDictionary<(string Rail, string Currency), (Money Fees, Money PaidOut)> told)
    {
        var money = flows.Where(f => new BookLine(default, "", "", f.Account, Money.Zero(f.Currency)).IsMoney).ToList();
        return new Statement(from, to)
        {
            // The outside gives: what leaves its accounts is what we take.
            Rails = [.. money.Where(f => BookLine.RailOf(f.Account) is not null).GroupBy(f => (Rail: BookLine.RailOf(f.Account)!, f.Currency)).OrderBy(g => g.Key).Select(g => new RailLine(
                g.Key.Rail, g.Key.Currency, Sum(g, f => f.Out), Sum(g, f => f.In), told.TryGetValue(g.Key, out var known) ? known.Fees : null, told.TryGetValue(g.Key, out known) ? known.PaidOut : null))],
            Revenue = Sums(money, ["revenue"], f => f.In - f.Out),
            Refunded = Sums(money, ["refunded"], f => f.Out - f.In),
            Credited = Sums(money, ["credit"], f => f.In),
            Losses = Sums(money, ["loss"], f => f.Out - f.In),
            Expenses = expenses,
            Deferred = Sums(money, ["token", "credit"], f => f.Closing),
            Expired = [.. expired.Where(e => Money.IsMoney(e.Currency) && !e.IsZero)],
            Receivable = Sums(money, ["unbilled", "invoiced"], f => -f.Closing),
            Roles = [.. flows.GroupBy(f => (Role: BookLine.RoleOf(f.Account), f.Currency)).OrderBy(g => g.Key).Select(g => new RoleLine(
                g.Key.Role, g.Key.Currency, Sum(g, f => f.Closing - f.In + f.Out), Sum(g, f => f.In), Sum(g, f => f.Out), Sum(g, f => f.Closing)))],
        };
    }

    private static IReadOnlyList<Money> Sums(IEnumerable<AccountFlow> flows, string[] roles, Func<AccountFlow, Int128> of) =>
        [.. flows.Where(f => roles.Contains(BookLine.RoleOf(f.Account))).GroupBy(f => f.Currency).OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => Sum(g, of)).Where(m => !m.IsZero)];

    private static Money Sum(IEnumerable<AccountFlow> flows, Func<AccountFlow, Int128> of)
    {
        Int128 sum = 0;
        var currency = "";
        foreach (var flow in flows) (sum, currency) = (sum + of(flow), flow.Currency);
        return new Money((long)Int128.Clamp(sum, long.MinValue, long.MaxValue), currency);
    }
}
