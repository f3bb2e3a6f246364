using Turnpike.Ledger;

namespace Turnpike.Billing.Statements;

/// <summary>One entry of the books, as accounting sees it.</summary>
/// <param name="Source">The hold or transfer it belongs to; the entries of one source sum to zero.</param>
internal sealed record BookLine(DateTimeOffset Created, string Source, string Kind, string Account, Money Amount)
{
    /// <summary>Accounts that count what may be spent, beside the money: they sum to zero among themselves and are no money.</summary>
    private static readonly HashSet<string> Counters = ["cap", "line", "used", "plan", "grant", "overage", "allowance", "refundable", "unsettled", "overrun"];

    private static readonly HashSet<string> Givers = ["external:cap", "external:plan", "loss:unsettled", "loss:overrun"];

    public string Role => RoleOf(Account);

    public bool IsMoney => Money.IsMoney(Amount.Currency) && !Counters.Contains(Role) && !Givers.Contains(Account);

    /// <summary>How the money came or went: <c>stripe</c>, <c>eip155:84532</c>, <c>owner</c>; null for an account of ours.</summary>
    public string? Rail => RailOf(Account);

    public static string RoleOf(string account) => account.IndexOf(':', StringComparison.Ordinal) is var colon and >= 0 ? account[..colon] : account;

    /// <summary>The rail of <c>external:&lt;rail&gt;:&lt;who&gt;</c>.</summary>
    public static string? RailOf(string account)
    {
        var parts = account.Split(':');
        return parts is not ["external", _, ..] ? null : parts.Length > 3 && parts[1] == "eip155" ? $"{parts[1]}:{parts[2]}" : parts[1];
    }
}
