using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Limits;
using Turnpike.Plans;
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
    private static string? Shop(Call call, PrepaidSettings settings) => settings.Checkout is null && !call.Catalog.Gateway.Sandbox && (settings.Bundles.Count == 0 || Payable.Of(call.Catalog.Settings).All(rail => rail.TakesLess)) ? null
        : $"{call.Catalog.Gateway.Url.GetLeftPart(UriPartial.Authority)}/buy/{call.Operation.Name}";

    public Answer? Identify(Payment payment)
    {
        if (payment.Call.Catalog.Settings.Get<PaymentSettings>()?.Prepaid is not { } settings) return new Refusal(Reasons.MethodUnsupported, "Prepaid tokens are not taken here.");
        var reading = settings.Text.Read(((PrepaidCredential)payment.Credential!).Text);
        if (reading.Id is not { } id) return new Refusal(Reasons.UnknownToken, $"The token is refused: {reading.Error}.");
        payment.Payer = "token:" + id;
        var refused = IdempotencyKey.Read(payment.Call, payment.Payer, out var hold);
        payment.HoldId = hold;
        return refused;
    }

    public async ValueTask<Answer?> VerifyAsync(Payment payment, CancellationToken ct)
    {
        var call = payment.Call;
        var id = payment.Payer!["token:".Length..];
        if (await tokens.FindAsync(id, ct) is not { } token) return new Refusal(Reasons.UnknownToken, "The token was issued here, but is no longer known.");
        if (token.Series is not null) return new Refusal(Reasons.TokenStanding, "It is a standing grant: POST it to /tokens/exchange, and spend what you get.");
        if (token.PerCall is { } most && most.Currency == payment.Ceiling.Currency) payment.TryLower(most);
        if (!token.MayBePresentedBy(call.SignedBy)) return Unproved;
        if (Refuse(token, payment) is { } refused) return refused;
        var from = token;
        if (token.Parent is { } parent)
        {
            if (await tokens.FindAsync(parent, ct) is not { } standing) return new Refusal(Reasons.UnknownToken, "Its standing grant is no longer known.");
            if (Refuse(standing, payment) is { } ended) return ended;
            from = standing;
        }
        if (from.Caps.Count > 0 || token.Parent is not null) payment.TokenCaps = CapsOf(token, from);
        if (token.Rate is { } rate && limits.Take(call, "token", id, rate) is { } wait) return wait;
        var money = new Leg(from.Account, $"revenue:{call.Operation.Name}", payment.Ceiling, Limited: true);
        payment.Legs = from.Calls is null ? [money] : [money, new Leg(from.Account, "used:calls", new Money(1, Token.CallsCurrency), Limited: true, Fixed: true)];
        return null;
    }

    public ValueTask<Settlement> SettleAsync(HoldState captured, CancellationToken ct) => ValueTask.FromResult<Settlement>(new Settlement.Settled(captured.Hold.Receipt));

    public Refusal TooLittle(HoldResult.InsufficientFunds missing) => missing.Available.Currency == Token.CallsCurrency
        ? new Refusal(Reasons.TokenOverCalled, "All its calls have been made.")
        : new Refusal(Reasons.TokenExhausted, $"{missing.Available} is left.");

    public Money? Remaining(Payment payment) => payment.Remaining;

    /// <summary>A bound token that is stolen buys nothing: its text alone proves nothing.</summary>
    public static Refusal Unproved => new(Reasons.ProofRequired, "This token counts only beside a signature of this request by the key it is bound to.") { Challenges = ["DPoP error=\"invalid_token\", algs=\"ES256 EdDSA PS256 RS256\""] };

    /// <summary>What a token says may be spent; one of a series may spend its own budget, within what its standing grant says.</summary>
    private static List<OwnedCap> CapsOf(Token token, Token from)
    {
        List<OwnedCap> caps = [.. from.Caps.Select(cap => new OwnedCap(from.Account, cap))];
        if (token.Parent is not null) caps.Add(new OwnedCap(token.Payer, new Cap(token.Budget, null, CapScope.Token)));
        return caps;
    }

    /// <summary>Everything a token can be refused for that is not a matter of money.</summary>
    private static Refusal? Refuse(Token token, Payment payment) => Refuse(token, payment.Call, payment.Ceiling);

    private static Refusal? Refuse(Token token, Call call, Money ceiling) => token switch
    {
        { Status: TokenStatus.Revoked } => new Refusal(Reasons.TokenRevoked, "It buys nothing any more."),
        { Status: TokenStatus.Frozen } => new Refusal(Reasons.TokenFrozen, "It buys nothing for now."),
        { Expires: { } expires } when expires <= call.Now => new Refusal(Reasons.TokenExpired, $"It was valid until {expires:u}."),
        _ when token.Operations.Count > 0 && !token.Operations.Contains(call.Operation.Name) => new Refusal(Reasons.TokenWrongOperation, $"It opens {string.Join(", ", token.Operations)}."),
        _ when token.Budget.Currency != ceiling.Currency => new Refusal(Reasons.TokenExhausted, $"It holds {token.Budget.Currency}, the price is in {ceiling.Currency}."),
        { PerCall: { } cap } when ceiling > cap => new Refusal(Reasons.TokenCallCap, $"This call costs {ceiling}; the token allows {cap}."),
        _ => null,
    };
}
