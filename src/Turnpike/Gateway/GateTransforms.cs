using System.Globalization;
using System.Net;
using Microsoft.Extensions.Primitives;
using Turnpike.Catalog;
using Turnpike.Payments;
using Yarp.ReverseProxy.Forwarder;

namespace Turnpike.Gateway;

/// <summary>The gate's two hooks inside forwarding: what the upstream is told, and settlement before the first byte leaves.</summary>
internal sealed class GateTransforms(Cashier cashier, PaymentReplies replies) : HttpTransformer
{
    private static readonly object AnsweredKey = new();

    /// <summary>True when the response hook has answered in the upstream's place.</summary>
    public bool Answered(HttpContext http) => http.Items.ContainsKey(AnsweredKey);

    public override ValueTask TransformRequestAsync(HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
    {
        var payment = httpContext.Payment();
        var call = payment.Call;
        var service = call.Catalog.ServiceOf(call.Operation);
        foreach (var (name, values) in httpContext.Request.Headers)
            if (!Drops(name, values, call)) Add(proxyRequest, name, values);
        // What an upstream sends back must be readable here, or a key it echoes could not be starred out.
        if (service.Injected.Values.Count > 0) proxyRequest.Headers.Remove("Accept-Encoding");
        foreach (var (name, value) in service.Headers) Replace(proxyRequest, name, value.Reveal());
        Tell(proxyRequest, payment);
        Turnpike.Telemetry.Tracing.PassOn(proxyRequest, call.Operation.Name, call.Correlation);
        // The very string that was matched and priced. Uri would decode and collapse it once more.
        proxyRequest.RequestUri = new Uri(destinationPrefix.TrimEnd('/') + service.Below(call.Target.Value), new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        return default;
    }

    public override async ValueTask<bool> TransformResponseAsync(HttpContext httpContext, HttpResponseMessage? proxyResponse, CancellationToken cancellationToken)
    {
        if (proxyResponse is null) return true;
        var payment = httpContext.Payment();
        var status = (int)proxyResponse.StatusCode;
        Answer? answer = proxyResponse.StatusCode == HttpStatusCode.PaymentRequired ? new Refusal(Reasons.UpstreamAsksPayment, "The upstream answered 402.") : null;
        if (answer is null && payment.State is not null && !payment.IsPaid && status is >= 200 and < 300) answer = await cashier.CollectAsync(payment);
        if (answer is not null)
        {
            // Nothing of the upstream's answer leaves: it was not paid for.
            httpContext.Items[AnsweredKey] = true;
            httpContext.Response.Clear();
            await httpContext.AnswerAsync(payment.Call, answer);
            return false;
        }
        httpContext.Response.StatusCode = status;
        Copy(proxyResponse, httpContext, payment.Call);
        Finish(httpContext, payment);
        return true;
    }

    public override ValueTask TransformResponseTrailersAsync(HttpContext httpContext, HttpResponseMessage proxyResponse, CancellationToken cancellationToken) => default;

    private static bool Drops(string name, StringValues values, Call call)
    {
        if (HeaderLists.DropFromRequest.Contains(name) || HeaderLists.IsOurs(name) || name.Contains('_', StringComparison.Ordinal) || name.StartsWith(':')) return true;
        if (!name.Equals("Authorization", StringComparison.OrdinalIgnoreCase)) return false;
        // Keys and payments are ours to read; only where the upstream checks identity does its own credential get through.
        return call.Operation.Identity != IdentityRule.Upstream || values.Any(v => v is not null && (v.StartsWith("Payment ", StringComparison.OrdinalIgnoreCase) || v.Contains("tp_", StringComparison.Ordinal)));
    }

    private static void Add(HttpRequestMessage request, string name, StringValues values)
    {
        if (request.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values)) return;
        request.Content?.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
    }

    private static void Replace(HttpRequestMessage request, string name, string value)
    {
        request.Headers.Remove(name);
        if (request.Headers.TryAddWithoutValidation(name, value)) return;
        request.Content?.Headers.Remove(name);
        request.Content?.Headers.TryAddWithoutValidation(name, value);
    }

    /// <summary>Our facts, the same on every rail (docs/contract.md).</summary>
    private static void Tell(HttpRequestMessage request, Payment payment)
    {
        var (call, headers) = (payment.Call, request.Headers);
        headers.TryAddWithoutValidation("Turnpike-Correlation", call.Correlation);
        headers.TryAddWithoutValidation("X-Forwarded-For", call.Address);
        headers.TryAddWithoutValidation("X-Forwarded-Proto", call.Secure ? "https" : "http");
        headers.TryAddWithoutValidation("X-Forwarded-Host", call.Catalog.Gateway.Url.Authority);
        if (call.Caller is { } caller) headers.TryAddWithoutValidation("Turnpike-Caller", caller);
        if (payment.State is not { } state) return;
        headers.TryAddWithoutValidation("Turnpike-Payer", payment.Payer);
        headers.TryAddWithoutValidation("Turnpike-Payment", state.Hold.Receipt);
        headers.TryAddWithoutValidation("Turnpike-Amount", payment.Ceiling.ToString());
    }

    private static void Copy(HttpResponseMessage from, HttpContext http, Call call)
    {
        var secrets = PassingBody.SecretsOf(call);
        Copy(from.Headers.NonValidated, http, secrets.Count > 0 ? call : null);
        Copy(from.Content.Headers.NonValidated, http, secrets.Count > 0 ? call : null);
    }

    private static void Copy(System.Net.Http.Headers.HttpHeadersNonValidated from, HttpContext http, Call? guarded)
    {
        foreach (var (name, values) in from)
        {
            if (HeaderLists.DropFromResponse.Contains(name) || HeaderLists.IsOurs(name) || HeaderLists.IsCrossOrigin(name)) continue;
            if (name.Equals("WWW-Authenticate", StringComparison.OrdinalIgnoreCase) && values.Any(v => v.StartsWith("Payment", StringComparison.OrdinalIgnoreCase))) continue;
            var value = values.Count == 1 ? new StringValues(values.First()) : new StringValues([.. values]);
            if (guarded is not null && Echoes(value, guarded)) continue;
            http.Response.Headers.Append(name, value);
        }
    }

    private static bool Echoes(StringValues value, Call call) =>
        call.Catalog.ServiceOf(call.Operation).Injected.Texts.Any(secret => value.Any(v => v is not null && v.Contains(secret, StringComparison.Ordinal)));

    private void Finish(HttpContext http, Payment payment)
    {
        var headers = http.Response.Headers;
        headers["Turnpike-Correlation"] = payment.Call.Correlation;
        Answers.AllowBrowsers(http);
        if (payment.Call.Quote is null) return;
        headers.CacheControl = "private, no-store";
        headers.Append("Vary", replies.CredentialHeaders);
        if (payment.IsPaid) replies.WriteReceipt(payment, new Reply(headers));
        else headers["Turnpike-Cost"] = string.Create(CultureInfo.InvariantCulture, $"0.00 {payment.Ceiling.Currency}");
    }
}
