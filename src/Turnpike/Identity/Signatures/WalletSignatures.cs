using System.Globalization;
using System.Text;
using Turnpike.Catalog;
using Turnpike.Protocols.Evm;
using Turnpike.Protocols.Signatures;

namespace Turnpike.Identity.Signatures;

/// <summary>
/// ERC-8128: a wallet signs the request, and is who asks, without any registration. Wallets that are contracts would have to be asked
/// on their chain; their signatures are left open.
/// </summary>
internal sealed class WalletSignatures : ISignerScheme
{
    private const string Prefix = "erc8128:";
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    public string Name => "erc8128";

    public bool Claims(MessageSignature signature) => signature.KeyId?.StartsWith(Prefix, StringComparison.Ordinal) == true;

    public TimeSpan? MaxAge(SignatureSettings settings) => settings.Wallets is null ? null : Longest;

    public ValueTask<Signer> VerifyAsync(Call call, MessageSignature signature, SignatureSettings settings, CancellationToken ct) => new(Verify(signature, settings.Wallets!));

    private static Signer Verify(MessageSignature signature, WalletSettings settings)
    {
        if (signature.KeyId!.Split(':') is not [_, var chain, var name] || !ulong.TryParse(chain, NumberStyles.None, CultureInfo.InvariantCulture, out _) || !Address.TryParse(name, out var address)) return Signer.Wrong("Its key is no wallet's.");
        if (signature.Expires is null || signature.Nonce is not { Length: > 0 }) return Signer.Wrong("It has no end, or no nonce.");
        if (signature.Signature.Length != Secp256k1.SignatureLength) return Signer.Unknown("It is a contract's, which cannot be checked here.");
        var text = signature.Base!;
        // EIP-191, version 0x45: what wallets put before a message, so that it can never be a transaction.
        var hash = Keccak.Hash([.. Encoding.ASCII.GetBytes($"\u0019Ethereum Signed Message:\n{text.Length}"), .. text]);
        return Secp256k1.TryRecover(hash, signature.Signature, out var signer) && signer == address ? Signer.Of(settings.Anybody, "wallet:" + address.ToLowerHex()) : Signer.Wrong("That wallet did not make it.");
    }
}
