namespace Turnpike.Client;

/// <summary>Where a credential may go.</summary>
internal static class Origins
{
    /// <summary>Same scheme, host and port.</summary>
    public static bool Same(Uri left, Uri right) =>
        left.Scheme == right.Scheme && left.Port == right.Port && left.IdnHost.Equals(right.IdnHost, StringComparison.OrdinalIgnoreCase);

    /// <summary>TLS, or never on a wire.</summary>
    public static bool IsPrivate(Uri url) => url.Scheme == Uri.UriSchemeHttps || url.IsLoopback;
}
