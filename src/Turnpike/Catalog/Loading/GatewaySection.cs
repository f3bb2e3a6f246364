using System.Net;
using Turnpike.Catalog.Document;

namespace Turnpike.Catalog.Loading;

/// <summary>The <c>gateway:</c> section.</summary>
internal static class GatewaySection
{
    private static readonly Shape<Uri> Address = new ScalarShape<Uri>("an address to listen on, http://HOST:PORT or https://HOST:PORT",
        (string t, out Uri? v) => Uri.TryCreate(t, UriKind.Absolute, out v) && v is { Scheme: "http" or "https", PathAndQuery: "/", UserInfo: "", Fragment: "" }
            && (IPAddress.TryParse(v.IdnHost.Trim('[', ']'), out _) || v.Host == "localhost") && HasPort(t)
                ? null : "is no address to listen on; write http:// or https://, an IP address or localhost, and a port", "^https?://[^/]+:[0-9]+/?$");

    private static readonly Shape<Uri> Base = new ScalarShape<Uri>("a URL without path",
        (string t, out Uri? v) => Uri.TryCreate(t, UriKind.Absolute, out v) && v is { Scheme: "http" or "https", PathAndQuery: "/", UserInfo: "", Fragment: "" }
            ? null : "is no base address; write https://api.example.com, without path, query or user", "^https?://[^/]+/?$");

    private static readonly Shape<IPNetwork> Network = new ScalarShape<IPNetwork>("an IP address or network such as 10.0.0.0/8",
        (string t, out IPNetwork v) => IPNetwork.TryParse(t, out v) || IPAddress.TryParse(t, out var one) && IPNetwork.TryParse($"{t}/{(one.GetAddressBytes().Length == 4 ? 32 : 128)}", out v)
            ? null : "is neither an IP address nor a network; write 10.0.0.7 or 10.0.0.0/8");

    private static readonly Key<string> Certificate = new("certificate", Shapes.Text, "PEM file with the certificate and its chain.") { Required = true, Example = "tls/cert.pem" };
    private static readonly Key<string> PrivateKey = new("key", Shapes.Text, "PEM file with the private key.") { Required = true, Example = "tls/key.pem" };

    private static readonly Key<Uri> Url = new("url", Base, "The public base address; realm and absolute URLs come from it, never from the Host header.") { Default = "the address of listen", Example = "https://api.example.com" };
    private static readonly Key<Uri> Listen = new("listen", Address, "Where callers are served. Changing it needs a restart.") { Default = "http://127.0.0.1:8402, with tls https://", Example = "https://0.0.0.0:8402" };
    private static readonly Key<Uri> Admin = new("admin", Address, "Where operators are served: Admin API, dashboard, metrics. Changing it needs a restart.") { Default = "http://127.0.0.1:8403", Example = "http://127.0.0.1:8403" };
    private static readonly Key<string> Store = new("store", new StoreShape(), "The database: a file of one gateway, or a PostgreSQL that several share (see operate.md). Relative paths start at the working directory. Changing it needs a restart.") { Default = "sqlite:data/turnpike.db", Example = "postgres://turnpike:${env:PGPASSWORD}@db:5432/turnpike" };
    private static readonly Key<IReadOnlyList<Secret>> AdminKey = new("admin-key", new ListShape<Secret>(new SecretShape(), oneAlone: true, least: 1), "What operators present as a bearer token, current first.") { Default = "none: the Admin API answers 401 to all", Example = "${env:TURNPIKE_ADMIN_KEY}" };
    private static readonly Key<bool> Insecure = new("insecure", Shapes.Flag, "Take payment over plain HTTP beyond loopback.") { Default = "false", Example = "false" };
    private static readonly Key<bool> Sandbox = new("sandbox", Shapes.Flag, "Test money may be sold; every page and receipt says so.") { Default = "false", Example = "false" };
    private static readonly Key<IReadOnlyList<IPNetwork>> TrustedProxies = new("trusted-proxies", new ListShape<IPNetwork>(Network), "Whose X-Forwarded-* headers to believe: proxies that speak TLS to callers.") { Default = "none", Example = "[10.0.0.0/8, \"::1\"]" };
    private static readonly Key<TlsSettings> Tls = new("tls", new MapShape<TlsSettings>([Certificate, PrivateKey], m => new TlsSettings(m.Get(Certificate)!, m.Get(PrivateKey)!)), "Speak TLS on listen, with a certificate from files.") { Default = "plain HTTP", Example = "{ certificate: tls/cert.pem, key: tls/key.pem }" };
    private static readonly Key<Uri> Otlp = new("otlp", Shapes.Url, "Where traces and metrics go by OpenTelemetry (OTLP). Changing it needs a restart.") { Default = "nowhere", Example = "http://127.0.0.1:4317" };

    private static readonly Key<TimeSpan> Drain = new("drain", Shapes.Duration, "How long calls in flight may go on after a signal to stop; then they are cut. Changing it needs a restart.") { Default = "25s", Example = "25s" };

    public static readonly Key<GatewaySettings> Key = new("gateway", new MapShape<GatewaySettings>([Url, Listen, Admin, Store, AdminKey, Insecure, Sandbox, TrustedProxies, Tls, Otlp, Drain], Build),
        "Where to listen, where to keep the books, whom to trust.") { Default = "everything on loopback", Example = "{ store: \"sqlite:data/turnpike.db\" }" };

    /// <summary>Refuses to take money where anyone on the way could read the payment, and what a running process cannot change.</summary>
    public static void Check(Draft draft)
    {
        var gateway = draft.Gateway;
        var listen = new Uri(gateway.Listen);
        if (listen.Scheme == "http" && !IsLoopback(listen) && !gateway.Insecure && gateway.TrustedProxies.Count == 0 && draft.Operations.Any(o => o.Settings.All.Any()))
            draft.At(gateway, Listen.Name).Refuse("payment over plain HTTP is taken on loopback only; give tls, or trusted-proxies that speak it, or say insecure: true");
        if (!IsLoopback(new Uri(gateway.Admin)) && gateway.Admin.StartsWith("http:", StringComparison.Ordinal))
            draft.At(gateway, Admin.Name).Warn("operators' keys travel in plain text beyond this machine");
        if (draft.Running is { } running && !draft.IsBroken(Key))
            foreach (var key in NeedRestart(running, gateway)) draft.At(gateway, key).Refuse($"'{key}' cannot change while the gateway runs; it needs a restart");
    }

    private static IEnumerable<string> NeedRestart(GatewaySettings now, GatewaySettings wanted)
    {
        if (now.Listen != wanted.Listen) yield return Listen.Name;
        if (now.Admin != wanted.Admin) yield return Admin.Name;
        if (now.Store != wanted.Store) yield return Store.Name;
        if (now.Tls != wanted.Tls) yield return Tls.Name;
        if (now.Otlp != wanted.Otlp) yield return Otlp.Name;
        if (now.Drain != wanted.Drain) yield return Drain.Name;
    }

    private static GatewaySettings? Build(MapValues m)
    {
        var tls = m.Get(Tls);
        var listen = m.Get(Listen) ?? new Uri(tls is null ? "http://127.0.0.1:8402" : "https://127.0.0.1:8402");
        if (listen.Scheme == "https" != tls is not null)
        {
            m.Of(Listen).Refuse(tls is null ? "https:// needs tls with certificate and key" : "tls is given, so the address begins with https://");
            return null;
        }
        var everywhere = IPAddress.TryParse(listen.IdnHost.Trim('[', ']'), out var ip) && (ip.Equals(IPAddress.Any) || ip.Equals(IPAddress.IPv6Any));
        if (everywhere && m.Get(Url) is null) m.Of(Listen).Warn("callers elsewhere are told addresses on 127.0.0.1; say gateway.url");
        return new GatewaySettings
        {
            Url = m.Get(Url) ?? (everywhere ? new Uri($"{listen.Scheme}://127.0.0.1:{listen.Port}") : listen),
            Listen = Written(listen),
            Admin = Written(m.Get(Admin) ?? new Uri("http://127.0.0.1:8403")),
            Store = m.Get(Store, "sqlite:data/turnpike.db"),
            AdminKeys = m.Get(AdminKey, []),
            Insecure = m.Get(Insecure),
            Sandbox = m.Get(Sandbox),
            TrustedProxies = m.Get(TrustedProxies, []),
            Tls = tls,
            Otlp = m.Get(Otlp),
            Drain = m.Get(Drain, TimeSpan.FromSeconds(25)),
        };
    }

    private static string Written(Uri address) => $"{address.Scheme}://{address.Authority}{(address.IsDefaultPort ? $":{address.Port}" : "")}";

    private static bool IsLoopback(Uri address) => address.Host == "localhost" || IPAddress.TryParse(address.IdnHost.Trim('[', ']'), out var ip) && IPAddress.IsLoopback(ip);

    /// <summary>A scheme's own port is 80 or 443, which nobody who forgot the port has in mind.</summary>
    private static bool HasPort(string text) => text.TrimEnd('/') is var t && t.LastIndexOf(':') is var colon && colon > 5 && colon > t.LastIndexOf(']') && t[(colon + 1)..].All(char.IsAsciiDigit);
}
