using System.Collections.Frozen;

namespace Turnpike.Gateway;

/// <summary>Which headers stay here, in both directions. Reasons and measurements: docs/contract.md.</summary>
internal static class HeaderLists
{
    /// <summary>What no upstream gets from a caller: payment and gateway credentials, hop-by-hop headers, and all that can be used to spoof.</summary>
    public static readonly FrozenSet<string> DropFromRequest = Set(
        "Host", "Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Authentication-Info", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "HTTP2-Settings",
        "X-Content-Length", "X-Original-URL", "X-Rewrite-URL", "X-Original-Host", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto",
        "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Forwarded-Server", "X-Forwarded-By", "X-Forwarded-Scheme", "X-Forwarded-Uri", "X-Forwarded-Path", "Forwarded", "X-Real-IP", "X-Client-IP", "X-Cluster-Client-IP",
        "True-Client-IP", "CF-Connecting-IP", "Fastly-Client-IP", "X-HTTP-Method", "X-HTTP-Method-Override", "X-Method-Override", "X-Middleware-Subrequest", "X-Original-Method",
        "PAYMENT-SIGNATURE", "PAYMENT-REQUIRED", "PAYMENT-RESPONSE", "X-PAYMENT", "X-PAYMENT-RESPONSE", "SIGN-IN-WITH-X", "Settlement-Overrides", "EXTENSION-RESPONSES",
        "Payment-Authorization", "Accept-Payment", "Payment-Receipt", "Payment-Session", "Payment-Session-Snapshot",
        "Idempotency-Key");

    /// <summary>Where keys and proofs come; the upstream gets them only where it is the one who checks them.</summary>
    public static readonly FrozenSet<string> OfKeys = Set("apikey", "x-api-key", "x-goog-api-key", Identity.OAuth.KyaClaims.Header, "DPoP", "Signature", "Signature-Input", "Signature-Agent");

    /// <summary>What only the gateway says to a caller: payment, limits, cross-origin rules; and what gives the upstream away.</summary>
    public static readonly FrozenSet<string> DropFromResponse = Set(
        "Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authentication-Info", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "X-Content-Length",
        "PAYMENT-REQUIRED", "PAYMENT-RESPONSE", "PAYMENT-SIGNATURE", "X-PAYMENT", "X-PAYMENT-RESPONSE", "SIGN-IN-WITH-X", "Settlement-Overrides", "EXTENSION-RESPONSES",
        "Payment-Receipt", "Payment-Authorization", "Payment-Session", "Payment-Session-Snapshot", "Payment-Need-Voucher",
        "RateLimit", "RateLimit-Policy", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset",
        "Server", "X-Powered-By", "X-AspNet-Version", "Via", "Alt-Svc");

    /// <summary>What belongs to one transfer of an answer and not to the answer: left out when it is kept.</summary>
    public static readonly FrozenSet<string> OfOneTransfer = Set("Date", "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "Trailer", "Turnpike-Correlation");

    /// <summary>Beginnings of names that go as well, in either direction: our own facts, and cross-origin rules.</summary>
    public static bool IsOurs(string name) => name.StartsWith("Turnpike-", StringComparison.OrdinalIgnoreCase);

    public static bool IsCrossOrigin(string name) => name.StartsWith("Access-Control-", StringComparison.OrdinalIgnoreCase);

    /// <summary>What a browser may send; a list, because a star does not cover Authorization. The last but one works around the x402 fetch client.</summary>
    public const string AllowedToBrowsers =
        "Authorization, Content-Type, Accept, Idempotency-Key, PAYMENT-SIGNATURE, X-PAYMENT, SIGN-IN-WITH-X, Payment-Authorization, Accept-Payment, Turnpike-Max-Price, Turnpike-Session, Turnpike-Quote, Access-Control-Expose-Headers, apikey, x-api-key, x-goog-api-key";

    /// <summary>What a browser's script may read.</summary>
    public const string ShownToBrowsers =
        "WWW-Authenticate, PAYMENT-REQUIRED, PAYMENT-RESPONSE, X-PAYMENT-RESPONSE, Payment-Receipt, Retry-After, RateLimit, RateLimit-Policy, Turnpike-Receipt, Turnpike-Answer-Until, Turnpike-Cost, Turnpike-Remaining, Turnpike-Max-Tokens, Turnpike-Session, Turnpike-Session-Until, Turnpike-Correlation";

    private static FrozenSet<string> Set(params string[] names) => names.ToFrozenSet(StringComparer.OrdinalIgnoreCase);
}
