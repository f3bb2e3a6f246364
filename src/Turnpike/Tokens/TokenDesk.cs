using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Ledger;

namespace Turnpike.Tokens;

/// <summary>Issues, shows and revokes tokens: what the CLI, the Admin API and the checkout do, in one place.</summary>
internal sealed class TokenDesk(TokenStore store, ILedger ledger, IAuditTrail audit, TimeProvider time)
{
    /// <summary>
    /// Issues a token and funds its budget. The row comes first and the money second, each idempotent by <paramref name="id"/>, so
    /// that a crash between them leaves a token nobody was told of, without money.
    /// </summary>
    /// <param name="source">Who gives the money: <c>external:owner</c>, <c>external:sandbox</c> …</param>
    public async ValueTask<Token> IssueAsync(TokenOrder order, string source, string? id = null, CancellationToken ct = default)
    {
        var token = new Token
        {
            Id = id ?? TokenText.NewId(),
            Budget = order.Budget,
            Calls = order.Calls,
            PerCall = order.PerCall,
            Operations = order.Operations,
            Rate = order.Rate,
            Expires = order.Valid is { } valid ? time.GetUtcNow() + valid : null,
            Note = order.Note,
            Created = time.GetUtcNow(),
        };
        await store.AddAsync(token, ct);
        var issued = new AuditEvent { Kind = AuditKinds.TokenIssued, Correlation = order.Correlation ?? Ids.New("c"), Payer = token.Account, Amount = token.Budget.ToString(), Reference = token.Id, Detail = order.Note };
        if (token.Calls is { } calls)
            await ledger.PostAsync(new Transfer($"issue:{token.Id}:calls", source, token.Account, new Money(calls, Token.CallsCurrency), "issue", LimitedFrom: false, LimitedTo: true) { Correlation = issued.Correlation }, ct);
        await ledger.PostAsync(new Transfer($"issue:{token.Id}", source, token.Account, token.Budget, "issue", LimitedFrom: false, LimitedTo: true) { Correlation = issued.Correlation, Events = [issued] }, ct);
        return token;
    }

    public ValueTask<Token?> FindAsync(string id, CancellationToken ct) => store.FindAsync(id, ct);

    public ValueTask<IReadOnlyList<Token>> ListAsync(string? before, int most, CancellationToken ct) => store.ListAsync(before, most, ct);

    /// <summary>What is left: money, and calls where they are counted.</summary>
    public async ValueTask<(Money Money, long? Calls)> LeftAsync(Token token, CancellationToken ct)
    {
        var money = await ledger.AvailableAsync(token.Account, token.Budget.Currency, ct);
        return (money, token.Calls is null ? null : (await ledger.AvailableAsync(token.Account, Token.CallsCurrency, ct)).Units);
    }

    /// <summary>In force for the next call. False when there is no such token, or it is revoked: revoking is final.</summary>
    public async ValueTask<bool> SetStatusAsync(string id, TokenStatus status, string reason, CancellationToken ct)
    {
        if (!await store.SetStatusAsync(id, status, ct)) return false;
        await audit.RecordAsync(new AuditEvent { Kind = KindOf(status), Correlation = Ids.New("c"), Payer = "token:" + id, Reference = id, Detail = reason }, ct);
        return true;
    }

    private static string KindOf(TokenStatus status) => status switch
    {
        TokenStatus.Frozen => AuditKinds.TokenFrozen,
        TokenStatus.Revoked => AuditKinds.TokenRevoked,
        _ => AuditKinds.TokenThawed,
    };
}
