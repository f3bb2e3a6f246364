using System.Net;
using System.Text;
using Turnpike.Catalog;

namespace Turnpike.Billing.Export;

/// <summary>What every destination behind HTTP has in common: one guarded client, and what its answers mean.</summary>
internal abstract class HttpSink(HttpClients clients, Uri allowed, TimeSpan timeout) : IUsageSink
{
    private const int MostAnswer = 64 * 1024, MostTold = 300;
    private readonly HttpClient http = clients(allowed, timeout, MostAnswer);

    public abstract int Most { get; }

    public abstract ValueTask<Sent> SendAsync(IReadOnlyList<OutboxRow> batch, CancellationToken ct);

    public virtual void Dispose() => http.Dispose();

    /// <summary>Posts one body. No answer is no "no": it may have arrived.</summary>
    /// <param name="isCopy">Whether a refusal says that the receiver has it already.</param>
    protected async ValueTask<Sent> PostAsync(Uri to, byte[] body, string mediaType, Action<HttpRequestMessage> sign, Func<string, bool>? isCopy, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, to) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new(mediaType);
        sign(request);
        try
        {
            using var response = await http.SendAsync(request, ct);
            if (response.IsSuccessStatusCode) return new Sent.Accepted();
            var text = await response.Content.ReadAsStringAsync(ct);
            if (isCopy?.Invoke(text) == true) return new Sent.Accepted();
            return Judge(response, text);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or InvalidOperationException) { return new Sent.Later($"{to.Authority} does not answer: {e.Message}"); }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested) { return new Sent.Later($"{to.Authority} did not answer in time."); }
    }

    /// <summary>What is wrong with the event is refused for good; a key, an address or a limit is somebody's to mend, and everything waits for that.</summary>
    private static Sent Judge(HttpResponseMessage response, string text)
    {
        var told = $"{(int)response.StatusCode}: {Printable(text)}";
        return response.StatusCode switch
        {
            HttpStatusCode.BadRequest or HttpStatusCode.RequestEntityTooLarge or HttpStatusCode.UnprocessableEntity => new Sent.Refused(told),
            HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable => new Sent.Later(told, response.Headers.RetryAfter?.Delta),
            _ => new Sent.Later(told),
        };
    }

    private static string Printable(string text)
    {
        var told = new StringBuilder(text.Length < MostTold ? text.Length : MostTold);
        foreach (var c in text.AsSpan(0, Math.Min(text.Length, MostTold))) told.Append(char.IsControl(c) || char.IsSurrogate(c) ? ' ' : c);
        return told.ToString();
    }
}
