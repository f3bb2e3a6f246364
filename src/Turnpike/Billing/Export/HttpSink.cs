using Turnpike.Catalog;
using Turnpike.Catalog.Webhooks;

namespace Turnpike.Billing.Export;

/// <summary>What every destination behind HTTP has in common: one guarded client, and what its answers mean.</summary>
internal abstract class HttpSink(HttpClients clients, Uri allowed, TimeSpan timeout) : IUsageSink
{
    private const int MostAnswer = 64 * 1024;
    private readonly HttpClient http = clients(allowed, timeout, MostAnswer);

    public abstract int Most { get; }

    public abstract ValueTask<Sent> SendAsync(IReadOnlyList<OutboxRow> batch, CancellationToken ct);

    public void Dispose() => http.Dispose();

    /// <summary>Posts one body.</summary>
    /// <param name="isCopy">Whether a refusal says that the receiver has it already.</param>
    protected async ValueTask<Sent> PostAsync(Uri to, byte[] body, string mediaType, Action<HttpRequestMessage> sign, Func<string, bool>? isCopy, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, to) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new(mediaType);
        sign(request);
        return await Posting.PostAsync(http, request, isCopy, ct);
    }
}
