using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Turnpike.Protocols.Evm;
using Turnpike.Protocols.Mpp;
using Turnpike.Protocols.X402;

namespace Turnpike.Client;

/// <summary>
/// Pays from a private key by EIP-3009 authorizations: x402 <c>exact</c> and MPP <c>evm</c> charges. Only the assets it is given are
/// ever signed for, each under its own EIP-712 name and version: a seller cannot talk it into another token.
/// </summary>
public sealed class EvmWallet : IWallet
{
    /// <summary>Seller and chain may be this far behind our clock.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromMinutes(10);

    /// <summary>No authorization lives longer, whatever terms ask for.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    private readonly byte[] key;
    private readonly IReadOnlyList<KnownAsset> assets;

    /// <param name="privateKey">0x and 64 hexadecimal digits.</param>
    /// <param name="assets">What it may spend.</param>
    /// <exception cref="ArgumentException">Not a private key, or no asset.</exception>
    public EvmWallet(string privateKey, params IReadOnlyList<KnownAsset> assets)
    {
        key = Hex.Decode(privateKey) ?? throw new ArgumentException("A private key is 0x and 64 hexadecimal digits.", nameof(privateKey));
        if (assets.Count == 0) throw new ArgumentException("Name the assets it may spend.", nameof(assets));
        this.assets = [.. assets.Where(asset => asset.HasEip3009)];
        Address = Secp256k1.AddressOf(key);
    }

    /// <summary>Whose money it is.</summary>
    public Address Address { get; }

    /// <inheritdoc/>
    public IEnumerable<PaymentChoice> Choices(PaymentTerms terms) => [.. X402(terms), .. X402V1(terms), .. Mpp(terms)];

    private IEnumerable<PaymentChoice> X402(PaymentTerms terms)
    {
        foreach (var offer in terms.X402?.Accepts ?? [])
        {
            if (ExactEvmTerms.Create(offer, out _) is not { } exact || Find(exact.ChainId, exact.Asset) is not { } asset) continue;
            if (offer.MaxTimeoutSeconds <= 0 || Amount.FromUnits(exact.Amount.ToBigInteger(), asset.Decimals, asset.Currency) is not { } amount) continue;
            yield return new PaymentChoice(PaymentProtocols.X402, amount, Revocable: false, now => [SignExact(terms.X402!, offer, exact, asset, now)]) { Network = KnownNetworks.Caip2(exact.ChainId), Asset = exact.Asset, Payee = exact.PayTo };
        }
    }

    private KeyValuePair<string, string> SignExact(PaymentRequired terms, PaymentRequirements offer, ExactEvmTerms exact, KnownAsset asset, DateTimeOffset now)
    {
        var lifetime = Math.Min(offer.MaxTimeoutSeconds, (long)Longest.TotalSeconds);
        var payload = Sign(asset, exact.PayTo, exact.Amount, RandomNumberGenerator.GetBytes(32), now, now.ToUnixTimeSeconds() + lifetime);
        return new(PaymentHeaders.Signature, X402Header.Encode(new PaymentPayload
        {
            X402Version = 2,
            Resource = terms.Resource,
            Accepted = offer,
            Payload = payload.ToJson(),
            Extensions = terms.Extensions,
        }));
    }

    /// <summary>Older sellers: their terms are in the body, and their proof echoes nothing. Only where there are no newer terms.</summary>
    private IEnumerable<PaymentChoice> X402V1(PaymentTerms terms)
    {
        foreach (var offer in terms.X402 is null ? terms.X402V1 : [])
        {
            if (ExactEvmTerms.Create(offer, out _) is not { } exact || Find(exact.ChainId, exact.Asset) is not { } asset) continue;
            if (offer.MaxTimeoutSeconds <= 0 || Amount.FromUnits(exact.Amount.ToBigInteger(), asset.Decimals, asset.Currency) is not { } amount) continue;
            yield return new PaymentChoice(PaymentProtocols.X402, amount, Revocable: false, now => [SignExact(offer, exact, asset, now)]) { Network = KnownNetworks.Caip2(exact.ChainId), Asset = exact.Asset, Payee = exact.PayTo };
        }
    }

    private KeyValuePair<string, string> SignExact(PaymentRequirementsV1 offer, ExactEvmTerms exact, KnownAsset asset, DateTimeOffset now)
    {
        var lifetime = Math.Min(offer.MaxTimeoutSeconds, (long)Longest.TotalSeconds);
        var payload = Sign(asset, exact.PayTo, exact.Amount, RandomNumberGenerator.GetBytes(32), now, now.ToUnixTimeSeconds() + lifetime);
        return new(PaymentHeaders.SignatureV1, X402Header.Encode(new PaymentPayloadV1 { X402Version = 1, Scheme = offer.Scheme, Network = offer.Network, Payload = payload.ToJson() }));
    }

    private IEnumerable<PaymentChoice> Mpp(PaymentTerms terms)
    {
        foreach (var challenge in terms.Mpp)
        {
            if (challenge is not { Method: ChargeRequest.EvmMethod, Intent: ChargeRequest.Intent } || EvmChargeTerms.Read(challenge) is not { } charge) continue;
            if (Find(charge.ChainId, charge.Asset) is not { } asset || Amount.FromUnits(charge.Amount.ToBigInteger(), asset.Decimals, asset.Currency) is not { } amount) continue;
            if (HeaderFor(challenge, terms) is not { } header) continue;
            yield return new PaymentChoice(PaymentProtocols.Mpp, amount, Revocable: false, now => [new(header, SignCharge(challenge, charge, asset, now))]) { Network = KnownNetworks.Caip2(charge.ChainId), Asset = charge.Asset, Payee = charge.Recipient };
        }
    }

    /// <summary>Where the credential goes. Only the two headers MPP knows: a challenge must not write any other header of ours.</summary>
    private static string? HeaderFor(Challenge challenge, PaymentTerms terms) => challenge.Header switch
    {
        null when terms.AuthorizationTaken => MppHeaders.PaymentAuthorization,
        null => MppHeaders.Authorization,
        var named when named.Equals(MppHeaders.PaymentAuthorization, StringComparison.OrdinalIgnoreCase) => MppHeaders.PaymentAuthorization,
        var named when named.Equals(MppHeaders.Authorization, StringComparison.OrdinalIgnoreCase) && !terms.AuthorizationTaken => MppHeaders.Authorization,
        _ => null,
    };

    private string SignCharge(Challenge challenge, EvmChargeTerms charge, KnownAsset asset, DateTimeOffset now)
    {
        var longest = (now + Longest).ToUnixTimeSeconds();
        var until = challenge.ExpiresAt is { } expires ? Math.Min(expires.ToUnixTimeSeconds(), longest) : longest;
        var signed = Sign(asset, charge.Recipient, charge.Amount, EvmCharge.ChallengeHash(challenge.Id, challenge.Realm), now, until);
        var payload = new EvmAuthorizationPayload
        {
            Type = EvmAuthorizationPayload.AuthorizationType,
            From = Address.ToString(),
            To = charge.Recipient.ToString(),
            Value = charge.Amount.ToString(),
            ValidAfter = signed.Authorization.ValidAfter.ToString(),
            ValidBefore = signed.Authorization.ValidBefore.ToString(),
            Nonce = Hex.Encode(signed.Authorization.Nonce),
            Signature = Hex.Encode(signed.Signature),
        };
        return new MppCredential
        {
            Challenge = challenge,
            Payload = JsonSerializer.SerializeToElement(payload, MppJson.Default.EvmAuthorizationPayload),
            Source = EvmCharge.Source(Address, checked((long)asset.ChainId)),
        }.Encode();
    }

    private ExactEvmPayload Sign(KnownAsset asset, Address to, UInt256 value, byte[] nonce, DateTimeOffset now, long until)
    {
        var after = Math.Max(0, (now - Slack).ToUnixTimeSeconds());
        var authorization = new Authorization(Address, to, value, (ulong)after, (ulong)Math.Max(0, until), nonce);
        return ExactEvm.Sign(authorization, Eip712.DomainSeparator(asset.Name, asset.Version, asset.ChainId, asset.Address), key);
    }

    private KnownAsset? Find(ulong chain, Address contract) => assets.FirstOrDefault(asset => asset.ChainId == chain && asset.Address == contract);

    /// <summary>Says whose money it is, never the key.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"EvmWallet {Address}");
}
