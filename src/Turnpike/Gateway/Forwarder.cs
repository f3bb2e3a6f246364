using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Turnpike.Audit;
using Turnpike.Gateway.Metered;
using Turnpike.Catalog;
using Turnpike.Limits.Upstreams;
using Turnpike.Payments;
using Turnpike.Payments.Buying;
using Turnpike.Pricing.Buying;
using Turnpike.Telemetry;
using Yarp.ReverseProxy.Forwarder;

namespace Turnpike.Gateway;

/// <summary>Sends an admitted call to its upstream through YARP, and says what went wrong when that fails.</summary>
internal sealed class Forwarder(IHttpForwarder forwarder, GateTransforms transforms, UpstreamBoard board, CashierPurchases purchases, IAuditTrail audit) : IDisposable
{
    private readonly ConcurrentDictionary<string, HttpMessageInvoker> clients = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Turn> turns = new(StringComparer.Ordinal);

    public async Task ForwardAsync(HttpContext http)
    {
        var payment = http.Payment();
        var call = payment.Call;
        var service = call.Catalog.ServiceOf(call.Operation);
        var config = new ForwarderRequestConfig { ActivityTimeout = TimeLeft(payment, service), Version = HttpVersion.Version11, VersionPolicy = HttpVersionPolicy.RequestVersionOrLower };
        var began = System.Diagnostics.Stopwatch.GetTimestamp();
        var error = await SendAsync(http, service, config);
        var hangUp = Patience.End(http);
        if (AnswerMeter.TryOf(http, out var meter)) meter.End();
        var body = PassingBody.Of(http);
        if (body is not null && error == ForwarderError.None)
        {
            await body.CompleteAsync(CancellationToken.None);
            if ((payment.IsPaid || payment is { Metered: not null, State: not null } && http.Delivered()) && body.Kept is { } bytes) payment.Keep = new StoredAnswer(http.Response.StatusCode, [.. Lasting(http.Response.Headers)], bytes);
        }
        var passed = !transforms.Answered(http) && (error == ForwarderError.None || http.Response.HasStarted);
        if (payment.State is not null) payment.Passed = passed ? body?.Tell(http.Response.StatusCode, payment.BodyDigest, hangUp) : hangUp;
        if (payment is { Passed: { } told, Call.Operation.ChargeOn: { On: not ChargeMoment.Success } rule }) payment.Passed = $"{told}, charge-on={rule.Told}";
        if (passed) Instruments.Forwarded(call.Operation.Name, http.Response.StatusCode, System.Diagnostics.Stopwatch.GetElapsedTime(began));
        if (error != ForwarderError.None && !http.Response.HasStarted && !transforms.Answered(http)) await http.AnswerAsync(call, Refuse(error, http));
        else if (payment.State is null) await audit.RecordAsync(Passed(http, call), CancellationToken.None);
    }

    /// <summary>To one target, and where that is allowed to another: nothing was taken for the first try, or it was taken once and before.</summary>
    private async ValueTask<ForwarderError> SendAsync(HttpContext http, Service service, ForwarderRequestConfig config)
    {
        var client = clients.GetOrAdd(service.Name, static _ => NewClient());
        for (var retries = service.Upstream.Retries; ; retries--)
        {
            var target = turns.GetOrAdd(service.Name, static _ => new()).Next(Takers(service.Upstream));
            if (Spending.Of(http.Payment().Call) is not null && http.Payment().Call.ReadBody is { } body) await body(http.RequestAborted); // it may have to be sent twice
            var error = await forwarder.SendAsync(http, target.Url.AbsoluteUri, client, config, transforms);
            if (http.Payment().Bought is not null) return await BuyAsync(http, target, client, config, error);
            Note(http, service.Upstream, target, error);
            if (error == ForwarderError.None || retries == 0 || !MayRepeat(http, error)) return error;
            http.Response.Clear();
            http.Features.Set<IForwarderErrorFeature>(null);
        }
    }

    /// <summary>
    /// The same again with our payment, to the very address that asked for it, and never to another: whoever got it may use it. Not
    /// cancelled by a caller who leaves: it has paid.
    /// </summary>
    private async ValueTask<ForwarderError> BuyAsync(HttpContext http, UpstreamTarget target, HttpMessageInvoker client, ForwarderRequestConfig config, ForwarderError error)
    {
        var bought = http.Payment().Bought!;
        if (error != ForwarderError.None || bought.Presented || transforms.Answered(http)) return error;
        http.Response.Clear();
        if (http.Payment().Call.ReadBody is { } body) await body(CancellationToken.None);
        error = await forwarder.SendAsync(http, target.Url.AbsoluteUri, client, config, transforms);
        Note(http, http.Payment().Call.Catalog.ServiceOf(http.Payment().Call.Operation).Upstream, target, error);
        if (bought.State.Status == Ledger.HoldStatus.Captured) await purchases.LostAsync(bought, reached: !NotReached(http, error));
        return error;
    }

    /// <summary>Only what the upstream cannot have done: it was not reached, or it was only asked to tell something. A body is sent once.</summary>
    private bool MayRepeat(HttpContext http, ForwarderError error)
    {
        if (http.Response.HasStarted || transforms.Answered(http) || http.RequestAborted.IsCancellationRequested || http.Payment().Call is not { ReadBody: null } call) return false;
        return NotReached(http, error) || call.Method is "GET" or "HEAD" && error == ForwarderError.Request;
    }

    private static bool NotReached(HttpContext http, ForwarderError error) =>
        error == ForwarderError.Request && http.Features.Get<IForwarderErrorFeature>()?.Exception is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError };

    /// <summary>A caller who leaves says nothing about the upstream.</summary>
    private void Note(HttpContext http, Upstream upstream, UpstreamTarget target, ForwarderError error)
    {
        if (upstream.Breaker is not { } breaker) return;
        if (error is ForwarderError.Request or ForwarderError.RequestTimedOut or ForwarderError.ResponseBodyDestination || error == ForwarderError.None && http.Response.StatusCode is >= 500 && !transforms.Answered(http)) board.Failed(target, breaker);
        else if (error == ForwarderError.None) board.Succeeded(target);
    }

    /// <summary>A call that nothing was owed for: also a yes, and to be explained afterwards.</summary>
    private static AuditEvent Passed(HttpContext http, Call call) => http.Delivered()
        ? call.Event(AuditKinds.Delivered, reference: call.Session)
        : call.Event(AuditKinds.Undelivered, $"upstream-{http.Response.StatusCode}", call.Session);

    /// <summary>Those that are well and not left alone, else the fallback; all of them when there is none, since an answer is then no less likely from one than from another.</summary>
    private IReadOnlyList<UpstreamTarget> Takers(Upstream upstream)
    {
        if (upstream.Targets.Count == 1 && upstream.Fallback.Count == 0) return upstream.Targets;
        var takers = upstream.Targets.Where(Takes).ToList();
        if (takers.Count == 0) takers = upstream.Fallback.Where(Takes).ToList();
        return takers.Count > 0 ? takers : upstream.Targets;
    }

    private bool Takes(UpstreamTarget target) => board.IsWell(target) && !board.IsOpen(target);

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
            ForwarderError.Request when NotReached(http, error) =>
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
        RequestHeaderEncodingSelector = static (_, _) => Encoding.UTF8, // as Kestrel reads them
        ResponseHeaderEncodingSelector = static (_, _) => Encoding.Latin1, // Location too, as Kestrel writes them
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
