namespace Turnpike.Client;

/// <summary>A request as it was first sent, so that it can be sent again to the letter.</summary>
internal sealed class KeptRequest
{
    private readonly HttpMethod method;
    private readonly Version version;
    private readonly HttpVersionPolicy policy;
    private readonly List<KeyValuePair<string, IEnumerable<string>>> headers;
    private readonly List<KeyValuePair<string, IEnumerable<string>>> contentHeaders;
    private readonly byte[]? body;

    private KeptRequest(HttpRequestMessage request, byte[]? body)
    {
        (method, version, policy, Url, this.body) = (request.Method, request.Version, request.VersionPolicy, request.RequestUri!, body);
        headers = [.. request.Headers.NonValidated.Select(Copy)];
        contentHeaders = [.. request.Content?.Headers.NonValidated.Select(Copy) ?? []];
    }

    public Uri Url { get; }

    /// <summary>Reads the body into memory, where the original can be sent from as well. Throws <see cref="HttpRequestException"/> when it is larger than allowed.</summary>
    public static async Task<KeptRequest> OfAsync(HttpRequestMessage request, long mostBody, CancellationToken ct)
    {
        if (request.Content is null) return new KeptRequest(request, null);
        await request.Content.LoadIntoBufferAsync(mostBody, ct);
        return new KeptRequest(request, await request.Content.ReadAsByteArrayAsync(ct));
    }

    /// <summary>The request once more, with these headers in place of any of their names.</summary>
    public HttpRequestMessage Again(IReadOnlyList<KeyValuePair<string, string>> replacing)
    {
        var request = new HttpRequestMessage(method, Url) { Version = version, VersionPolicy = policy };
        foreach (var (name, values) in headers)
            if (!replacing.Any(each => each.Key.Equals(name, StringComparison.OrdinalIgnoreCase))) request.Headers.TryAddWithoutValidation(name, values);
        foreach (var (name, value) in replacing) request.Headers.TryAddWithoutValidation(name, value);
        if (body is null) return request;
        request.Content = new ByteArrayContent(body);
        foreach (var (name, values) in contentHeaders) request.Content.Headers.TryAddWithoutValidation(name, values);
        return request;
    }

    private static KeyValuePair<string, IEnumerable<string>> Copy(KeyValuePair<string, System.Net.Http.Headers.HeaderStringValues> header) => new(header.Key, [.. header.Value]);
}
