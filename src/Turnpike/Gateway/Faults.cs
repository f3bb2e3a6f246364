using System.Globalization;
using Turnpike.Catalog;
using Turnpike.Storage;

namespace Turnpike.Gateway;

/// <summary>The last net: what nobody expected becomes a problem without a stack trace, and a line in the log.</summary>
internal sealed partial class Faults(RequestDelegate next, ILogger<Faults> log)
{
    public async Task InvokeAsync(HttpContext http)
    {
        try { await next(http); }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested) { /* the caller left */ }
        catch (BadHttpRequestException e) { await AnswerAsync(http, e.StatusCode == Reasons.BodyTooLarge.Status ? Reasons.BodyTooLarge : Reasons.MalformedRequest with { Status = e.StatusCode }); }
        catch (StorageUnavailableException e)
        {
            Log.StoreDown(log, e);
            await AnswerAsync(http, Reasons.StoreDown);
        }
        catch (Exception e)
        {
            Log.Failed(log, e);
            await AnswerAsync(http, Reasons.InternalError);
        }
    }

    /// <param name="retryAfter">Seconds, where coming back helps.</param>
    internal static async Task AnswerAsync(HttpContext http, Reason reason, int? retryAfter = null)
    {
        // Half an answer must not look like a whole one.
        if (http.Response.HasStarted) { http.Abort(); return; }
        http.Response.Clear();
        http.Response.Headers.CacheControl = "no-store";
        if (retryAfter is { } seconds) http.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        await Results.Problem(statusCode: reason.Status, title: reason.Title, type: reason.Type, extensions: new Dictionary<string, object?> { ["reason"] = reason.Code, ["hint"] = reason.Hint }).ExecuteAsync(http);
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Critical, Message = "A call could not be written down; its answer is withheld, or broken off where it had begun.")]
        public static partial void StoreDown(ILogger logger, Exception exception);

        [LoggerMessage(Level = LogLevel.Error, Message = "A call failed in a way nobody foresaw.")]
        public static partial void Failed(ILogger logger, Exception exception);
    }
}
