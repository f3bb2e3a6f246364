using Turnpike.Catalog;
using Turnpike.Protocols.X402;

namespace Turnpike.Payments.Evm;

/// <summary>Which row of the table of refusals an x402 code belongs to, and its sentence.</summary>
internal static class Verdicts
{
    public static Refusal Of(string code, string? said = null) => new(ReasonOf(code), said is null ? Sentence(code) : $"{Sentence(code)} The chain says: {said}.") { Code = code };

    public static Refusal Silent(string what) => new(Reasons.VerifierDown, what) { Code = ErrorCodes.UnexpectedVerifyError, RetryAfter = TimeSpan.FromSeconds(5) };

    private static Reason ReasonOf(string code) => code switch
    {
        ErrorCodes.Scheme or ErrorCodes.UnsupportedScheme or ErrorCodes.NetworkMismatch or ErrorCodes.InvalidPaymentRequirements or ErrorCodes.MissingDomain => Reasons.MethodUnsupported,
        ErrorCodes.InvalidPayload or ErrorCodes.FailedToParseSignature or ErrorCodes.UnsupportedPayloadType => Reasons.MalformedCredential,
        ErrorCodes.RecipientMismatch or ErrorCodes.TokenNameMismatch or ErrorCodes.TokenVersionMismatch => Reasons.InvalidChallenge,
        ErrorCodes.ValueMismatch or ErrorCodes.ValueMismatchV1 => Reasons.PaymentInsufficient,
        ErrorCodes.ValidBefore => Reasons.PaymentExpired,
        ErrorCodes.NonceAlreadyUsed => Reasons.CredentialUsed,
        _ => Reasons.VerificationFailed,
    };

    private static string Sentence(string code) => code switch
    {
        ErrorCodes.Scheme => "Its scheme is not offered here.",
        ErrorCodes.NetworkMismatch => "It is for another network.",
        ErrorCodes.InvalidPaymentRequirements => "It is for other terms: asset or time limit are not those offered.",
        ErrorCodes.MissingDomain => "It lacks the asset's EIP-712 name and version.",
        ErrorCodes.InvalidPayload => "A member of its payload is missing or of the wrong form.",
        ErrorCodes.FailedToParseSignature => "Its signature is not hexadecimal.",
        ErrorCodes.Signature => "It is not signed by its payer in the form the asset takes (low s, v of 27 or 28).",
        ErrorCodes.RecipientMismatch => "It pays somebody else.",
        ErrorCodes.ValueMismatch or ErrorCodes.ValueMismatchV1 => "Its amount is not the one asked.",
        ErrorCodes.ValidBefore => "It has expired, or is about to.",
        ErrorCodes.ValidAfter => "It is not valid yet.",
        ErrorCodes.NonceAlreadyUsed => "The asset has seen this authorization, or its payer has cancelled it.",
        ErrorCodes.InsufficientBalance => "The payer's balance does not cover it.",
        ErrorCodes.AssetNotDeployed => "There is no contract at the asset's address.",
        ErrorCodes.FactoryNotAllowed => "The payer's wallet is not deployed, and its factory is not on our list.",
        ErrorCodes.Eip3009NotSupported => "The asset does not take authorizations (EIP-3009).",
        ErrorCodes.TokenNameMismatch or ErrorCodes.TokenVersionMismatch => "The asset's EIP-712 domain is another one than was signed.",
        ErrorCodes.TransferEventMismatch => "The transaction went through without the transfer it promised.",
        ErrorCodes.TransactionFailed => "The transaction was refused by the chain.",
        _ => "The payment does not verify.",
    };
}
