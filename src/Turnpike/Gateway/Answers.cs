using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Turnpike.Access;
using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Payments;
using Turnpike.Protocols.Http;
using Turnpike.Telemetry;

namespace Turnpike.Gateway;

/// <summary>Writes what the gate answers itself: refusals as problem+json (HTML for browsers), replays, and management.</summary>
internal sealed class Answers(PaymentReplies payments, IAuditTrail audit)
{
    public async Task WriteAsync(HttpContext http, Call call, Answer answer)
    {
        call.Refused = answer as Refusal;
        http.Response.Headers["Turnpike-Correlation"] = call.Correlation;
        switch (answer)
        {
            case Refusal refusal: await RefuseAsync(http, call, refusal); break;
            case Replay replay: await ReplayAsync(http, call, replay.Stored); break;
            case Management management: Manage(http, management); break;
            default: throw new InvalidOperationException($"No way to write {answer.GetType().Name}.");
        }
        Instruments.Answered(call.Rejected is null ? call.Operation.Name : null, (answer as Refusal)?.Reason.Code, http.Response.StatusCode);
    }

    private async Task RefuseAsync(HttpContext http, Call call, Refusal refusal)
    {
        var response = http.Response;
        var reply = new Reply(response.Headers);
        response.StatusCode = refusal.Reason.Status;
        response.Headers.CacheControl = "no-store";
        if (refusal.RetryAfter is { } wait) response.Headers.RetryAfter = Seconds(wait);
        RateHeaders.Write(response.Headers, call, refusal.Limit);
        if (refusal.Receipt is { } receipt) response.Headers["Turnpike-Receipt"] = receipt;
        if (refusal.Reason == Reasons.MethodNotAllowed) response.Headers.Allow = string.Join(", ", call.Catalog.MethodsAt(http.HostName(), call.Target.Path));
        if (refusal.Challenges.Count > 0) response.Headers.WWWAuthenticate = refusal.Challenges.ToArray();
        else if (refusal.Reason.Status == 401) response.Headers.WWWAuthenticate = Challenge(call, refusal.Reason);
        foreach (var (name, value) in refusal.Headers) response.Headers[name] = value;
        IReadOnlyList<Offer> offers = [];
        if (refusal.Reason.Status == 402) offers = await payments.ChallengeAsync(call, refusal, reply);
        else if (refusal.Failure is not null) payments.WriteFailure(call, refusal, reply);
        AllowBrowsers(http);
        await (IsStrangers(call, refusal) ? audit.RefusedAsync(Event(call, refusal), CancellationToken.None) : audit.RecordAsync(Event(call, refusal), CancellationToken.None));

        var body = new ArrayBufferWriter<byte>(2048);
        using (var json = new Utf8JsonWriter(body)) ProblemWriter.Write(json, call, refusal, offers, reply);
        if (PrefersHtml(http)) { await HtmlAnswer.WriteAsync(http, call, refusal, offers); return; }
        response.ContentType = "application/problem+json";
        response.ContentLength = body.WrittenCount;
        if (!HttpMethods.IsHead(http.Request.Method)) await response.Body.WriteAsync(body.WrittenMemory, CancellationToken.None);
    }

    /// <summary>RFC 6750 §3; RFC 9728 §5.1 says where tokens come from.</summary>
    private static string Challenge(Call call, Reason reason)
    {
        var challenge = $"Bearer realm=\"{call.Catalog.Gateway.Url.Host}\"";
        if (reason != Reasons.IdentityRequired) challenge += $", error=\"invalid_token\", error_description=\"{reason.Title}\"";
        return ResourceMetadataApi.IsTold(call.Catalog) ? $"{challenge}, resource_metadata=\"{call.Catalog.Gateway.Url.GetLeftPart(UriPartial.Authority)}{ResourceMetadataApi.Path}\"" : challenge;
    }

    private async Task ReplayAsync(HttpContext http, Call call, StoredAnswer stored)
    {
        http.Response.StatusCode = stored.Status;
        foreach (var (name, value) in stored.Headers) http.Response.Headers.Append(name, value);
        http.Response.Headers["Turnpike-Correlation"] = call.Correlation;
        AllowBrowsers(http);
        await audit.RecordAsync(call.Event(AuditKinds.Replayed), CancellationToken.None);
        http.Response.ContentLength = stored.Body.Length;
        if (!HttpMethods.IsHead(http.Request.Method)) await http.Response.Body.WriteAsync(stored.Body, CancellationToken.None);
    }

    private static void Manage(HttpContext http, Management management)
    {
        http.Response.StatusCode = StatusCodes.Status204NoContent;
        foreach (var (name, value) in management.Headers) http.Response.Headers.Append(name, value);
        AllowBrowsers(http);
    }

    /// <summary>A script may read terms and receipts. No cookies are involved, so any origin may ask.</summary>
    public static void AllowBrowsers(HttpContext http)
    {
        if (http.Request.Headers.Origin.Count == 0) return;
        http.Response.Headers.AccessControlAllowOrigin = "*";
        http.Response.Headers.AccessControlExposeHeaders = HeaderLists.ShownToBrowsers;
    }

    private static bool PrefersHtml(HttpContext http) =>
        http.Request.Headers.UserAgent.ToString().Contains("Mozilla", StringComparison.Ordinal) && Accept.PrefersHtml(http.Request.Headers.Accept.ToString());

    /// <summary>Whole seconds, rounded up: coming back then must work.</summary>
    private static string Seconds(TimeSpan wait) => Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);

    /// <summary>Terms, and a no to somebody who neither proved a name nor presented a payment: what a flood consists of.</summary>
    private static bool IsStrangers(Call call, Refusal refusal) => !call.Pays && (call.Caller is null || refusal.Reason == Reasons.PaymentRequired);

    private static AuditEvent Event(Call call, Refusal refusal) =>
        call.Event(refusal.Reason == Reasons.PaymentRequired ? AuditKinds.Terms : AuditKinds.Refused, refusal.Reason.Code, detail: refusal.Code, amount: call.Quote?.Ceiling.ToString());
}
