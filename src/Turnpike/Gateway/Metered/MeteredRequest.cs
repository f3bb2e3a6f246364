using Turnpike.Payments;
using Turnpike.Pricing;

namespace Turnpike.Gateway.Metered;

/// <summary>What metering changes in a request on its way: the maximum that the payer can pay for, and the question for a stream's usage.</summary>
internal static class MeteredRequest
{
    /// <summary>Digests of a body that is no longer the caller's own.</summary>
    private static readonly string[] Digests = ["Content-Digest", "Repr-Digest", "Digest", "Content-MD5"];

    /// <summary>A part of an answer may leave out the very place that tells what is charged for, and hold all that is sold.</summary>
    public static bool Spoils(Payment payment, string header) =>
        payment is { Metered: not null, Call.Metered.Reads: true } && (header.Equals("Range", StringComparison.OrdinalIgnoreCase) || header.Equals("If-Range", StringComparison.OrdinalIgnoreCase));

    public static void Prepare(HttpContext http, Payment payment)
    {
        var (metered, quote) = (payment.Call.Metered!, payment.Call.Quote as MeteredQuote);
        metered.Sent = http.RequestServices.GetRequiredService<TimeProvider>().GetTimestamp();
        if (quote is not null && HangUpRule.Of(payment.Call.Operation).Drain) http.Response.Body = new LastingBody(http.Response.Body);
        if (metered.Request is not { } request) return;
        var maximum = quote?.MaximumFor(payment.Ceiling);
        var body = request.Write(maximum, askForUsage: true);
        if (maximum is { } most && most < (request.Maximum ?? long.MaxValue)) http.Response.Headers["Turnpike-Max-Tokens"] = most.ToString(System.Globalization.CultureInfo.InvariantCulture);
        http.Request.Body = new MemoryStream(System.Runtime.InteropServices.MemoryMarshal.TryGetArray(body, out var array) ? array.Array! : body.ToArray(), array.Offset, body.Length, writable: false, publiclyVisible: true);
        if (http.Request.ContentLength == body.Length) return;
        http.Request.ContentLength = body.Length;
        foreach (var digest in Digests) http.Request.Headers.Remove(digest);
    }
}
