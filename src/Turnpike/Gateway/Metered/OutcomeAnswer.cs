using System.Text.Json;
using Turnpike.Catalog;
using Turnpike.Payments;

namespace Turnpike.Gateway.Metered;

/// <summary>
/// An answer that is paid for if it says that what was asked for came about (<c>charge-on: { outcome: $.status, is: [done] }</c>). It is
/// read before its first byte leaves. One that says something else, or nothing, passes and costs nothing; one that cannot be read does
/// not leave, or whoever makes the upstream answer in another format would pay for nothing.
/// </summary>
internal static class OutcomeAnswer
{
    private const int Most = 8 * 1024 * 1024;

    /// <summary>Null when the answer may leave; says of the payment whether it is charged for.</summary>
    public static async ValueTask<Answer?> ReadAsync(HttpContext http, HttpResponseMessage upstream, Payment payment, CancellationToken ct)
    {
        payment.Sells = false;
        if (payment.Call.Method == "HEAD" || (int)upstream.StatusCode is 204 or 205) return null;
        if (!ReadableAnswer.TryMake(upstream)) return Unread("It is compressed in a way that cannot be read here.");
        var (body, broken) = await WholeAnswer.ReadAsync(http, upstream, Most, ct);
        if (broken is not null) return broken;
        if (body is null) return Unread($"It is larger than {Most} bytes.");
        if (body.Length == 0) return null;
        try
        {
            using var json = JsonDocument.Parse(body);
            payment.Sells = payment.Call.Operation.ChargeOn.IsMet(json.RootElement);
            return null;
        }
        catch (JsonException) { return Unread("It is no JSON."); }
    }

    private static Refusal Unread(string why) => new(Reasons.UpstreamFailed, $"It does not tell whether what was asked for came about. {why}");
}
