using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Turnpike.Tests.Gateway;

/// <summary>One request to the gate. A null value leaves a header out; a line break in it makes two header lines.</summary>
internal sealed record Ask(string Method, string Target, params (string Name, string? Value)[] Headers)
{
    public string? Body { get; init; }

    /// <summary>True: the body does not say how long it is.</summary>
    public bool Chunked { get; init; }

    public string Address { get; init; } = "127.0.0.1";

    public bool Tls { get; init; } = true;

    public CancellationToken Leaves { get; init; }

    /// <summary>True: the caller's connection takes one write and breaks at the next.</summary>
    public bool Breaks { get; init; }

    public Ask With(params (string Name, string? Value)[] more) => this with { Headers = [.. Headers, .. more] };

    public Told Open(IServiceProvider services)
    {
        var body = Breaks ? new BreakingStream() : new MemoryStream();
        var response = new StartedResponse(body);
        var http = new DefaultHttpContext { RequestServices = services };
        http.Features.Set<IHttpResponseFeature>(response);
        http.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(body));
        var lifetime = new Lifetime(Leaves);
        http.Features.Set<IHttpRequestLifetimeFeature>(lifetime);
        http.Features.Set<IHttpRequestBodyDetectionFeature>(new Detection(Body is not null));
        http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget = Target;
        http.Connection.RemoteIpAddress = IPAddress.Parse(Address);
        var request = http.Request;
        (request.Method, request.Protocol, request.Scheme, request.Host) = (Method, "HTTP/1.1", Tls ? "https" : "http", new HostString("api.test"));
        foreach (var (name, value) in Headers)
            foreach (var line in value?.Split('\n') ?? []) request.Headers.Append(name, line);
        if (Body is not null)
        {
            var bytes = Encoding.UTF8.GetBytes(Body);
            (request.Body, request.ContentLength) = (new MemoryStream(bytes), Chunked ? null : bytes.Length);
        }
        return new Told(http, body, lifetime);
    }

    private sealed class StartedResponse(MemoryStream body) : HttpResponseFeature
    {
        public override bool HasStarted => body.Length > 0;
    }

    internal sealed class Lifetime : IHttpRequestLifetimeFeature
    {
        private readonly CancellationTokenSource gone;

        public Lifetime(CancellationToken leaves) => RequestAborted = (gone = CancellationTokenSource.CreateLinkedTokenSource(leaves)).Token;

        public CancellationToken RequestAborted { get; set; }

        public bool Aborted { get; private set; }

        public void Abort()
        {
            Aborted = true;
            gone.Cancel();
        }
    }

    private sealed class BreakingStream : MemoryStream
    {
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            Length > 0 ? throw new IOException("The caller is gone.") : base.WriteAsync(buffer, cancellationToken);
    }

    private sealed record Detection(bool CanHaveBody) : IHttpRequestBodyDetectionFeature;
}

/// <summary>What the caller was told.</summary>
internal sealed class Told(HttpContext http, MemoryStream body, Ask.Lifetime lifetime)
{
    public HttpContext Http => http;

    public int Status => http.Response.StatusCode;

    public IHeaderDictionary Headers => http.Response.Headers;

    /// <summary>True when the connection was broken off.</summary>
    public bool Aborted => lifetime.Aborted;

    public byte[] Bytes => body.ToArray();

    public string Body => Encoding.UTF8.GetString(Bytes);

    public JsonElement Json => JsonDocument.Parse(Body).RootElement;

    public string? Reason => Body.StartsWith('{') && Json.TryGetProperty("reason", out var reason) ? reason.GetString() : null;

    public override string ToString() => $"{Status} {Reason}";
}
