using System.Text.Json.Nodes;

namespace Turnpike.Tests.Billing.Stripe;

/// <summary>Stripe says no: the status, and what stands in its <c>error</c>.</summary>
internal sealed class StripeRefusal(int status, string type, string? code, string message, string? decline = null) : Exception(message)
{
    public int Status => status;

    public string Type => type;

    public string? Code => code;

    public string? Decline => decline;

    /// <summary>The payment that did not work, for a card that was declined.</summary>
    public JsonObject? Intent { get; init; }

    public string? Charge { get; init; }

    public static StripeRefusal Missing(string what, string id, int status = 404) => new(status, "invalid_request_error", "resource_missing", $"No such {what}: '{id}'");

    public static StripeRefusal Invalid(string message, string? code = null) => new(400, "invalid_request_error", code, message);

    /// <summary>The same of one payment.</summary>
    public StripeRefusal Of(JsonObject intent, string charge) => new(Status, Type, Code, Message, Decline) { Intent = intent, Charge = charge };
}
