namespace Turnpike.Tests.Billing.Stripe;

/// <summary>A no in Stripe's shape.</summary>
internal sealed class StripeRefusal(int status, string type, string? code, string message, string? decline = null) : Exception(message)
{
    public int Status => status;

    public string Type => type;

    public string? Code => code;

    public string? Decline => decline;

    /// <summary>What was refused, where there is something.</summary>
    public System.Text.Json.Nodes.JsonObject? Intent { get; init; }

    public static StripeRefusal Missing(string what, string id) => new(404, "invalid_request_error", "resource_missing", $"No such {what}: '{id}'");

    public static StripeRefusal Invalid(string message, string? code = null) => new(400, "invalid_request_error", code, message);
}
