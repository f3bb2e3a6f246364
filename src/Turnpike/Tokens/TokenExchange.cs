using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Limits;

namespace Turnpike.Tokens;

/// <summary>
/// Makes short-lived tokens of a standing grant (RFC 8693). They have no money of their own: each call of one is held of the grant's
/// budget, within the grant's caps and the token's own; so nothing has to come back when it expires, and whoever ends the grant ends all.
/// </summary>
internal sealed class TokenExchange(TokenStore tokens, RateCounters counters, IAuditTrail audit, TimeProvider time)
{
    /// <summary>Null: the grant's rate is used up for so long.</summary>
    /// <param name="operations">What it opens; empty: what the grant does.</param>
    /// <param name="most">What it may spend at most; null: what the grant allows each.</param>
    public async ValueTask<(Token? Token, TimeSpan Wait)> ExchangeAsync(Token standing, IReadOnlyList<string> operations, Money? most, string? task, CancellationToken ct)
    {
        var (now, series) = (time.GetUtcNow(), standing.Series!);
        if (standing.Rate is { } rate && !counters.TryTake("exchange", standing.Id, rate, out var wait)) return (null, wait);
        var ends = now + series.Valid;
        var token = new Token
        {
            Id = TokenText.NewId(),
            Budget = most is { } wanted && wanted < series.Most ? wanted : series.Most,
            PerCall = standing.PerCall,
            Operations = operations.Count > 0 ? operations : standing.Operations,
            BoundTo = standing.BoundTo,
            Expires = standing.Expires is { } until && until < ends ? until : ends,
            Parent = standing.Id,
            Owner = standing.Lineage,
            Gift = Money.Zero(series.Most.Currency),
            Added = Money.Zero(series.Most.Currency),
            Note = task,
            Created = now,
        };
        await tokens.AddAsync(token, ct);
        await audit.RecordAsync(new AuditEvent { Kind = AuditKinds.TokenIssued, Correlation = Ids.New("c"), Payer = token.Payer, Amount = token.Budget.ToString(), Reference = token.Id, Detail = $"of the standing grant {standing.Id}{(task is null ? "" : ": " + task)}" }, ct);
        return (token, TimeSpan.Zero);
    }
}
