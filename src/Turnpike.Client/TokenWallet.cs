using System.Security.Cryptography;

namespace Turnpike.Client;

/// <summary>
/// Pays with a prepaid token. A bearer token is money for whoever reads it, so it is shown to the origin it was bought from and to
/// nobody else, whatever a 402 asks for.
/// </summary>
/// <param name="token">The token, such as <c>tp_…</c>.</param>
/// <param name="origin">Scheme, host and port it belongs to; a path is ignored.</param>
public sealed class TokenWallet(string token, Uri origin) : IWallet
{
    /// <inheritdoc/>
    public IEnumerable<PaymentChoice> Choices(PaymentTerms terms)
    {
        // Without a price in money there is nothing a budget could be asked about.
        if (!terms.Prepaid || terms.AuthorizationTaken || terms.Price is not { } price || !Origins.Same(terms.Url, origin)) return [];
        return [new PaymentChoice(PaymentProtocols.Prepaid, price, Revocable: true, _ => Headers(terms, price))];
    }

    /// <summary>The key makes a repetition the same purchase; the maximum stops a price that rises in between.</summary>
    private List<KeyValuePair<string, string>> Headers(PaymentTerms terms, Amount price)
    {
        List<KeyValuePair<string, string>> headers = [new("Authorization", "Bearer " + token), new("Turnpike-Max-Price", price.ToString())];
        if (terms.IdempotencyKey is null) headers.Add(new("Idempotency-Key", $"\"{RandomNumberGenerator.GetHexString(32, lowercase: true)}\""));
        return headers;
    }
}
