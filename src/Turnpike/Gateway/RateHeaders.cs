using System.Globalization;
using System.Text;
using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Metering;

namespace Turnpike.Gateway;

/// <summary>
/// Limits as headers: <c>RateLimit-Policy</c> and <c>RateLimit</c> of draft-ietf-httpapi-ratelimit-headers-10, an item for each, and
/// the older <c>X-RateLimit-*</c> for the tightest in requests. Other units are named in a parameter of our own.
/// </summary>
internal static class RateHeaders
{
    [ThreadStatic]
    private static StringBuilder? first, second;

    private const long Micro = Money.Nano / 1_000_000;

    public static void Write(IHeaderDictionary headers, Call call, LimitState? violated = null)
    {
        var known = call.Policies ?? [];
        if (violated is not null && known.All(p => p.Name != violated.Name))
            known = [.. known, new Policy(violated.Name, new Money(violated.Limit, violated.Unit), violated.Window == TimeSpan.Zero ? null : violated.Window, Math.Max(0, violated.Limit - violated.Used), violated.ResetAt - call.Now)];
        if (known.Count == 0) return;
        var (policies, limits) = (first ??= new StringBuilder(256), second ??= new StringBuilder(256));
        (_, _) = (policies.Clear(), limits.Clear());
        foreach (var policy in known) Append(policies, limits, policy);
        headers["RateLimit-Policy"] = policies.ToString();
        headers["RateLimit"] = limits.ToString();
        if (known.Where(p => p.Limit.Currency == RateRule.Requests && p.Window is not null).MinBy(p => p.Left) is not { } tightest) return;
        headers["X-RateLimit-Limit"] = Text(tightest.Limit.Units);
        headers["X-RateLimit-Remaining"] = Text(tightest.Left);
        headers["X-RateLimit-Reset"] = Text(Seconds(tightest.Until));
    }

    private static void Append(StringBuilder policies, StringBuilder limits, Policy policy)
    {
        var (isMoney, unit) = (Money.IsMoney(policy.Limit.Currency), policy.Limit.Currency);
        if (policies.Length > 0) (_, _) = (policies.Append(", "), limits.Append(", "));
        policies.Append(CultureInfo.InvariantCulture, $"\"{policy.Name}\";q={(isMoney ? policy.Limit.Units / Micro : policy.Limit.Units)}");
        if (policy.Window is { } window) policies.Append(CultureInfo.InvariantCulture, $";w={Seconds(window)}");
        else policies.Append(";qu=\"concurrent-requests\"");
        if (unit == Units.Bytes && policy.Window is not null) policies.Append(";qu=\"content-bytes\"");
        else if (unit != RateRule.Requests) policies.Append(CultureInfo.InvariantCulture, $";turnpike-unit=\"{(isMoney ? "micro-" : "")}{unit}\"");
        limits.Append(CultureInfo.InvariantCulture, $"\"{policy.Name}\";r={(isMoney ? policy.Left / Micro : policy.Left)}");
        if (policy.Until > TimeSpan.Zero) limits.Append(CultureInfo.InvariantCulture, $";t={Seconds(policy.Until)}");
    }

    /// <summary>Whole seconds, rounded up: coming back then must work.</summary>
    private static long Seconds(TimeSpan span) => (span.Ticks + TimeSpan.TicksPerSecond - 1) / TimeSpan.TicksPerSecond;

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}
