using Turnpike.Protocols.Evm;

namespace Turnpike.Protocols.X402;

/// <summary>Which signatures of contract wallets are left to the chain; every one left to it costs an outside call.</summary>
public enum ContractWallets
{
    /// <summary>None: the payer's own key or nothing.</summary>
    Refused,

    /// <summary>Those that by length or ERC-6492 wrapper cannot be an ordinary key's. A forged 65-byte signature costs no call.</summary>
    ByShape,

    /// <summary>Also 65 bytes that recover somebody else: a contract wallet with one plain owner key looks like that.</summary>
    Any,
}

/// <summary>The outcome of the checks that need no chain: a code when refused, else the payer, and whether the chain must still judge the signature.</summary>
public sealed record ExactEvmCheck(string? Code, ExactEvmPayload? Payload, bool ChainMustDecide)
{
    /// <summary>True when nothing speaks against it so far.</summary>
    public bool IsValid => Code is null;

    /// <summary>Who pays; believed only when valid and the chain need not decide.</summary>
    public Address? Payer => Payload?.Authorization.From;
}

/// <summary>The scheme <c>exact</c> on EVM by EIP-3009: the checks of its specification that need no chain, in its order.</summary>
public static class ExactEvm
{
    public const string Scheme = "exact";

    /// <summary>The <c>assetTransferMethod</c> that is meant when none is named.</summary>
    public const string TransferMethod = "eip3009";

    /// <summary>Seconds an authorization must still live, so that it can be mined.</summary>
    public const int Margin = 6;

    /// <summary>Verifies a v2 payment against our own terms; <paramref name="now"/> in unix seconds.</summary>
    public static ExactEvmCheck VerifyLocally(
        PaymentPayload payment, ExactEvmTerms terms, long now, ContractWallets wallets = ContractWallets.ByShape)
    {
        if (payment.Accepted.Scheme != Scheme) return Refused(ErrorCodes.Scheme);
        if (payment.Accepted.Network != terms.Network) return Refused(ErrorCodes.NetworkMismatch);
        return ExactEvmPayload.Parse(payment.Payload, out var code) is { } payload ? Verify(payload, terms, now, wallets) : Refused(code);
    }

    /// <summary>Verifies a v1 payment against our own terms; <paramref name="now"/> in unix seconds.</summary>
    public static ExactEvmCheck VerifyLocally(
        PaymentPayloadV1 payment, ExactEvmTerms terms, long now, ContractWallets wallets = ContractWallets.ByShape)
    {
        if (payment.Scheme != Scheme) return Refused(ErrorCodes.Scheme);
        if (payment.Network != terms.Network) return Refused(ErrorCodes.NetworkMismatch);
        return ExactEvmPayload.Parse(payment.Payload, out var code) is { } payload ? Verify(payload, terms, now, wallets) : Refused(code);
    }

    /// <summary>Verifies a v2 payment against one of our requirements, parsing that too.</summary>
    public static ExactEvmCheck VerifyLocally(
        PaymentPayload payment, PaymentRequirements requirement, long now, ContractWallets wallets = ContractWallets.ByShape) =>
        ExactEvmTerms.Create(requirement, out var code) is { } terms ? VerifyLocally(payment, terms, now, wallets) : Refused(code);

    /// <summary>Verifies a v1 payment against one of our requirements, parsing that too.</summary>
    public static ExactEvmCheck VerifyLocally(
        PaymentPayloadV1 payment, PaymentRequirementsV1 requirement, long now, ContractWallets wallets = ContractWallets.ByShape) =>
        ExactEvmTerms.Create(requirement, out var code) is { } terms ? VerifyLocally(payment, terms, now, wallets) : Refused(code);

    /// <summary>Signs an authorization under a token's domain, as a payer does.</summary>
    public static ExactEvmPayload Sign(Authorization authorization, ReadOnlySpan<byte> domainSeparator, ReadOnlySpan<byte> privateKey)
    {
        Span<byte> digest = stackalloc byte[Keccak.Size];
        Eip712.Digest(domainSeparator, authorization, digest);
        return new ExactEvmPayload(authorization, Secp256k1.Sign(digest, privateKey));
    }

    private static ExactEvmCheck Verify(ExactEvmPayload payload, ExactEvmTerms terms, long now, ContractWallets wallets)
    {
        var authorization = payload.Authorization;
        var (refused, chain) = Judge(payload, terms, wallets);
        var code = refused ? ErrorCodes.Signature
            : authorization.To != terms.PayTo ? ErrorCodes.RecipientMismatch
            : authorization.ValidBefore < (ulong)(now + Margin) ? ErrorCodes.ValidBefore
            : authorization.ValidAfter > (ulong)now ? ErrorCodes.ValidAfter
            : authorization.Value != terms.Amount ? (terms.Version == 1 ? ErrorCodes.ValueMismatchV1 : ErrorCodes.ValueMismatch)
            : null;
        return new ExactEvmCheck(code, payload, code is null && chain);
    }

    /// <summary>Tokens refuse high s and a v of 0 or 1, which a plain recovery accepts: such a payment would pass here and fail after the work was done.</summary>
    private static (bool Refused, bool ChainMustDecide) Judge(ExactEvmPayload payload, ExactEvmTerms terms, ContractWallets wallets)
    {
        if (payload.Signature.Length != Secp256k1.SignatureLength)
        {
            var sound = !Erc6492.IsWrapped(payload.Signature) || Erc6492.TrySplit(payload.Signature, out _, out _, out _);
            return (wallets == ContractWallets.Refused || !sound, true);
        }
        Span<byte> digest = stackalloc byte[Keccak.Size];
        Eip712.Digest(terms.DomainSeparator, payload.Authorization, digest);
        if (Secp256k1.TryRecover(digest, payload.Signature, out var signer) && signer == payload.Authorization.From) return (false, false);
        return (wallets != ContractWallets.Any, true);
    }

    private static ExactEvmCheck Refused(string? code) => new(code, null, false);
}
