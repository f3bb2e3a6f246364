using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Plans;

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
            Caps = order.Caps,
            Series = order.Series,
            Owner = order.Owner,
            Gift = order.Gift ?? Money.Zero(order.Budget.Currency),
            Added = Money.Zero(order.Budget.Currency),
            BoundTo = order.BoundTo,
            Expires = order.Valid is { } valid ? time.GetUtcNow() + valid : null,
            Note = order.Note,
            Created = time.GetUtcNow(),
        };
        await store.AddAsync(token, ct);
        var issued = new AuditEvent { Kind = AuditKinds.TokenIssued, Correlation = order.Correlation ?? Ids.New("c"), Payer = token.Account, Amount = token.Budget.ToString(), Reference = token.Id, Detail = order.Note };
        if (token.Calls is { } calls)
            await ledger.PostAsync(new Transfer($"issue:{token.Id}:calls", source, token.Account, new Money(calls, Token.CallsCurrency), "issue", LimitedFrom: false, LimitedTo: true) { Correlation = issued.Correlation }, ct);
        var (paid, correlation) = (token.Budget, issued.Correlation);
        if (order.Gift is { } gift)
        {
            paid = paid with { Units = checked(paid.Units - gift.Units) };
            await ledger.PostAsync(Given($"issue:{token.Id}:gift", token, gift, correlation), ct);
        }
        await ledger.PostAsync(new Transfer($"issue:{token.Id}", source, token.Account, paid, "issue", LimitedFrom: false, LimitedTo: true) { Correlation = correlation, Events = [issued] }, ct);
        return token;
    }

    /// <summary>Adds to what a token may spend, once per <paramref name="id"/>.</summary>
    /// <param name="id">What was bought: the same purchase told twice adds once.</param>
    /// <param name="paid">What was paid for, from <paramref name="source"/>.</param>
    /// <param name="bought">When: told twice, it is not valid for longer.</param>
    public async ValueTask TopUpAsync(Token token, string id, string source, Money paid, Money? gift, long? calls, TimeSpan? valid, DateTimeOffset bought, CancellationToken ct)
    {
        var correlation = Ids.New("c");
        if (token.Calls is not null && calls is { } more)
            await ledger.PostAsync(new Transfer($"topup:{id}:calls", source, token.Account, new Money(more, Token.CallsCurrency), "top-up", LimitedFrom: false, LimitedTo: true) { Correlation = correlation }, ct);
        if (gift is { } given && await ledger.PostAsync(Given($"topup:{id}:gift", token, given, correlation), ct) == PostResult.Posted) await store.AddAsync(token.Account, given, given, ct);
        var added = new AuditEvent { Kind = AuditKinds.TokenToppedUp, Correlation = correlation, Payer = token.Account, Amount = paid.ToString(), Reference = token.Id };
        if (await ledger.PostAsync(new Transfer($"topup:{id}", source, token.Account, paid, "top-up", LimitedFrom: false, LimitedTo: true) { Correlation = correlation, Events = [added] }, ct) == PostResult.Posted) await store.AddAsync(token.Account, paid, Money.Zero(paid.Currency), ct);
        if (token.Expires is { } expires && (valid is null || bought + valid > expires)) await store.ExtendAsync(token.Account, bought + valid, ct);
    }

    /// <summary>
    /// For a token that got into wrong hands: another one with its rules and its account, and the old one buys nothing from now on. No
    /// money moves, so what is given back, added or taken back later finds the same account. Safe to repeat. Null when it may not be spent.
    /// </summary>
    public async ValueTask<Token?> SucceedAsync(Token old, string reason, CancellationToken ct)
    {
        var next = TokenText.IdAfter(old.Id);
        if (await store.SucceedAsync(old, next, ct))
        {
            await audit.RecordAsync(new AuditEvent { Kind = AuditKinds.TokenRevoked, Correlation = Ids.New("c"), Payer = Token.AccountOf(old.Id), Reference = old.Id, Detail = reason }, ct);
            await audit.RecordAsync(new AuditEvent { Kind = AuditKinds.TokenRotated, Correlation = Ids.New("c"), Payer = Token.AccountOf(next), Reference = next, Detail = $"was {Token.AccountOf(old.Id)}: {reason}" }, ct);
        }
        return await store.FindAsync(old.Id, ct) is { ReplacedBy: not null } replaced ? await store.FindAsync(replaced.ReplacedBy, ct) : null;
    }

    /// <summary>The last token of this one's lineage: itself, where nothing took its place.</summary>
    public async ValueTask<Token?> CurrentAsync(string id, CancellationToken ct)
    {
        var token = await store.FindAsync(id, ct);
        while (token is { ReplacedBy: { } next }) token = await store.FindAsync(next, ct);
        return token;
    }

    /// <summary>Takes up to an amount out of an account, as much as there is. Safe to repeat: what was taken is not taken again.</summary>
    public async ValueTask TakeAsync(string account, string id, Money most, string to, CancellationToken ct)
    {
        while (true)
        {
            var left = await ledger.AvailableAsync(account, most.Currency, ct);
            var amount = left < most ? left : most;
            // Spent elsewhere in this moment: look again.
            if (amount.IsZero || await ledger.PostAsync(new Transfer(id, account, to, amount, "reversal", LimitedFrom: true, LimitedTo: false), ct) != PostResult.InsufficientFunds) return;
        }
    }

    private static Transfer Given(string id, Token token, Money gift, string correlation) =>
        new(id, "external:promotion", token.Account, gift, "gift", LimitedFrom: false, LimitedTo: true) { Correlation = correlation };

    public ValueTask<Token?> FindAsync(string id, CancellationToken ct) => store.FindAsync(id, ct);

    public ValueTask<IReadOnlyList<Token>> ListAsync(string? before, int most, CancellationToken ct) => store.ListAsync(before, most, ct);

    /// <summary>What is left: money, and calls where they are counted. What was replaced has nothing of its own any more.</summary>
    public async ValueTask<(Money Money, long? Calls)> LeftAsync(Token token, CancellationToken ct)
    {
        if (token.ReplacedBy is not null) return (Money.Zero(token.Budget.Currency), token.Calls is null ? null : 0);
        var from = token.Parent is { } parent ? await store.FindAsync(parent, ct) ?? token : token;
        var money = await ledger.AvailableAsync(from.Account, token.Budget.Currency, ct);
        // One of a series may take so much of its standing grant, and no more than that has.
        if (token.Parent is not null && (await ledger.AccountAsync(Caps.AccountOf(token.Payer), token.Budget.Currency, ct))?.Available is var own && (own ?? token.Budget) < money) money = own ?? token.Budget;
        return (money, token.Calls is null ? null : (await ledger.AvailableAsync(token.Account, Token.CallsCurrency, ct)).Units);
    }

    /// <summary>In force for the next call, for it and what took its place. False when there is no such token, or it is revoked: revoking is final.</summary>
    public async ValueTask<bool> SetStatusAsync(string id, TokenStatus status, string reason, CancellationToken ct)
    {
        if (await store.FindAsync(id, ct) is not { } token || !await store.SetStatusAsync(token.Account, status, ct)) return false;
        await audit.RecordAsync(new AuditEvent { Kind = KindOf(status), Correlation = Ids.New("c"), Payer = "token:" + id, Reference = id, Detail = reason }, ct);
        return true;
    }

    /// <summary>The money it was bought with went back whole: it ends, unless other money came to it since, which stays its buyer's. False: it goes on.</summary>
    public async ValueTask<bool> EndAsync(string id, TokenStatus status, string reason, CancellationToken ct) =>
        await store.FindAsync(id, ct) is { } token && !await store.WasAddedToAsync(token.Account, ct) && await SetStatusAsync(id, status, reason, ct);

    /// <summary>Whose it is from now on, with what took its place: money may be moved between tokens of one owner.</summary>
    public async ValueTask SetOwnerAsync(Token token, string? owner, CancellationToken ct)
    {
        await store.SetOwnerAsync(token.Account, owner, ct);
        await audit.RecordAsync(new AuditEvent { Kind = AuditKinds.TokenOwned, Correlation = Ids.New("c"), Payer = token.Account, Reference = token.Id, Detail = $"{token.Owner ?? "nobody"} before, {owner ?? "nobody"} now" }, ct);
    }

    private static string KindOf(TokenStatus status) => status switch
    {
        TokenStatus.Frozen => AuditKinds.TokenFrozen,
        TokenStatus.Revoked => AuditKinds.TokenRevoked,
        _ => AuditKinds.TokenThawed,
    };
}
