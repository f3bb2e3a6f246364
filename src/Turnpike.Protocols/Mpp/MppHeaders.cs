namespace Turnpike.Protocols.Mpp;

/// <summary>The header and scheme names of MPP.</summary>
public static class MppHeaders
{
    public const string Scheme = "Payment";
    public const string Challenge = "WWW-Authenticate";
    public const string Authorization = "Authorization";

    /// <summary>Where a credential goes when <see cref="Authorization"/> already holds an API key; named by a challenge's <c>header</c>.</summary>
    public const string PaymentAuthorization = "Payment-Authorization";

    public const string Receipt = "Payment-Receipt";
    public const string AcceptPayment = "Accept-Payment";
}
