using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Metering;
using Turnpike.Plans;
using Turnpike.Pricing;

namespace Turnpike.Payments.Included;

/// <summary>
/// Pays with what the caller's plan includes. Nothing is presented for it but the caller's own proof of who it is, and nothing is
/// offered: terms name what can be sent.
/// </summary>
internal sealed class PlanMethod(ILedger ledger, Arrears arrears) : IPaymentMethod
{
    public const string MethodName = "plan";

    public string Name => MethodName;

    public string Protocol => MethodName;

    public bool SettlesInBooks => true;

    public IReadOnlyList<Offer> Offer(Call call) => [];

    public Answer? Identify(Payment payment) => throw new NotSupportedException("No credential names a plan; the cashier claims what it includes.");

    public ValueTask<Answer?> VerifyAsync(Payment payment, CancellationToken ct) => throw new NotSupportedException("No credential names a plan; the cashier claims what it includes.");

    public ValueTask<Settlement> SettleAsync(HoldState captured, CancellationToken ct) => ValueTask.FromResult<Settlement>(new Settlement.Settled(captured.Hold.Receipt));

    public Money? Remaining(Payment payment) => payment.Remaining;

    /// <summary>What this call would take of its caller's plan; null when that includes nothing of the kind.</summary>
    public static Claim? ClaimOf(Call call)
    {
        if (call.Caller is not { } caller || PlanBook.Of(call) is not { } plan) return null;
        List<ClaimedAllowance> parts = new(plan.Includes.Count);
        foreach (var allowance in plan.Includes)
            if (Covers(plan, allowance, call) && AmountOf(allowance, call) is { } amount)
                parts.Add(new ClaimedAllowance(caller, allowance, amount, allowance.Per.At(call.Now)));
        // What is measured comes first: it moves by what the call comes to, and the requests by one each.
        parts.Sort((a, b) => (a.Amount.Currency == RateRule.Requests).CompareTo(b.Amount.Currency == RateRule.Requests));
        var account = OnAccount.Of(call, caller, plan);
        return parts.Count == 0 && account is null ? null : new Claim(caller, parts, account);
    }

    /// <summary>What a caller is told whose invoice was not paid in time: nothing of the plan is given; null when all is well.</summary>
    public Refusal? PastDue(Call call) => !arrears.Has(call.Caller!) || PlanBook.Of(call)?.Postpaid is not { } terms ? null
        : new Refusal(terms.WhenPastDue == WhenPastDue.Refuse ? Reasons.AccountPastDue : Reasons.InvoicePastDue, "An invoice was not paid in time.");

    /// <summary>
    /// Looks for somebody else to give what an allowance no longer has, and where nobody gives all of it, asks for less. Null: try again;
    /// else what the caller is told.
    /// </summary>
    /// <param name="last">No other way to pay will be tried.</param>
    public async ValueTask<Refusal?> InsteadAsync(Call call, Claim claim, HoldResult.InsufficientFunds missing, bool last, CancellationToken ct)
    {
        var capped = Caps.IsCap(missing.Account);
        if (claim.IsOnAccount) return (last || capped) && claim.TryLower(missing, Money.Zero(claim.Amount.Currency), LeastOf(call, claim.Amount)) ? null : capped ? CapReached.Of(call, missing) : claim.Account.LineReached(call, missing);
        if (capped) return CapReached.Of(call, missing);
        var part = claim.Short(missing);
        var granted = await ledger.AvailableAsync(PlanBook.Grants(claim.Caller), part.Amount.Currency, ct);
        if (part.TakeElsewhere(missing.Available, granted, counted: !claim.HasAccount) || part.Allowance.WhenUsedUp is WhenUsedUp.Pay or WhenUsedUp.Bill && claim.TurnToAccount()) return null;
        // Where a payment would be taken instead, it pays for all that was asked for.
        if ((last || part.Allowance.WhenUsedUp != WhenUsedUp.Pay) && claim.TryLower(missing, granted, LeastOf(call, claim.Amount))) return null;
        return await UsedUpAsync(call, part, ct);
    }

    /// <summary>The least a call is worth forwarding with: its question, and a beginning of an answer.</summary>
    private static Money LeastOf(Call call, Money most) =>
        call.Quote is not MeteredQuote quote ? most : most.Currency == Units.Total ? new Money(quote.LeastTokens ?? most.Units, Units.Total) : quote.Least;

    private async ValueTask<Refusal> UsedUpAsync(Call call, ClaimedAllowance part, CancellationToken ct)
    {
        var (allowance, window) = (part.Allowance, part.Window);
        var state = await ledger.AccountAsync(part.Own, allowance.Amount.Currency, ct) ?? new AccountState(allowance.Amount, allowance.Amount);
        var reason = allowance.WhenUsedUp switch { WhenUsedUp.Wait => Reasons.AllowanceRenews, WhenUsedUp.Refuse or WhenUsedUp.Bill => Reasons.AllowanceOver, _ => Reasons.AllowanceUsedUp };
        return new Refusal(reason, $"{state.Raised} per {allowance.Per.Text} are included; {state.Available} is left until {window.End.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}.")
        {
            RetryAfter = reason.Status == 429 ? window.End - call.Now : null,
            Limit = new LimitState(allowance.Feature, state.Raised.Units, state.Raised.Units - state.Available.Units, window.End, window.End - window.Start, allowance.Amount.Currency),
        };
    }

    /// <summary>The most specific allowance of a unit counts: one for the operation or the model's tier before one for all.</summary>
    private static bool Covers(Plan plan, Allowance allowance, Call call) =>
        Matches(plan, allowance, call) && !plan.Includes.Any(other => other.Amount.Currency == allowance.Amount.Currency && Rank(other) > Rank(allowance) && Matches(plan, other, call));

    private static bool Matches(Plan plan, Allowance allowance, Call call) =>
        (allowance.Operations.Count == 0 || allowance.Operations.Contains(call.Operation.Name)) && (allowance.Tier is not { } tier || call.Metered?.Asked is { } model && plan.Tiers[tier].Contains(model));

    private static int Rank(Allowance allowance) => (allowance.Operations.Count > 0 ? 2 : 0) + (allowance.Tier is null ? 0 : 1);

    /// <summary>How much of it this call may come to; null when it is not counted in that unit.</summary>
    private static Money? AmountOf(Allowance allowance, Call call) => allowance.Amount.Currency switch
    {
        RateRule.Requests => new Money(1, RateRule.Requests),
        // Held for the most the call can be, charged for what passed; one whose question has no known size is not included.
        Units.Total => call.Quote is MeteredQuote { IncludedTokens: { } most } ? new Money(most, Units.Total) : null,
        var unit when unit == call.Quote!.Ceiling.Currency => call.Quote.Ceiling,
        _ => null,
    };
}

/// <summary>The credential of a plan: the caller's own proof of who it is, checked before.</summary>
internal sealed record PlanCredential() : Credential(PlanMethod.MethodName)
{
    public static readonly PlanCredential Instance = new() { Digest = "", Method = PlanMethod.MethodName };
}
