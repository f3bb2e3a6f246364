using System.Net;
using System.Text;

namespace Turnpike.Tests.Billing.Stripe;

/// <summary>The double as a place on the simulated internet.</summary>
internal static class StripeHandler
{
    public static HttpResponseMessage Handle(this StripeDouble stripe, HttpRequestMessage request)
    {
        var body = request.Content?.ReadAsStringAsync().GetAwaiter().GetResult() ?? "";
        var reply = stripe.Answer(request.Method.Method, request.RequestUri!.PathAndQuery, name => request.Headers.TryGetValues(name, out var values) ? string.Join(',', values) : null, body);
        if (reply.Status == 0) throw new HttpRequestException("The connection broke.");
        var response = new HttpResponseMessage((HttpStatusCode)reply.Status) { Content = new StringContent(reply.Body, Encoding.UTF8, "application/json") };
        if (reply.Replayed) response.Headers.Add("Idempotent-Replayed", "true");
        return response;
    }
}
