using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Limits;
using Turnpike.Protocols.Http;
using Turnpike.Tokens;

namespace Turnpike.Payments.Prepaid;

/// <summary>Spends a prepaid token's budget: the money is already here, so capturing is settling.</summary>
internal sealed class PrepaidMethod(TokenStore tokens, RateLimits limits) : IPaymentMethod
{
    private static readonly SendAs Send = new("Authorization", "Bearer tp_…");

    public string Name => PrepaidProtocol.ProtocolName;

    public string Protocol => PrepaidProtocol.ProtocolName;

    public bool SettlesInBooks => true;

    public IReadOnlyList<Offer> Offer(Call call) => call.Catalog.Settings.Get<PaymentSettings>()?.Prepaid is not { } settings
        ? []
        : [new Offer(Protocol, Name, null, call.Quote!.Ceiling.ToDecimal(), call.Quote.Ceiling.Currency, null, Send, null) { Url = Shop(call, settings) }];

    /// <summary>Where such a token is sold; null where the owner gives them out.</summary>
    private static string? Shop(Call call, PrepaidSettings settings) => settings.Checkout is null && !call.Catalog.Gateway.Sandbox ? null
        : $"{call.Catalog.Gateway.Url.GetLeftPart(UriPartial.Authority)}/buy/{call.Operation.Name}";

    public Answer? Identify(Payment payment)
    {
        if (payment.Call.Catalog.Settings.Get<PaymentSettings>()?.Prepaid is not { } settings) return new Refusal(Reasons.MethodUnsupported, "Prepaid tokens are not taken here.");
        var reading = settings.Text.Read(((PrepaidCredential)payment.Credential!).Text);
        if (reading.Id is not { } id) return new Refusal(Reasons.UnknownToken, $"The token is refused: {reading.Error}.");
        payment.Payer = "token:" + id;
        var keys = payment.Call.Headers["Idempotency-Key"];
        if (keys.Count == 0) return null;
        if (keys.Count > 1 || StructuredFields.ParseStringOrToken(keys.ToString()) is not { Length: > 0 } key) return new Refusal(Reasons.MalformedRequest, "Idempotency-Key is one string of at most 255 printable characters.");
        payment.HoldId = $"idem:{payment.Payer}:{key}";
        return null;
    }

    public async ValueTask<Answer?> VerifyAsync(Payment payment, CancellationToken ct)
    {
        var call = payment.Call;
        var id = payment.Payer!["token:".Length..];
        if (await tokens.FindAsync(id, ct) is not { } token) return new Refusal(Reasons.UnknownToken, "The token was issued here, but is no longer known.");
        if (Refuse(token, call) is { } refused) return refused;
        if (token.Rate is { } rate && limits.Take(call, "token", id, rate) is { } wait) return wait;
        var money = new Leg(token.Account, $"revenue:{call.Operation.Name}", call.Quote!.Ceiling, Limited: true);
        payment.Legs = token.Calls is null ? [money] : [money, new Leg(token.Account, "used:calls", new Money(1, Token.CallsCurrency), Limited: true, Fixed: true)];
        return null;
    }

    public ValueTask<Settlement> SettleAsync(HoldState captured, CancellationToken ct) => ValueTask.FromResult<Settlement>(new Settlement.Settled(captured.Hold.Receipt));

    public Refusal TooLittle(HoldResult.InsufficientFunds missing) => missing.Available.Currency == Token.CallsCurrency
        ? new Refusal(Reasons.TokenOverCalled, "All its calls have been made.")
        : new Refusal(Reasons.TokenExhausted, $"{missing.Available} is left.");

    public Money? Remaining(Payment payment) => payment.Remaining;

    /// <summary>Everything a token can be refused for that is not a matter of money.</summary>
    private static Refusal? Refuse(Token token, Call call) => token switch
    {
        { Status: TokenStatus.Revoked } => new Refusal(Reasons.TokenRevoked, "It buys nothing any more."),
        { Status: TokenStatus.Frozen } => new Refusal(Reasons.TokenFrozen, "It buys nothing for now."),
        { Expires: { } expires } when expires <= call.Now => new Refusal(Reasons.TokenExpired, $"It was valid until {expires:u}."),
        _ when token.Operations.Count > 0 && !token.Operations.Contains(call.Operation.Name) => new Refusal(Reasons.TokenWrongOperation, $"It opens {string.Join(", ", token.Operations)}."),
        _ when token.Budget.Currency != call.Quote!.Ceiling.Currency => new Refusal(Reasons.TokenExhausted, $"It holds {token.Budget.Currency}, the price is in {call.Quote.Ceiling.Currency}."),
        { PerCall: { } cap } when call.Quote.Ceiling > cap => new Refusal(Reasons.TokenCallCap, $"This call costs {call.Quote.Ceiling}; the token allows {cap}."),
        _ => null,
    };
}
