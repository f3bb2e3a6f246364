using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Ledger;

namespace Turnpike.Tokens;

/// <summary>
/// Moves money from one token to another of the same owner. Never between strangers; never what was given away, which counts as spent
/// last; never off a token that is frozen, revoked, or whose purchase went back; and never past the day it expires.
/// </summary>
internal sealed class TokenHandover(TokenStore tokens, HandoverStore handovers, ILedger ledger, TimeProvider time)
{
    /// <summary>Moves it once for each <paramref name="id"/>. Null: it is moved; else why not, and what is told of it.</summary>
    public async ValueTask<(Reason Reason, string Detail)?> MoveAsync(string fromId, string toId, Money amount, string id, CancellationToken ct)
    {
        // As they stand now: what was frozen elsewhere a moment ago is frozen.
        if (await tokens.FreshAsync(fromId, ct) is not { } from || await tokens.FreshAsync(toId, ct) is not { } to) return (Reasons.UnknownToken, "One of the two tokens is not known here.");
        var now = time.GetUtcNow();
        if ((WhyNot(from, now, "gives") ?? WhyNot(to, now, "receives")) is { } spent) return spent;
        if (from.Account == to.Account || amount.IsZero || amount.Currency != from.Budget.Currency || amount.Currency != to.Budget.Currency) return (Reasons.MalformedRequest, $"amount: write an amount above zero in {from.Budget.Currency}, to another token in {from.Budget.Currency}.");
        if (from.Lineage != to.Lineage) return (Reasons.AccessDenied, "The two tokens are not of one owner.");
        if (from.Calls is not null || to.Calls is not null) return (Reasons.AccessDenied, "A token that counts its calls keeps its money.");
        if (from.Expires is { } end && (to.Expires is null || to.Expires > end)) return (Reasons.AccessDenied, $"The money may be spent until {end:u}; the other token lives longer.");
        if (await tokens.WasReversedAsync(from.Account, ct)) return (Reasons.AccessDenied, "Its purchase was refunded or disputed.");
        var moved = new AuditEvent { Kind = AuditKinds.TokenTransferred, Correlation = Ids.New("c"), Payer = from.Payer, Amount = amount.ToString(), Reference = to.Id };
        var transfer = new Transfer($"handover:{from.Id}:{id}", from.Account, to.Account, amount, "handover", LimitedFrom: true, LimitedTo: true) { Correlation = moved.Correlation, Leaves = from.Gift.Units, Events = [moved] };
        // Written before it is made: a freeze in this moment either refuses it here, or follows it.
        if (!await handovers.BeginAsync(transfer.Id, from.Account, to.Account, ct)) return (Reasons.TokenFrozen, "One of the two was frozen or revoked in this moment.");
        switch (await ledger.PostAsync(transfer, ct))
        {
            case PostResult.Posted:
                await tokens.AddAsync(to.Account, amount, Money.Zero(amount.Currency), ct);
                await tokens.AddAsync(from.Account, amount with { Units = -amount.Units }, Money.Zero(amount.Currency), ct);
                return null;
            case PostResult.Existed: return null;
            case PostResult.Conflict: return (Reasons.IdempotencyMismatch, "The key was used for another transfer.");
            default:
                var left = await ledger.AvailableAsync(from.Account, amount.Currency, ct);
                return (Reasons.TokenExhausted, $"{(left > from.Gift ? left - from.Gift : Money.Zero(amount.Currency))} may be moved; what was given away stays.");
        }
    }

    private static (Reason, string)? WhyNot(Token token, DateTimeOffset now, string does) => token switch
    {
        { Status: TokenStatus.Revoked } => (Reasons.TokenRevoked, $"The token that {does} is revoked."),
        { Status: TokenStatus.Frozen } => (Reasons.TokenFrozen, $"The token that {does} is frozen."),
        _ when token.Expires <= now => (Reasons.TokenExpired, $"The token that {does} was valid until {token.Expires:u}."),
        { Series: not null } or { Parent: not null } => (Reasons.AccessDenied, "A standing grant keeps its money, and its tokens have none of their own."),
        _ => null,
    };
}
