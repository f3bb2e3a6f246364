using System.Net;
using System.Text;

namespace Turnpike.Catalog.Webhooks;

/// <summary>Posts to a receiver the owner named, and says what its answer means.</summary>
internal static class Posting
{
    private const int MostTold = 300, MostRead = 64 * 1024;

    /// <summary>No answer is no "no": it may have arrived.</summary>
    /// <param name="isCopy">Whether a refusal says that the receiver has it already.</param>
    public static async ValueTask<Sent> PostAsync(HttpClient http, HttpRequestMessage request, Func<string, bool>? isCopy, CancellationToken ct)
    {
        var to = request.RequestUri!.Authority;
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
            limit.CancelAfter(http.Timeout);
            // A yes is one from its first line on, whatever is said beside it: to ask again would tell it twice.
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
            if (response.IsSuccessStatusCode) return new Sent.Accepted();
            var text = await ReadAsync(response, limit.Token);
            if (isCopy?.Invoke(text) == true) return new Sent.Accepted();
            return Judge(response, text);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or InvalidOperationException) { return new Sent.Later($"{to} does not answer: {e.Message}"); }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested) { return new Sent.Later($"{to} did not answer in time."); }
    }

    private static async ValueTask<string> ReadAsync(HttpResponseMessage response, CancellationToken ct)
    {
        var buffer = new byte[MostRead];
        await using var body = await response.Content.ReadAsStreamAsync(ct);
        return Encoding.UTF8.GetString(buffer, 0, await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, ct));
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
