using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Turnpike.Audit;
using Turnpike.Gateway.Metered;
using Turnpike.Catalog;
using Turnpike.Payments;
using Turnpike.Telemetry;
using Yarp.ReverseProxy.Forwarder;

namespace Turnpike.Gateway;

/// <summary>Sends an admitted call to its upstream through YARP, and says what went wrong when that fails.</summary>
internal sealed class Forwarder(IHttpForwarder forwarder, GateTransforms transforms, UpstreamWatch watch, IAuditTrail audit) : IDisposable
{
    private readonly ConcurrentDictionary<string, HttpMessageInvoker> clients = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Turn> turns = new(StringComparer.Ordinal);

    public async Task ForwardAsync(HttpContext http)
    {
        var payment = http.Payment();
        var call = payment.Call;
        var service = call.Catalog.ServiceOf(call.Operation);
        var target = turns.GetOrAdd(service.Name, static _ => new()).Next(Well(service.Upstream.Targets));
        var config = new ForwarderRequestConfig { ActivityTimeout = TimeLeft(payment, service), Version = HttpVersion.Version11, VersionPolicy = HttpVersionPolicy.RequestVersionOrLower };
        var began = System.Diagnostics.Stopwatch.GetTimestamp();
        var error = await forwarder.SendAsync(http, target.Url.AbsoluteUri, clients.GetOrAdd(service.Name, static _ => NewClient()), config, transforms);
        if (AnswerMeter.TryOf(http, out var meter)) meter.End();
        var body = PassingBody.Of(http);
        if (body is not null && error == ForwarderError.None)
        {
            await body.CompleteAsync(CancellationToken.None);
            if (payment.IsPaid && body.Kept is { } bytes) payment.Keep = new StoredAnswer(http.Response.StatusCode, [.. Lasting(http.Response.Headers)], bytes);
        }
        if (payment.State is not null && !transforms.Answered(http) && (error == ForwarderError.None || http.Response.HasStarted)) payment.Passed = body?.Tell(http.Response.StatusCode, payment.BodyDigest);
        if (!transforms.Answered(http) && (error == ForwarderError.None || http.Response.HasStarted)) Instruments.Forwarded(call.Operation.Name, http.Response.StatusCode, System.Diagnostics.Stopwatch.GetElapsedTime(began));
        if (error != ForwarderError.None && !http.Response.HasStarted && !transforms.Answered(http)) await http.AnswerAsync(call, Refuse(error, http));
        else if (payment.State is null) await audit.RecordAsync(Passed(http, call), CancellationToken.None);
    }

    /// <summary>A call that nothing was owed for: also a yes, and to be explained afterwards.</summary>
    private static AuditEvent Passed(HttpContext http, Call call) => new()
    {
        Kind = http.Delivered() ? AuditKinds.Delivered : AuditKinds.Undelivered,
        Correlation = call.Correlation,
        Reason = http.Delivered() ? null : $"upstream-{http.Response.StatusCode}",
        Operation = call.Operation.Name,
        Caller = call.Caller,
        Address = call.Address,
        Request = call.RequestLine,
        Reference = call.Session,
    };

    /// <summary>Those that are well; all of them when none is, since an answer is then no less likely from one than from another.</summary>
    private IReadOnlyList<UpstreamTarget> Well(IReadOnlyList<UpstreamTarget> targets)
    {
        if (targets.Count == 1) return targets;
        var well = targets.Where(watch.IsWell).ToList();
        return well.Count > 0 ? well : targets;
    }

    /// <summary>The headers that are still true when the answer is given again.</summary>
    private static IEnumerable<KeyValuePair<string, string>> Lasting(IHeaderDictionary headers)
    {
        foreach (var (name, values) in headers)
            if (!HeaderLists.OfOneTransfer.Contains(name) && !HeaderLists.IsCrossOrigin(name))
                foreach (var value in values) yield return KeyValuePair.Create(name, value ?? "");
    }

    /// <summary>An upstream may not take longer than the proof is good for, less what settling takes.</summary>
    private static TimeSpan TimeLeft(Payment payment, Service service)
    {
        if (payment.Expires is not { } expires || payment.IsPaid) return service.Upstream.Timeout;
        var left = expires - payment.Call.Now - TimeSpan.FromSeconds(30);
        if (left > service.Upstream.Timeout) return service.Upstream.Timeout;
        return left > TimeSpan.FromSeconds(1) ? left : TimeSpan.FromSeconds(1);
    }

    private static Refusal Refuse(ForwarderError error, HttpContext http)
    {
        http.Response.Headers["Turnpike-Cost"] = $"0.00 {http.Payment().Call.Quote?.Ceiling.Currency ?? "USD"}";
        return error switch
        {
            ForwarderError.RequestBodyClient or ForwarderError.RequestBodyCanceled => new Refusal(Reasons.MalformedRequest, "The request's body is malformed, or broke off."),
            ForwarderError.RequestTimedOut => new Refusal(Reasons.UpstreamTimeout, "It did not begin to answer in time."),
            ForwarderError.Request when http.Features.Get<IForwarderErrorFeature>()?.Exception is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError } =>
                new Refusal(Reasons.UpstreamDown, "It could not be reached.") { RetryAfter = TimeSpan.FromSeconds(5) },
            _ when http.Payment().IsPaid => new Refusal(Reasons.UpstreamFailed, "It broke off before its first byte. What was taken is yours again, and pays for the retry."),
            _ => new Refusal(Reasons.UpstreamFailed, "It broke off before it answered."),
        };
    }

    private static HttpMessageInvoker NewClient() => new(new SocketsHttpHandler
    {
        UseProxy = false,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        UseCookies = false,
        EnableMultipleHttp2Connections = true,
        ConnectTimeout = TimeSpan.FromSeconds(10),
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        ActivityHeadersPropagator = null,
        ConnectCallback = ConnectAsync,
    });

    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken ct)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, ct);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        foreach (var client in clients.Values) client.Dispose();
    }

    /// <summary>Whose turn it is: smooth weighted round-robin over a service's targets.</summary>
    private sealed class Turn
    {
        private readonly Lock guard = new();
        private readonly Dictionary<Uri, long> credit = [];

        public UpstreamTarget Next(IReadOnlyList<UpstreamTarget> targets)
        {
            if (targets.Count == 1) return targets[0];
            lock (guard)
            {
                foreach (var target in targets) credit[target.Url] = credit.GetValueOrDefault(target.Url) + target.Weight;
                var next = targets.MaxBy(t => credit[t.Url])!;
                credit[next.Url] -= targets.Sum(t => t.Weight);
                return next;
            }
        }
    }
}
