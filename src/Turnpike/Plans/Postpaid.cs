using System.Globalization;
using Turnpike.Catalog;
using Turnpike.Ledger;

namespace Turnpike.Plans;

/// <summary>What calls cost is written on the caller's account, and billed period by period.</summary>
/// <param name="Per">The period of its invoices.</param>
/// <param name="Fee">What the plan itself costs in a period, by the time it was had; null: nothing.</param>
/// <param name="Limit">The most that may stand on one period's account; null: no end.</param>
/// <param name="Due">How long after it is sent an invoice may be paid.</param>
/// <param name="Grace">How much longer the caller is served on account after that.</param>
internal sealed record Postpaid(Period Per, Money? Fee, Money? Limit, TimeSpan Due, TimeSpan Grace, WhenPastDue WhenPastDue)
{
    /// <summary>The beginning of the names of accounts that wait to be billed.</summary>
    public const string Unbilled = "unbilled:";

    private const string Form = "yyyy-MM-dd'T'HH:mm:ss'Z'";
    private static readonly int EndLength = "2026-01-01T00:00:00Z".Length;

    /// <summary>What was delivered in the period that ends then, and is not on an invoice yet.</summary>
    public static string Account(string caller, DateTimeOffset end) => $"{Unbilled}{caller}:{Text(end)}";

    /// <summary>What is on invoices and not paid.</summary>
    public static string Invoiced(string caller) => $"invoiced:{caller}";

    /// <summary>What is left of the period's limit.</summary>
    public static string Line(string caller, DateTimeOffset end) => $"line:{caller}:{Text(end)}";

    /// <summary>Whose account it is, and the end of its period; null for any other account.</summary>
    public static (string Caller, DateTimeOffset End)? Read(string account)
    {
        if (!account.StartsWith(Unbilled, StringComparison.Ordinal) || account.Length < Unbilled.Length + EndLength + 2) return null;
        var name = account[Unbilled.Length..^(EndLength + 1)];
        return DateTimeOffset.TryParseExact(account[^EndLength..], Form, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var end) ? (name, end) : null;
    }

    private static string Text(DateTimeOffset end) => end.UtcDateTime.ToString(Form, CultureInfo.InvariantCulture);
}

/// <summary>What an invoice that was not paid in time means for the next call.</summary>
internal enum WhenPastDue
{
    /// <summary>402: it has to be paid another way.</summary>
    Pay,

    /// <summary>403.</summary>
    Refuse,
}
