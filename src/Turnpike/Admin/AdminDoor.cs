using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Catalog.Loading;
using Turnpike.Limits;

namespace Turnpike.Admin;

/// <summary>
/// Everything below <c>/admin</c> asks for an admin key, also what is not there: a stranger learns no paths. Wrong keys are
/// recorded, but only so many a minute: guessing must not fill the trail. The right key always opens, whoever guesses beside it.
/// </summary>
internal sealed class AdminDoor(RequestDelegate next, CatalogSource catalog, RateCounters counters, IAuditTrail audit)
{
    private const string Scheme = "Bearer ";
    private static readonly RateLimit Failures = new(10, TimeSpan.FromMinutes(1), []);

    public async Task InvokeAsync(HttpContext http)
    {
        if (!http.Request.Path.StartsWithSegments("/admin", StringComparison.OrdinalIgnoreCase) || Opens(http.Request.Headers.Authorization.ToString())) { await next(http); return; }
        var address = http.Connection.RemoteIpAddress?.ToString() ?? "";
        if (!counters.TryTake("admin-denied", address, Failures, out var wait))
        {
            http.Response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)).ToString(System.Globalization.CultureInfo.InvariantCulture);
            await AdminProblem.Of(429, "too-many-attempts", "Too many wrong keys", "Wait, and present an admin key.").ExecuteAsync(http);
            return;
        }
        var presented = http.Request.Headers.Authorization.Count > 0;
        await audit.RecordAsync(new AuditEvent { Kind = AuditKinds.AdminDenied, Correlation = Ids.New("c"), Reason = presented ? "wrong-admin-key" : "no-admin-key", Address = address }, http.RequestAborted);
        http.Response.Headers.WWWAuthenticate = "Bearer realm=\"turnpike-admin\"";
        await AdminProblem.Of(401, "admin-key-required", "An admin key is required", catalog.Current.Gateway.AdminKeys.Count == 0
            ? "No admin key is configured: set gateway.admin-key." : "Present a key of gateway.admin-key as 'Authorization: Bearer …'.").ExecuteAsync(http);
    }

    /// <summary>Every key is compared, each in constant time: how long it takes tells nothing of which one was near.</summary>
    private bool Opens(string presented)
    {
        if (!presented.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)) return false;
        var opens = false;
        foreach (var key in catalog.Current.Gateway.AdminKeys) opens |= !key.IsEmpty && key.Matches(presented.AsSpan(Scheme.Length).Trim());
        return opens;
    }
}
