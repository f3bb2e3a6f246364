namespace Turnpike.Catalog;

/// <summary>Makes the clients for addresses the owner wrote down; tests put a simulated internet here.</summary>
internal delegate HttpClient HttpClients(Uri allowedBase, TimeSpan timeout, long maxBytes);

/// <summary>
/// The one place outgoing clients come from. No redirects, no proxy of the environment, no cookies; time and size are capped, and
/// nothing but the given base is reached. Private addresses are allowed, because only the owner's configuration names them.
/// </summary>
internal static class GuardedHttp
{
    private static readonly TimeSpan Connect = TimeSpan.FromSeconds(5);

    public static HttpClient Create(Uri allowedBase, TimeSpan timeout, long maxBytes)
    {
        var sockets = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            ConnectTimeout = timeout < Connect ? timeout : Connect,
            PooledConnectionLifetime = TimeSpan.FromMinutes(2),
            MaxResponseHeadersLength = 32,
        };
#pragma warning disable RS0030 // this is the guarded client everybody else has to use
        return new HttpClient(new OnlyBelow(allowedBase, sockets)) { Timeout = timeout, MaxResponseContentBufferSize = maxBytes };
#pragma warning restore RS0030
    }

    /// <summary>Refuses any address outside the base, so that no answer, identifier or configuration slip can point elsewhere (SSRF).</summary>
    private sealed class OnlyBelow(Uri allowed, HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        private readonly string path = allowed.AbsolutePath.EndsWith('/') ? allowed.AbsolutePath : allowed.AbsolutePath + "/";

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var target = request.RequestUri!;
            var below = target.Scheme == allowed.Scheme && target.Authority == allowed.Authority
                && (target.AbsolutePath == allowed.AbsolutePath || target.AbsolutePath.StartsWith(path, StringComparison.Ordinal));
            return below
                ? base.SendAsync(request, cancellationToken)
                : Task.FromException<HttpResponseMessage>(new HttpRequestException($"{target.Authority} is not below the address this client was made for."));
        }
    }
}
