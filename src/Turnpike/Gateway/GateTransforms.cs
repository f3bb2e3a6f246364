using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using Turnpike.Access;
using Turnpike.Access.Rules;
using Turnpike.Gateway.Metered;
using Turnpike.Catalog;
using Turnpike.Limits.Incidents;
using Turnpike.Limits;
using Turnpike.Payments;
using Turnpike.Payments.Buying;
using Turnpike.Plans;
using Turnpike.Pricing.Buying;
using Turnpike.Storage;
using Yarp.ReverseProxy.Forwarder;

namespace Turnpike.Gateway;

/// <summary>The gate's two hooks inside forwarding: what the upstream is told, and settlement before the first byte leaves.</summary>
internal sealed class GateTransforms(Cashier cashier, RateLimits limits, PaymentReplies replies, IncidentRule incidents, IncidentBoard board, AccessRules access, CashierPurchases purchases) : HttpTransformer
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
            if (!Drops(name, values, payment)) Add(proxyRequest, name, values);
        // What an upstream sends back must be readable here: for what it tells of usage, and for keys of its own that it echoes.
        // Said outright: to ask for nothing would allow every coding (RFC 9110, 12.5.3).
        if (service.Injected.Values.Count > 0 || call.Metered is { Reads: true } || Spending.Of(call) is not null) Replace(proxyRequest, "Accept-Encoding", "identity");
        // What the upstream is to check must stand on its own: our key beside it would open the door for anybody.
        if (!IsTheUpstreams(payment))
            foreach (var (name, value) in service.Headers) Replace(proxyRequest, name, value.Reveal());
        Tell(proxyRequest, payment);
        foreach (var (name, value) in payment.Bought?.Credential ?? []) Replace(proxyRequest, name, value);
        payment.Bought?.Presented = true;
        Turnpike.Telemetry.Tracing.PassOn(proxyRequest, call.Operation.Name, call.Correlation, call.Headers["X-Request-Id"]);
        // The very string that was matched and priced. Uri would decode and collapse it once more.
        proxyRequest.RequestUri = new Uri(destinationPrefix.TrimEnd('/') + service.Below(call.Target.Value), new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        return default;
    }

    public override async ValueTask<bool> TransformResponseAsync(HttpContext httpContext, HttpResponseMessage? proxyResponse, CancellationToken cancellationToken)
    {
        if (proxyResponse is null) return true;
        var payment = httpContext.Payment();
        var status = (int)proxyResponse.StatusCode;
        if (payment.Bought is { } bought) await purchases.AnsweredAsync(bought, proxyResponse);
        var answer = status == 402 ? await purchases.BuyAsync(payment, proxyResponse, cancellationToken) : null;
        if (payment.Bought is { Presented: false } && answer is null) return false; // nothing of this answer is wanted: it is asked again, paid
        if (!IsAnswer(status, httpContext)) answer ??= new Refusal(Reasons.UpstreamFailed, "It answered with a status that is none.");
        if (status == 401 && payment.Call.Deferred is not null) answer = Claim(payment.Call);
        answer ??= await FieldRules.ApplyAsync(payment.Call, proxyResponse, cancellationToken);
        // The last decision before money moves: what was switched off while the upstream worked is not sold.
        if (payment.State is not null && !payment.IsPaid) answer ??= incidents.Check(payment);
        var rule = payment.Call.Operation.ChargeOn;
        payment.Sells = answer is null && (status is >= 200 and < 300 || rule.On == ChargeMoment.Accepted);
        if (payment is { Sells: true, State: not null } && rule.On == ChargeMoment.Outcome) answer = await OutcomeAnswer.ReadAsync(httpContext, proxyResponse, payment, cancellationToken);
        if (answer is null && payment.Sells) answer = payment.Call.Metered is not null ? await MeteredAnswer.BeginAsync(httpContext, proxyResponse, payment, cashier, cancellationToken) : payment is { State: not null, IsPaid: false } ? await cashier.CollectAsync(payment) : null;
        if (payment.Sells && answer is null && payment.IsPaid) answer = await access.CheckSettledAsync(payment, CancellationToken.None);
        if (answer is not null)
        {
            // Nothing of the upstream's answer leaves: it was not paid for.
            httpContext.Items[AnsweredKey] = true;
            httpContext.Response.Clear();
            try { await httpContext.AnswerAsync(payment.Call, answer); }
            catch (StorageUnavailableException) { await Faults.AnswerAsync(httpContext, Reasons.StoreDown); } // here it would be taken for the upstream's fault
            return false;
        }
        if (proxyResponse.Content.Headers.ContentLength is null) board.Follow(payment.Call, httpContext.Cut);
        httpContext.Response.StatusCode = status;
        Copy(proxyResponse, httpContext, payment.Call);
        MeteredAnswer.Install(httpContext, proxyResponse);
        Finish(httpContext, payment);
        return true;
    }

    public override ValueTask TransformResponseTrailersAsync(HttpContext httpContext, HttpResponseMessage proxyResponse, CancellationToken cancellationToken) => default;

    /// <summary>What RFC 9110 §15 knows as a final status; or the beginning of a tunnel, where it was let through.</summary>
    private static bool IsAnswer(int status, HttpContext http) =>
        status is >= 200 and <= 599 || status == 101 && http.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true };

    /// <summary>Its 401 becomes our 402: whoever the upstream does not know may pay.</summary>
    private Answer Claim(Call call)
    {
        call.Claim();
        return limits.TakeUnpaid(call) ?? new Refusal(Reasons.PaymentRequired, "The service does not know the credential you present; without one, it is paid by the call.");
    }

    /// <summary>True for a call that nobody pays for here, because the upstream checks who calls.</summary>
    private static bool IsTheUpstreams(Payment payment) => payment.Call.Operation.Identity == IdentityRule.Upstream && payment is { State: null, Call.Session: null };

    private static bool Drops(string name, StringValues values, Payment payment)
    {
        if (HeaderLists.OfKeys.Contains(name)) return !IsTheUpstreams(payment) || values.Any(v => v is not null && v.AsSpan().TrimStart().StartsWith("tp_", StringComparison.Ordinal));
        if (FieldRules.Spoils(payment.Call, name) || MeteredRequest.Spoils(payment, name)) return true;
        if (HeaderLists.DropFromRequest.Contains(name) || HeaderLists.IsOurs(name) || name.Contains('_', StringComparison.Ordinal) || name.StartsWith(':')) return true;
        if (!name.Equals("Authorization", StringComparison.OrdinalIgnoreCase)) return false;
        // Keys and payments are ours to read; only where the upstream checks identity does its own credential get through.
        return !IsTheUpstreams(payment) || values.Any(v => v is not null && (v.StartsWith("Payment ", StringComparison.OrdinalIgnoreCase) || v.Contains("tp_", StringComparison.Ordinal)));
    }

    private static void Add(HttpRequestMessage request, string name, StringValues values)
    {
        if (Add(request.Headers, name, values) || request.Content is null) return;
        Add(request.Content.Headers, name, values);
    }

    private static bool Add(System.Net.Http.Headers.HttpHeaders headers, string name, StringValues values) =>
        values.Count == 1 ? headers.TryAddWithoutValidation(name, values[0]) : headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);

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
        headers.TryAddWithoutValidation("Via", LoopRule.Mark);
        // Somebody else's service, which we buy from as anybody does: who our callers are is none of its business.
        if (Spending.Of(call) is not null) return;
        headers.TryAddWithoutValidation("Turnpike-Correlation", call.Correlation);
        headers.TryAddWithoutValidation("X-Forwarded-For", call.Address);
        headers.TryAddWithoutValidation("X-Forwarded-Proto", call.Secure ? "https" : "http");
        headers.TryAddWithoutValidation("X-Forwarded-Host", call.Catalog.Gateway.Url.Authority);
        if (call.Caller is { } caller) headers.TryAddWithoutValidation("Turnpike-Caller", caller);
        if (call.Principal?.OnBehalfOf is { } other) headers.TryAddWithoutValidation("Turnpike-On-Behalf-Of", Written(other));
        if (call.Principal?.Agent is { } agent)
        {
            headers.TryAddWithoutValidation("Turnpike-Agent", Written(agent.Name));
            if (agent.Operator is { } runs) headers.TryAddWithoutValidation("Turnpike-Agent-Operator", Written(runs));
            if (agent.IsVerified) headers.TryAddWithoutValidation("Turnpike-Agent-Verified", "true");
        }
        if (call.Plan is { } plan) headers.TryAddWithoutValidation("Turnpike-Plan", plan);
        if (PlanBook.Of(call)?.Entitlements.Header is { } entitled) headers.TryAddWithoutValidation("Turnpike-Entitlements", entitled);
        if (call.Principal is { Scopes.Count: > 0 } principal) headers.TryAddWithoutValidation("Turnpike-Scopes", string.Join(' ', principal.Scopes));
        if (call.Session is { } session) headers.TryAddWithoutValidation("Turnpike-Payment", session);
        if (payment.State is not { } state) return;
        headers.TryAddWithoutValidation("Turnpike-Payer", payment.Payer);
        headers.TryAddWithoutValidation("Turnpike-Payment", state.Hold.Receipt);
        headers.TryAddWithoutValidation("Turnpike-Amount", payment.Ceiling.ToString());
    }

    /// <summary>A name as a header can say it: percent-encoded where it is not printable ASCII.</summary>
    private static string Written(string name) => name.All(c => c is >= ' ' and <= '~') ? name : Uri.EscapeDataString(name);

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
            var value = values.Count == 1 ? new StringValues(values.ToString()) : new StringValues([.. values]);
            if (guarded is not null && Echoes(value, guarded)) continue;
            http.Response.Headers.Append(name, value);
        }
    }

    private static bool Echoes(StringValues value, Call call) =>
        Wallets.SecretsOf(call).Texts.Any(secret => value.Any(v => v is not null && v.Contains(secret, StringComparison.Ordinal)));

    private void Finish(HttpContext http, Payment payment)
    {
        var headers = http.Response.Headers;
        headers["Turnpike-Correlation"] = payment.Call.Correlation;
        Answers.AllowBrowsers(http);
        if (payment is { Included: { } included, State: { } state }) payment.Call.Policies = [.. payment.Call.Policies ?? [], .. included.Told(state, payment.Call.Now)];
        if (payment.Call.Policies is not null) RateHeaders.Write(headers, payment.Call);
        if (payment.Call is { Quote: null, Session: null } && payment.Call.Operation.Settings.Get<FieldRules>() is null) return;
        headers.CacheControl = "private, no-store";
        headers.Append("Vary", replies.CredentialHeaders);
        if (payment.Call.Quote is null) return;
        if (payment.IsPaid) replies.WriteReceipt(payment, new Reply(headers));
        else if (AnswerMeter.TryOf(http, out _) && payment.State is not null) PaymentReplies.WritePromise(payment, new Reply(headers));
        else headers["Turnpike-Cost"] = string.Create(CultureInfo.InvariantCulture, $"0.00 {payment.Ceiling.Currency}");
    }
}
