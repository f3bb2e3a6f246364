using System.Buffers;
using System.Net;
using Microsoft.AspNetCore.Http.Features;
using Turnpike.Gateway.Metered;
using Turnpike.Catalog;
using Turnpike.Payments;
using Turnpike.Protocols.Http;
using Yarp.ReverseProxy.Forwarder;

namespace Turnpike.Gateway;

/// <summary>HTTP as a transport of calls: reads them from requests, writes answers to responses. The only place that knows both.</summary>
internal static class HttpTransport
{
    private const int MostBody = 8 * 1024 * 1024, Piece = 16 * 1024;
    private static readonly object PaymentKey = new(), CutKey = new();

    /// <summary>What is called, from the head alone.</summary>
    /// <param name="sold">What is sold at a path of ours; null: what the configuration sells there.</param>
    public static Call ReadCall(this HttpContext http, ServiceCatalog catalog, Operation? sold = null)
    {
        var request = http.Request;
        var target = http.Target();
        var origin = Origin.Of(http, catalog.Gateway);
        var operation = target.Error is null ? sold ?? catalog.Match(request.Method, http.HostName(), target.Path) : null;
        return new Call
        {
            Catalog = catalog,
            Operation = operation!,
            Rejected = Misframed(request) ?? (operation is not null ? null : Reject(http, catalog, target)),
            Method = request.Method,
            Target = target,
            Headers = request.Headers,
            Address = origin.Address,
            Secure = origin.Secure,
            Loopback = origin.Loopback,
            Now = http.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow(),
            ReadBody = http.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == true ? ct => ReadBodyAsync(http, ct) : null,
        };
    }

    /// <summary>The host as it stands on the wire. HttpRequest.Host would decode its xn-- labels, and throw where they are none.</summary>
    public static string HostName(this HttpContext http) => new HostString(http.Request.Headers.Host.ToString()).Host;

    /// <summary>The canonical target, worked out once per request from the raw one.</summary>
    public static TargetResult Target(this HttpContext http)
    {
        if (http.Items.TryGetValue(typeof(TargetResult), out var known)) return (TargetResult)known!;
        var target = RequestTarget.Canonicalise(http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget);
        http.Items[typeof(TargetResult)] = target;
        return target;
    }

    public static Task AnswerAsync(this HttpContext http, Call call, Answer answer) =>
        http.RequestServices.GetRequiredService<Answers>().WriteAsync(http, call, answer);

    /// <summary>Takes the payment along through forwarding. From collection on, a caller who leaves no longer cancels the upstream.</summary>
    public static void Carry(this HttpContext http, Payment payment)
    {
        http.Items[PaymentKey] = payment;
        // A tunnel never becomes an answer that is delivered and paid, so nothing priced turns into one (RFC 9110 §7.8: an Upgrade may be ignored).
        if (payment.Call is not { Quote: null, Session: null }) http.Features.Set<IHttpUpgradeFeature>(null);
        if (payment.State is not null) http.RequestAborted = Patience.For(http, payment);
        if (payment.Call.Metered is not null) MeteredRequest.Prepare(http, payment);
        PassingBody.Install(http, payment);
    }

    public static Payment Payment(this HttpContext http) => (Payment)http.Items[PaymentKey]!;

    /// <summary>We end an answer that is on its way: what has a price for the whole of it is then not delivered, what is metered is charged as far as it went.</summary>
    public static void Cut(this HttpContext http)
    {
        http.Items[CutKey] = true;
        http.Abort();
        Patience.Stop(http);
    }

    public static bool IsCut(this HttpContext http) => http.Items.ContainsKey(CutKey);

    /// <summary>
    /// True when a 2xx answer was passed on to its end, or, where its price is metered, in part. A caller who left in the middle
    /// counts, or leaving before the last byte would make every answer free, and an endless one most of all; an upstream that broke
    /// off does not, nor a connection we cut, however much of it was counted on its way.
    /// </summary>
    public static bool Delivered(this HttpContext http) =>
        http.Response.StatusCode is >= 200 and < 300 && (http.Payment().Metered is not null && AnswerMeter.TryOf(http, out var meter) && meter.Passed > 0 || http.HasPassed());

    /// <summary>True when what is sold has come about, as the operation's <c>charge-on</c> says: the money stays.</summary>
    public static bool Earned(this HttpContext http) => http.Payment() is var payment && payment.Call.Operation.ChargeOn.On switch
    {
        ChargeMoment.Accepted => payment.Sells && !http.IsCut(),
        ChargeMoment.FirstByte => payment.Sells && !http.IsCut() && (PassingBody.Of(http) is { Passed: > 0 } || http.Delivered()),
        ChargeMoment.Complete => http.Delivered() && http.Features.Get<IForwarderErrorFeature>() is null or { Error: ForwarderError.None },
        ChargeMoment.Outcome => payment.Sells && http.Delivered(),
        _ => http.Delivered(),
    };

    private static bool HasPassed(this HttpContext http) => !http.IsCut() && http.Features.Get<IForwarderErrorFeature>()?.Error switch
    {
        null or ForwarderError.None => true,
        ForwarderError.ResponseBodyClient => !http.IsTimeUp(),
        // Read on for a while after the caller had left.
        ForwarderError.ResponseBodyCanceled => http.Payment().LeftMidway && !http.IsTimeUp(),
        _ => false,
    };

    private static bool IsTimeUp(this HttpContext http) => http.RequestServices.GetService<Drain>() is { IsOver: true };

    private static Answer Reject(HttpContext http, ServiceCatalog catalog, TargetResult target)
    {
        if (target.Error is { } error) return new Refusal(Reasons.AmbiguousTarget, $"The target is refused: {error}.");
        if (IsPreflight(http.Request) && catalog.Knows(http.HostName(), target.Path)) return Preflight(catalog.MethodsAt(http.HostName(), target.Path));
        return catalog.Knows(http.HostName(), target.Path)
            ? new Refusal(Reasons.MethodNotAllowed, $"Another method is sold at this path, not '{Printable(http.Request.Method)}'.")
            : new Refusal(Reasons.NotFound, "No operation matches this path.");
    }

    /// <summary>A body coded in a way that is stripped with the header would reach the upstream as something else (RFC 9112 §6.1).</summary>
    private static Refusal? Misframed(HttpRequest request) => request.Headers.TransferEncoding is { Count: > 0 } codings && !codings.ToString().Equals("chunked", StringComparison.OrdinalIgnoreCase)
        ? new Refusal(Reasons.MalformedRequest, "The only transfer coding taken is 'chunked', once.")
        : null;

    private static bool IsPreflight(HttpRequest request) =>
        HttpMethods.IsOptions(request.Method) && request.Headers.Origin.Count > 0 && request.Headers.AccessControlRequestMethod.Count > 0;

    /// <summary>Answered here, never forwarded: an upstream's own rules would speak for a host the browser does not see.</summary>
    private static Management Preflight(IEnumerable<string> methods) => new(
    [
        KeyValuePair.Create("Access-Control-Allow-Methods", string.Join(", ", methods)),
        KeyValuePair.Create("Access-Control-Allow-Headers", HeaderLists.AllowedToBrowsers),
        KeyValuePair.Create("Access-Control-Max-Age", "600"),
        KeyValuePair.Create("Vary", "Access-Control-Request-Method, Access-Control-Request-Headers"),
    ]);

    /// <summary>Reads the body once, bounded, and puts it in its own place: forwarding reads it again from the start.</summary>
    private static async ValueTask<ReadOnlyMemory<byte>> ReadBodyAsync(HttpContext http, CancellationToken ct)
    {
        if (http.Request.Body is MemoryStream known && known.TryGetBuffer(out var whole))
        {
            known.Position = 0;
            return whole;
        }
        if (http.Request.ContentLength > MostBody) throw TooLarge();
        if (http.Request.Body.CanSeek) http.Request.Body.Position = 0;
        // A length is only said, and said by anybody: memory is taken as the body comes.
        var buffer = new byte[Math.Min(http.Request.ContentLength ?? Piece, 4 * Piece) + 1];
        var length = 0;
        for (int read; (read = await http.Request.Body.ReadAsync(buffer.AsMemory(length), ct)) > 0;)
        {
            if ((length += read) > MostBody) throw TooLarge();
            if (length == buffer.Length) Array.Resize(ref buffer, length * 2);
        }
        http.Request.Body = new MemoryStream(buffer, 0, length, writable: false, publiclyVisible: true);
        return buffer.AsMemory(0, length);
    }

    private static BadHttpRequestException TooLarge() => new("The body is larger than can be looked through.", StatusCodes.Status413PayloadTooLarge);

    private static string Printable(string method) => method.Length <= 16 && method.All(char.IsAsciiLetter) ? method : "?";
}

/// <summary>Where a request came from: the connection, or what a listed proxy says of it.</summary>
internal readonly record struct Origin(string Address, bool Secure, bool Loopback)
{
    public static Origin Of(HttpContext http, GatewaySettings gateway)
    {
        var peer = http.Connection.RemoteIpAddress ?? IPAddress.None;
        if (peer.IsIPv4MappedToIPv6) peer = peer.MapToIPv4();
        var trusted = gateway.TrustedProxies.Count > 0 && gateway.TrustedProxies.Any(n => n.Contains(peer));
        if (!trusted) return new(peer.ToString(), http.Request.IsHttps, IPAddress.IsLoopback(peer));
        // The last entry that no listed proxy wrote: everything left of it is the caller's own invention.
        var named = http.Request.Headers["X-Forwarded-For"].ToString().Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var address = peer;
        for (var i = named.Length - 1; i >= 0 && IPAddress.TryParse(named[i], out var hop); i--)
        {
            address = hop;
            if (!gateway.TrustedProxies.Any(n => n.Contains(hop))) break;
        }
        var secure = http.Request.IsHttps || http.Request.Headers["X-Forwarded-Proto"].ToString().Equals("https", StringComparison.OrdinalIgnoreCase);
        return new(address.ToString(), secure, IPAddress.IsLoopback(address));
    }
}
