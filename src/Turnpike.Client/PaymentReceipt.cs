using Turnpike.Protocols.Mpp;
using Turnpike.Protocols.X402;

namespace Turnpike.Client;

/// <summary>What was paid for an answer, as its headers tell.</summary>
public sealed record PaymentReceipt
{
    /// <summary>One of <see cref="PaymentProtocols"/>.</summary>
    public required string Protocol { get; init; }

    /// <summary>What the answer cost; never more than was agreed.</summary>
    public required Amount Amount { get; init; }

    /// <summary>What the rail calls the payment, such as a transaction hash; for prepaid the receipt's id; null when the seller does not tell.</summary>
    public string? Reference { get; init; }

    /// <summary>Where the seller shows the receipt, or null.</summary>
    public Uri? Receipt { get; init; }

    /// <summary>What is left of what was prepaid, or null.</summary>
    public Amount? Remaining { get; init; }

    internal static PaymentReceipt Read(HttpResponseMessage response, PaymentAttempt attempt)
    {
        var receipt = Uri.TryCreate(Header(response, "Turnpike-Receipt"), UriKind.Absolute, out var url) && url.Scheme is "http" or "https" ? url : null;
        return new PaymentReceipt
        {
            Protocol = attempt.Protocol,
            Amount = attempt.Revocable && Amount.TryParse(Header(response, "Turnpike-Cost"), out var cost) && cost.Currency == attempt.Amount.Currency && cost.Nano <= attempt.Amount.Nano ? cost : attempt.Amount,
            Reference = ReferenceOf(response, attempt.Protocol) ?? (attempt.Protocol == PaymentProtocols.Prepaid ? receipt?.Segments[^1] : null),
            Receipt = receipt,
            Remaining = Amount.TryParse(Header(response, "Turnpike-Remaining"), out var left) ? left : null,
        };
    }

    /// <summary>What the rail calls the payment an answer tells of, as the seller has it; null when it does not tell, or says that it failed.</summary>
    public static string? ReferenceOf(HttpResponseMessage response, string protocol) => protocol switch
    {
        PaymentProtocols.X402 => (Header(response, "PAYMENT-RESPONSE") ?? Header(response, "X-PAYMENT-RESPONSE")) is { } text && X402Header.DecodeReceipt(text) is { Success: true, Transaction.Length: > 0 } settled ? settled.Transaction : null,
        PaymentProtocols.Mpp => MppReceipt.Decode(Header(response, MppHeaders.Receipt))?.Reference,
        _ => null,
    };

    private static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.NonValidated.TryGetValues(name, out var values) && values.Count == 1 ? values.ToString() : null;
}
