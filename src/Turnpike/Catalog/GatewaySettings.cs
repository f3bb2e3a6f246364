using System.Net;

namespace Turnpike.Catalog;

/// <summary>The <c>gateway:</c> section: where to listen, where to keep, whom to trust.</summary>
internal sealed record GatewaySettings
{
    /// <summary>The public base address: realm and absolute URLs come from here, never from the Host header.</summary>
    public Uri Url { get; init; } = new("http://127.0.0.1:8402");

    public string Listen { get; init; } = "http://127.0.0.1:8402";

    public string Admin { get; init; } = "http://127.0.0.1:8403";

    /// <summary><c>sqlite:path</c>, or a PostgreSQL connection string.</summary>
    public string Store { get; init; } = "sqlite:data/turnpike.db";

    /// <summary>What operators present as a bearer token, current first; empty: the Admin API answers 401 to all.</summary>
    public IReadOnlyList<Secret> AdminKeys { get; init; } = [];

    /// <summary>Take payment over plain HTTP beyond loopback.</summary>
    public bool Insecure { get; init; }

    /// <summary>Test money may be sold; shown on every page and receipt.</summary>
    public bool Sandbox { get; init; }

    /// <summary>Whose X-Forwarded-* to believe.</summary>
    public IReadOnlyList<IPNetwork> TrustedProxies { get; init; } = [];

    public TlsSettings? Tls { get; init; }

    /// <summary>How long calls in flight may go on once the gateway is told to stop.</summary>
    public TimeSpan Drain { get; init; } = TimeSpan.FromSeconds(25);

    /// <summary>Where OpenTelemetry goes (OTLP); null: nowhere.</summary>
    public Uri? Otlp { get; init; }
}

/// <summary>Certificate and key in PEM files.</summary>
internal sealed record TlsSettings(string Certificate, string Key);
