using System.Diagnostics;

namespace Turnpike.Telemetry;

/// <summary>Spans inside a call. They cost nothing until somebody listens.</summary>
internal static class Tracing
{
    public const string SourceName = "turnpike";

    private static readonly ActivitySource Source = new(SourceName);

    /// <summary>A step of the call in progress, to be disposed at its end.</summary>
    public static Activity? Start(string step, string method) => Source.StartActivity(step)?.SetTag("turnpike.method", method);

    /// <summary>
    /// W3C trace context for the upstream: this call's own span where one is recorded, else what the caller sent stays as it is.
    /// The span carries the correlation, so that a trace leads to the audit trail and back, and the caller's own name for the request.
    /// </summary>
    public static void PassOn(HttpRequestMessage request, string operation, string correlation, string? callersName)
    {
        if (!Source.HasListeners() || Activity.Current is not { IdFormat: ActivityIdFormat.W3C, Id: { } id, Recorded: true } span) return;
        span.SetTag("turnpike.operation", operation).SetTag("turnpike.correlation", correlation);
        if (callersName is { Length: > 0 and <= 128 }) span.SetTag("http.request.header.x-request-id", callersName);
        request.Headers.Remove("traceparent");
        request.Headers.TryAddWithoutValidation("traceparent", id);
    }
}
