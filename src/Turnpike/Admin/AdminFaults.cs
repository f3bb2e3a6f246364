using System.Text.Json;
using Turnpike.Storage;

namespace Turnpike.Admin;

/// <summary>Every error of the Admin API is a problem: bad JSON, paths that are not there, and what nobody foresaw, without a stack trace.</summary>
internal sealed partial class AdminFaults(RequestDelegate next, ILogger<AdminFaults> log)
{
    private const string Unread = "A parameter cannot be read, or the body is missing.";

    public async Task InvokeAsync(HttpContext http)
    {
        http.Response.Headers.CacheControl = "no-store";
        try
        {
            await next(http);
            if (http.Response is { HasStarted: false, StatusCode: >= 400, ContentType: null, ContentLength: null }) await BareAsync(http, http.Response.StatusCode);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested) { /* the operator left */ }
        catch (BadHttpRequestException e)
        {
            await AnswerAsync(http, AdminProblem.Of(e.StatusCode, "malformed-request", "The request is malformed", Told(e)));
        }
        catch (StorageException e)
        {
            Log.Failed(log, e);
            await AnswerAsync(http, AdminProblem.Of(503, "store-down", "The books cannot be written", "Nothing was changed. See the gateway's log."));
        }
        catch (Exception e)
        {
            Log.Failed(log, e);
            await AnswerAsync(http, AdminProblem.Of(500, "internal-error", "Something went wrong", "See the gateway's log."));
        }
    }

    /// <summary>Where the JSON is wrong, not what a value was: a body may hold what belongs into no answer.</summary>
    private static string Told(BadHttpRequestException e) => e.InnerException is JsonException json
        ? $"The JSON is wrong at {(string.IsNullOrEmpty(json.Path) ? "$" : json.Path)}, line {json.LineNumber + 1}."
        : e.StatusCode == 413 ? "The body is too large." : Unread;

    private static Task BareAsync(HttpContext http, int status) => (status switch
    {
        400 => AdminProblem.Of(400, "malformed-request", "The request is malformed", Unread),
        404 => AdminProblem.Of(404, "not-found", "There is nothing at this path", "See /admin/v1/openapi.json."),
        405 => AdminProblem.Of(405, "method-not-allowed", "This path does not take that method", "See the Allow header."),
        415 => AdminProblem.Of(415, "malformed-request", "The body is not JSON", "Send it as application/json."),
        _ => AdminProblem.Of(status, "refused", "The request is refused"),
    }).ExecuteAsync(http);

    private static async Task AnswerAsync(HttpContext http, IResult problem)
    {
        if (http.Response.HasStarted) { http.Abort(); return; }
        http.Response.Clear();
        http.Response.Headers.CacheControl = "no-store";
        await problem.ExecuteAsync(http);
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Error, Message = "A request of an operator failed.")]
        public static partial void Failed(ILogger logger, Exception exception);
    }
}
