using System.Net;
using System.Net.Sockets;

namespace Turnpike.Catalog;

/// <summary>Makes the clients for addresses the owner wrote down; tests put a simulated internet here.</summary>
internal delegate HttpClient HttpClients(Uri allowedBase, TimeSpan timeout, long maxBytes);

/// <summary>Makes clients for addresses that strangers name.</summary>
internal delegate HttpClient PublicClient(TimeSpan timeout, long maxBytes);

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

    /// <summary>
    /// A client for addresses a stranger named: https alone, and only to where the whole internet can reach. The name is resolved
    /// here and the connection made to the very address that was looked at, so that a second answer of the DNS changes nothing.
    /// </summary>
    public static HttpClient CreatePublic(TimeSpan timeout, long maxBytes)
    {
        var sockets = new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false, UseCookies = false, ConnectTimeout = timeout, PooledConnectionLifetime = TimeSpan.FromMinutes(1), MaxResponseHeadersLength = 32, ConnectCallback = ConnectAsync };
#pragma warning disable RS0030 // this is the guarded client everybody else has to use
        return new HttpClient(new OnlyHttps(sockets)) { Timeout = timeout, MaxResponseContentBufferSize = maxBytes };
#pragma warning restore RS0030
    }

    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken ct)
    {
        foreach (var address in await Dns.GetHostAddressesAsync(context.DnsEndPoint.Host, ct))
        {
            if (!PublicAddress.IsPublic(address)) continue;
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(new IPEndPoint(address, context.DnsEndPoint.Port), ct);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
        throw new HttpRequestException($"{context.DnsEndPoint.Host} is nowhere on the public internet.");
    }

    private sealed class OnlyHttps(HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            request.RequestUri is { Scheme: "https" } ? base.SendAsync(request, cancellationToken) : Task.FromException<HttpResponseMessage>(new HttpRequestException("Addresses that strangers name are fetched over https."));
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
