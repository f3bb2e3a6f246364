using System.Text.Json.Serialization;
using Turnpike.Ledger;
using Turnpike.Plans;
using Turnpike.Plans.Grants;
using Turnpike.Tokens;

namespace Turnpike.Gateway.Own;

/// <summary><c>GET /balance</c>: what the presented token still buys, or what is left to the caller whose key it is. The credential is its own permission to look.</summary>
internal static class BalanceApi
{
    private const int MostGrants = 1000;

    public static void MapBalance(this IEndpointRouteBuilder app) => app.MapGet("/balance", async (HttpContext http, TokenDesk desk, Allowances allowances, GrantDesk grants, ILedger ledger, TimeProvider time, CancellationToken ct) =>
    {
        var own = await OwnPath.ReadAsync(http, "balance", ct);
        if (own.Refused is { } refused) return refused;
        if (own.Call is { } call)
        {
            var left = await allowances.LeftAsync(call.Caller!, PlanBook.Of(call), call.Now, ct);
            return Results.Json(new CallerBalance(call.Caller!, call.Plan, call.Principal!.Caller.Term?.Until, [.. left.Select(Included.Of)], await CapsAsync(call, ledger, ct), await MoneyAsync(call, grants, ct)), BalanceJson.Default.CallerBalance);
        }
        if (await desk.FindAsync(own.Token!, ct) is not { } token) return OwnPath.Unknown(http).Refused!;
        var (money, calls) = await desk.LeftAsync(token, ct);
        return Results.Json(new Balance(token.Id, token.Expires <= time.GetUtcNow() ? "expired" : token.Status.ToString().ToLowerInvariant(), Sum.Of(money), Sum.Of(token.Budget), calls, token.Expires), BalanceJson.Default.Balance);
    });

    private static async ValueTask<IReadOnlyList<Included>> CapsAsync(Catalog.Call call, ILedger ledger, CancellationToken ct)
    {
        List<Included> caps = [];
        foreach (var currency in Caps.CurrenciesOf(call))
            foreach (var cap in Caps.Of(call, currency))
            {
                var left = await ledger.AccountAsync(cap.Name, currency, ct) is { } state ? state.Available : cap.Cap.Amount;
                caps.Add(new Included($"cap/{cap.Told}", Sum.Of(cap.Cap.Amount), Sum.Of(cap.Cap.Amount - left), Sum.Of(left), cap.End));
            }
        return caps;
    }

    private static async ValueTask<OwnMoney> MoneyAsync(Catalog.Call call, GrantDesk desk, CancellationToken ct)
    {
        var living = (await desk.ListAsync(call, MostGrants, ct)).Where(s => !s.Left.IsZero && !(s.Grant.Expires <= call.Now)).ToList();
        var sums = living.GroupBy(s => s.Left.Currency).OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => Sum.Of(g.Aggregate(Money.Zero(g.Key), (sum, s) => sum + s.Left)));
        return new OwnMoney([.. sums], living.FirstOrDefault()?.Grant.Id, [.. living.Select(s => new OwnGrant(s.Grant.Id, s.Grant.Kind.ToString().ToLowerInvariant(), Sum.Of(s.Left), Sum.Of(s.Grant.Amount), s.Grant.Priority, s.Grant.Expires, Catalog.Organisation.IsHolder(s.Grant.Caller)))]);
    }

    internal sealed record Sum(string Amount, string Currency)
    {
        public static Sum Of(Money money) => new(money.ToDecimal(), money.Currency);
    }

    /// <summary>A token's state. <c>calls</c> is null where calls are not counted.</summary>
    internal sealed record Balance(string Token, string Status, Sum Available, Sum Budget, long? Calls, DateTimeOffset? Expires);

    /// <summary>A caller's: what its plan still includes and what was granted on top, and how much of its caps is left.</summary>
    internal sealed record CallerBalance(string Caller, string? Plan, DateTimeOffset? PlanUntil, IReadOnlyList<Included> Allowances, IReadOnlyList<Included> Caps, OwnMoney Balance);

    /// <summary>What a caller was granted: what it can spend, by currency, and the grants in the order in which they are spent.</summary>
    /// <param name="Next">The grant that is spent next.</param>
    internal sealed record OwnMoney(IReadOnlyList<Sum> Available, string? Next, IReadOnlyList<OwnGrant> Grants);

    /// <summary>One grant that can be spent.</summary>
    /// <param name="Shared">It is the organisation's: other callers spend it as well.</param>
    internal sealed record OwnGrant(string Id, string Kind, Sum Left, Sum Amount, int Priority, DateTimeOffset? Expires, bool Shared);

    /// <summary>Limit, used and resetAt are null for what was granted on top.</summary>
    internal sealed record Included(string Feature, Sum? Limit, Sum? Used, Sum Left, DateTimeOffset? ResetAt)
    {
        public static Included Of(AllowanceState s) => new(s.Feature, s.Limit is { } limit ? Sum.Of(limit) : null, s.Used is { } used ? Sum.Of(used) : null, Sum.Of(s.Left), s.ResetAt);
    }
}

/// <summary>The JSON of balances.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(BalanceApi.Balance))]
[JsonSerializable(typeof(BalanceApi.CallerBalance))]
internal sealed partial class BalanceJson : JsonSerializerContext;
