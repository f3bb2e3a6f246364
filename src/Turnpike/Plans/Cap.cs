using Turnpike.Catalog;
using Turnpike.Ledger;

namespace Turnpike.Plans;

/// <summary>The most a caller may spend in a period, whatever way it pays.</summary>
/// <param name="Each">Whom it holds for: the caller, each of its keys, or each task it names.</param>
internal sealed record Cap(Money Amount, Period Per, CapScope Each);

/// <summary>A caller's caps: all of them hold.</summary>
internal sealed record Caps(IReadOnlyList<Cap> All)
{
    private const string Giver = "external:cap", Role = "cap:";

    /// <summary>The caps that count in this currency, as accounts: the call's money is reserved of each of them, beside where it comes from.</summary>
    public static IReadOnlyList<CapAccount> Of(Call call, string currency)
    {
        if (call.Principal is not { } principal || principal.Caller.Settings.Get<Caps>() is not { } caps) return [];
        List<CapAccount> accounts = [];
        foreach (var cap in caps.All)
        {
            if (cap.Amount.Currency != currency || OwnerOf(cap, call) is not { } owner) continue;
            var (start, end) = cap.Per.At(call.Now);
            accounts.Add(new CapAccount($"{Role}{owner}:{cap.Per.Text}:{end.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}", cap, start, end));
        }
        return accounts;
    }

    /// <summary>What this caller's caps are in.</summary>
    public static IEnumerable<string> CurrenciesOf(Call call) => (call.Principal?.Caller.Settings.Get<Caps>()?.All ?? []).Select(c => c.Amount.Currency).Distinct();

    public static bool IsCap(string account) => account.StartsWith(Role, StringComparison.Ordinal);

    public static Raise Raise(CapAccount account) => new(account.Name, Giver, account.Cap.Amount);

    private static string? OwnerOf(Cap cap, Call call) => cap.Each switch
    {
        CapScope.Key => $"{call.Caller}/{call.Principal!.Credential}",
        CapScope.Task => call.TaskName is { } task ? $"{call.Caller}/task:{task}" : null,
        _ => call.Caller,
    };
}

/// <summary>A cap in the period a call falls into.</summary>
internal sealed record CapAccount(string Name, Cap Cap, DateTimeOffset Start, DateTimeOffset End);

/// <summary>Whom a cap holds for.</summary>
internal enum CapScope
{
    Caller,
    Key,
    Task,
}
