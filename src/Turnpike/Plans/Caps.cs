using Turnpike.Catalog;
using Turnpike.Ledger;

namespace Turnpike.Plans;

/// <summary>The caps that a place of the document, or a token, names: all of them hold.</summary>
internal sealed record Caps(IReadOnlyList<Cap> All)
{
    private const string Giver = "external:cap", Role = "cap:", TokenPayer = "token:";

    /// <summary>
    /// The caps that count in this currency, as accounts, from the organisation down to the task: the call's money is reserved of each of
    /// them, beside where it comes from.
    /// </summary>
    /// <param name="payer">Who pays, where that is known.</param>
    /// <param name="ofToken">What the token that pays says itself.</param>
    public static IReadOnlyList<CapAccount> Of(Call call, string currency, string? payer = null, IReadOnlyList<OwnedCap>? ofToken = null)
    {
        if (call.Principal is null && ofToken is not { Count: > 0 }) return [];
        List<CapAccount>? accounts = null;
        if (call.Principal is { Caller: var caller })
        {
            Add(ref accounts, OfOrganisation(call), call, currency, payer);
            Add(ref accounts, Of(caller), call, currency, payer);
        }
        foreach (var (owner, cap) in ofToken ?? [])
            if ((cap.Each == CapScope.Task ? call.TaskName is { } task ? $"{owner}/task:{task}" : null : owner) is { } whose) Add(ref accounts, whose, cap, call, currency);
        if (accounts is { Count: > 1 }) accounts.Sort((a, b) => a.Cap.Each.CompareTo(b.Cap.Each));
        return accounts ?? [];
    }

    /// <summary>What this caller's caps are in.</summary>
    public static IEnumerable<string> CurrenciesOf(Call call) => call.Principal is not { Caller: var caller } ? [] :
        OfOrganisation(call).Concat(Of(caller)).Select(c => c.Amount.Currency).Distinct();

    /// <summary>The account of what is spent in all.</summary>
    public static string AccountOf(string owner) => $"{Role}{owner}:total";

    public static bool IsCap(string account) => account.StartsWith(Role, StringComparison.Ordinal);

    /// <summary>Exact: a cap that is lowered holds at once, as far as it is not spent yet.</summary>
    public static Raise Raise(CapAccount account) => new(account.Name, Giver, account.Cap.Amount, Exact: true);

    /// <summary>What all callers of an organisation may spend together, as accounts at this moment.</summary>
    public static IReadOnlyList<CapAccount> Together(string organisation, IReadOnlyList<Cap> caps, DateTimeOffset now) =>
        [.. caps.Where(c => c.Each == CapScope.Organisation).Select(c => At(OwnerOf(organisation), c, now))];

    private static IReadOnlyList<Cap> OfOrganisation(Call call) => call.Organisation?.Caps ?? [];

    private static IReadOnlyList<Cap> Of(Caller caller) => caller.Settings.Get<Caps>()?.All ?? caller.Caps;

    private static void Add(ref List<CapAccount>? accounts, IReadOnlyList<Cap> caps, Call call, string currency, string? payer)
    {
        foreach (var cap in caps)
            if (OwnerOf(cap, call, payer) is { } owner) Add(ref accounts, owner, cap, call, currency);
    }

    private static void Add(ref List<CapAccount>? accounts, string owner, Cap cap, Call call, string currency)
    {
        if (cap.Amount.Currency != currency) return;
        var account = At(owner, cap, call.Now);
        accounts ??= [];
        // Said in two places for the same period, the smaller one holds.
        var same = accounts.FindIndex(a => a.Name == account.Name);
        if (same < 0) accounts.Add(account);
        else if (accounts[same].Cap.Amount > cap.Amount) accounts[same] = account;
    }

    private static CapAccount At(string owner, Cap cap, DateTimeOffset now)
    {
        var (start, end) = cap.Per?.At(now) ?? default;
        return new CapAccount(cap.Per is null ? AccountOf(owner) : $"{Role}{owner}:{cap.Per.Text}:{end.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}", cap, start, cap.Per is null ? null : end);
    }

    private static string OwnerOf(string organisation) => "organisation=" + organisation;

    private static string? OwnerOf(Cap cap, Call call, string? payer)
    {
        var token = payer?.StartsWith(TokenPayer, StringComparison.Ordinal) == true ? payer : null;
        return cap.Each switch
        {
            CapScope.Organisation => call.Principal?.Caller.Organisation is { } organisation ? OwnerOf(organisation) : null,
            CapScope.Caller => call.Caller,
            CapScope.Key => call.Principal is { } principal ? $"{call.Caller}/{principal.Credential}" : null,
            CapScope.Token => token,
            _ => call.TaskName is { } task && (call.Caller ?? token) is { } owner ? $"{owner}/task:{task}" : null,
        };
    }
}

/// <summary>A cap that says itself whose it is.</summary>
internal readonly record struct OwnedCap(string Owner, Cap Cap);

/// <summary>A cap in the period a call falls into.</summary>
/// <param name="End">Null: it has no period.</param>
internal sealed record CapAccount(string Name, Cap Cap, DateTimeOffset Start, DateTimeOffset? End)
{
    /// <summary>Its name in headers and balances: <c>1mo</c> of a caller, <c>key/1d</c>, <c>organisation/total</c>.</summary>
    public string Told => $"{(Cap.Each == CapScope.Caller ? "" : Cap.Text(Cap.Each) + "/")}{Cap.Per?.Text ?? "total"}";
}
