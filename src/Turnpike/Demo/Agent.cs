using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Turnpike.Client;
using Turnpike.Protocols.Http;

namespace Turnpike.Demo;

/// <summary>The agent of the walk: an ordinary caller, with or without a wallet. It reads what it is told and nothing else.</summary>
internal sealed class Agent(Uri gateway, PayingOptions? paying = null) : IDisposable
{
    private readonly HttpMessageInvoker http = new(paying is null ? Plain() : new PayingHandler(paying, Plain()));

    public async Task<Reply> CallAsync(string path, CancellationToken ct, string? json = null)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(TimeSpan.FromSeconds(30));
        using var request = new HttpRequestMessage(json is null ? HttpMethod.Get : HttpMethod.Post, new Uri(gateway, path));
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        if (json is not null) request.Content = new StringContent(json, new MediaTypeHeaderValue("application/json"));
        using var response = await http.SendAsync(request, limit.Token);
        var body = await response.Content.ReadAsByteArrayAsync(limit.Token);
        var headers = response.Headers.NonValidated.SelectMany(header => header.Value.Select(value => KeyValuePair.Create(header.Key, value)));
        return new Reply(response.StatusCode, [.. headers], StrictJson.Parse(body) ?? default, response.GetPayment(), response.GetAttempt());
    }

    public void Dispose() => http.Dispose();

    private static SocketsHttpHandler Plain() => new() { UseProxy = false, AllowAutoRedirect = false, UseCookies = false };

    /// <summary>An answer as the agent sees it; a body that is no JSON is undefined.</summary>
    internal sealed record Reply(HttpStatusCode Status, IReadOnlyList<KeyValuePair<string, string>> Headers, JsonElement Body, PaymentReceipt? Payment, PaymentAttempt? Attempt)
    {
        /// <summary>The text or number at a path of members, or null.</summary>
        public string? Text(params IEnumerable<string> path)
        {
            var at = Body;
            foreach (var name in path)
                if (at.ValueKind != JsonValueKind.Object || !at.TryGetProperty(name, out at)) return null;
            return at.ValueKind is JsonValueKind.String or JsonValueKind.Number ? at.ToString() : null;
        }

        /// <summary>The answer, when it has this status; else the walk ends here.</summary>
        public Reply Expect(HttpStatusCode status, string what) =>
            Status == status ? this : throw new DemoException($"{what}: {(int)status} was expected, and {(int)Status} came ({Text("reason") ?? "no reason"}: {Text("detail") ?? "no detail"}).");
    }
}
