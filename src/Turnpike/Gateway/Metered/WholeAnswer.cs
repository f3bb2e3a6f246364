using Turnpike.Catalog;

namespace Turnpike.Gateway.Metered;

/// <summary>An answer that is looked at as a whole before its first byte leaves.</summary>
internal static class WholeAnswer
{
    /// <summary>Reads it, and puts what was read in its place. No body: it is larger than <paramref name="most"/>; a refusal: it did not come.</summary>
    /// <param name="ct">Ends an answer that does not go on, too.</param>
    public static async ValueTask<(byte[]? Body, Refusal? Broken)> ReadAsync(HttpContext http, HttpResponseMessage upstream, int most, CancellationToken ct)
    {
        try
        {
            if (await ReadAsync(upstream.Content, most, ct) is not { } body) return (null, null);
            var content = new ByteArrayContent(body);
            foreach (var (name, values) in upstream.Content.Headers.NonValidated) content.Headers.TryAddWithoutValidation(name, values);
            upstream.Content = content;
            return (body, null);
        }
        catch (OperationCanceledException) when (!http.RequestAborted.IsCancellationRequested) { return (null, new Refusal(Reasons.UpstreamTimeout, "It began to answer and did not go on.")); }
        catch (InvalidDataException) { return (null, new Refusal(Reasons.UpstreamFailed, "It is not compressed as it says it is.")); }
        catch (Exception e) when (e is IOException or HttpRequestException) { return (null, new Refusal(Reasons.UpstreamFailed, "It broke off before it had answered.")); }
    }

    public static bool IsJson(HttpResponseMessage upstream) =>
        upstream.Content.Headers.ContentType?.MediaType is { } type && (type.EndsWith("/json", StringComparison.OrdinalIgnoreCase) || type.EndsWith("+json", StringComparison.OrdinalIgnoreCase));

    private static async ValueTask<byte[]?> ReadAsync(HttpContent content, int most, CancellationToken ct)
    {
        await using var stream = await content.ReadAsStreamAsync(ct);
        using var body = new MemoryStream();
        var buffer = new byte[16 * 1024];
        for (int read; (read = await stream.ReadAsync(buffer, ct)) > 0;)
        {
            if (body.Length + read > most) return null;
            body.Write(buffer, 0, read);
        }
        return body.ToArray();
    }
}
