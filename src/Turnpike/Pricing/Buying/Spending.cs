using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Protocols.Evm;

namespace Turnpike.Pricing.Buying;

/// <summary>The <c>pays:</c> of a service: its upstream asks for money, and this much of it may be paid, from these wallets, to these.</summary>
internal sealed record Spending
{
    /// <summary>Names of <c>wallets:</c>, in order of preference.</summary>
    public required IReadOnlyList<string> Wallets { get; init; }

    /// <summary>Who may be paid on a chain; nobody else is, whatever the terms say.</summary>
    public IReadOnlyList<Address> Payees { get; init; } = [];

    /// <summary>Protocols, best first; one that is not listed is not used.</summary>
    public IReadOnlyList<string> Protocols { get; init; } = ["prepaid", "x402", "mpp"];

    /// <summary>The most one call may pay; null: what its caller pays for it.</summary>
    public Money? PerCall { get; init; }

    public IReadOnlyList<SpendCap> Caps { get; init; } = [];

    /// <summary>How a call of this operation may be paid for; null where its upstream is never paid.</summary>
    public static Spending? Of(Call call) => call.Catalog.ServiceOf(call.Operation).Settings.Get<Spending>();
}

/// <summary>The most that may be spent in a period.</summary>
internal sealed record SpendCap(Money Amount, Period Per, SpendScope Each)
{
    private const string Giver = "external:spend-cap", Role = "spend:";

    /// <summary>What a spent cap's leg goes to.</summary>
    public const string Used = "used:spend";

    /// <summary>The account that keeps count of it now. Its name tells when it has passed.</summary>
    /// <param name="owner">The wallet's or the service's name.</param>
    public SpendAccount At(string owner, Call call, string host)
    {
        var (_, end) = Per.At(call.Now);
        var scope = Each switch { SpendScope.Host => $"{owner}/host={host}", SpendScope.Operation => $"{owner}/operation={call.Operation.Name}", _ => owner };
        return new SpendAccount($"{Role}{scope}:{Per.Text}:{end.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}", this, end);
    }

    public static bool IsCap(string account) => account.StartsWith(Role, StringComparison.Ordinal);

    public static Raise Raise(SpendAccount account) => new(account.Name, Giver, account.Cap.Amount);
}

/// <summary>A cap in the period a call falls into.</summary>
internal sealed record SpendAccount(string Name, SpendCap Cap, DateTimeOffset End);

/// <summary>What a cap holds for.</summary>
internal enum SpendScope
{
    All,
    Host,
    Operation,
}
