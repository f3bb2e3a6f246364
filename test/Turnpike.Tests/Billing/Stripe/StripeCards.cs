using System.Text.Json.Nodes;

namespace Turnpike.Tests.Billing.Stripe;

/// <summary>Stripe's test cards (docs.stripe.com/testing): what each does when it is charged.</summary>
internal static class StripeCards
{
    public const string Good = "pm_card_visa";
    public const string Authentication = "authentication_required";
    public const string AsksItsOwner = "pm_card_authenticationRequired";

    private static readonly Dictionary<string, (string Code, string? Decline, string Message)> Declines = new(StringComparer.Ordinal)
    {
        ["pm_card_chargeDeclined"] = ("card_declined", "generic_decline", "Your card was declined."),
        ["pm_card_chargeDeclinedInsufficientFunds"] = ("card_declined", "insufficient_funds", "Your card has insufficient funds."),
        ["pm_card_chargeDeclinedLostCard"] = ("card_declined", "lost_card", "Your card was declined."),
        ["pm_card_chargeDeclinedStolenCard"] = ("card_declined", "stolen_card", "Your card was declined."),
        ["pm_card_chargeDeclinedVelocityLimitExceeded"] = ("card_declined", "card_velocity_exceeded", "Your card was declined for making repeated attempts too frequently or exceeding its amount limit."),
        ["pm_card_chargeDeclinedExpiredCard"] = ("expired_card", null, "Your card has expired."),
        ["pm_card_chargeDeclinedIncorrectCvc"] = ("incorrect_cvc", null, "Your card's security code is incorrect."),
        ["pm_card_chargeDeclinedProcessingError"] = ("processing_error", null, "An error occurred while processing your card. Try again in a little bit."),
    };

    public static IEnumerable<string> Bad => Declines.Keys;

    /// <summary>Null: it pays. Its owner is not there to be asked when it is charged off session.</summary>
    public static StripeRefusal? Refuses(string card, bool offSession = false)
    {
        var name = card.Replace("pm_card_visa_", "pm_card_", StringComparison.Ordinal);
        if (name == AsksItsOwner && offSession) return Declined(Authentication, Authentication, "Your card was declined. This transaction requires authentication.");
        return Declines.TryGetValue(name, out var decline) ? Declined(decline.Code, decline.Decline, decline.Message) : null;
    }

    public static StripeRefusal Declined(string code, string? decline, string message) => new(402, "card_error", code, message, decline);

    /// <summary>Why an intent did not get its money, as it is kept with it.</summary>
    public static JsonObject Error(StripeRefusal no) => new() { ["type"] = no.Type, ["code"] = no.Code, ["decline_code"] = no.Decline, ["message"] = no.Message };
}
