using Turnpike.Client;
using Turnpike.Payments.Evm;
using Turnpike.Protocols.Mpp;
using Turnpike.Protocols.X402;

namespace Turnpike.Payments.Buying;

/// <summary>Reads what an upstream asks in its 402, and what we signed to pay it.</summary>
internal static class AskedTerms
{
    private const int Most = 256 * 1024;

    /// <summary>The terms; null when the answer breaks off or is larger than any terms are.</summary>
    public static async ValueTask<PaymentTerms?> ReadAsync(HttpResponseMessage asked, CancellationToken ct)
    {
        try
        {
            await asked.Content.LoadIntoBufferAsync(Most, ct);
            return PaymentTerms.Read(asked.RequestMessage!, asked, await asked.Content.ReadAsByteArrayAsync(ct));
        }
        catch (Exception e) when (e is HttpRequestException or IOException) { return null; }
    }

    /// <summary>The transfer that a credential of ours authorizes, without its signature; null for a token.</summary>
    public static AuthorizationTerms? AuthorizationOf(WalletSettings wallet, PaymentChoice how, IReadOnlyList<KeyValuePair<string, string>> credential)
    {
        if (wallet.Chains.FirstOrDefault(c => c.Network == how.Network) is not { } chain) return null;
        var text = credential[0].Value;
        var authorization = how.Protocol == PaymentProtocols.X402
            ? X402Header.Decode(text) is var decoded && (decoded.Payment?.Payload ?? decoded.PaymentV1?.Payload) is { } payload ? ExactEvmPayload.Parse(payload, out _)?.Authorization : null
            : MppCredential.Decode(text).Credential is { } mpp ? EvmAuthorizationPayload.Parse(mpp.Payload, out _)?.ToAuthorization() : null;
        return authorization is null ? throw new InvalidOperationException("What was signed cannot be read.") : AuthorizationTerms.Of(chain, authorization, [], null);
    }
}
