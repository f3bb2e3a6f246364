using System.Collections.Concurrent;
using System.Net;
using System.Text;

namespace Turnpike.Tests.Payments;

/// <summary>One simulated counterpart: answers by a function, and remembers what it was asked.</summary>
internal sealed class Internet(Func<Asked, HttpResponseMessage> answer) : HttpMessageHandler
{
    public ConcurrentQueue<Asked> All { get; } = [];

    public static HttpResponseMessage Json(string body, HttpStatusCode status = HttpStatusCode.OK) =>
        new(status) { Content = new StringContent(body, Encoding.UTF8, "application/json") };

    public static HttpResponseMessage Silence() => throw new HttpRequestException(HttpRequestError.ConnectionError, "nobody");

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var body = request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken);
        var headers = request.Headers.ToDictionary(h => h.Key, h => string.Join(',', h.Value), StringComparer.OrdinalIgnoreCase);
        var asked = new Asked(request.Method.Method, request.RequestUri!, headers, body);
        All.Enqueue(asked);
        return answer(asked);
    }
}

/// <summary>One request as it left.</summary>
internal sealed record Asked(string Method, Uri Url, IReadOnlyDictionary<string, string> Headers, string Body);
