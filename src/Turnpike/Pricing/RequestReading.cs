using Turnpike.Catalog;
using Turnpike.Metering;
using Turnpike.Metering.Requests;

namespace Turnpike.Pricing;

/// <summary>Reads the body of a metered call, once, for what bounds it: model, maximum, size.</summary>
internal static class RequestReading
{
    /// <summary>Null, or why the request cannot be metered.</summary>
    public static async ValueTask<Answer?> ReadAsync(Call call, MeteredCall metered, IReadOnlyList<string>? model, CancellationToken ct)
    {
        if (call.ReadBody is null) return model is null ? null : new Refusal(Reasons.MalformedRequest, "A JSON body is wanted.");
        // What is compressed could not be read here, and would not be forwarded as it came.
        if (call.Headers.ContentEncoding is { Count: > 0 } coding && coding != "identity") return new Refusal(Reasons.MalformedRequest, "Send the body without Content-Encoding.");
        var body = await call.ReadBody(ct);
        metered.RequestBytes = body.Length;
        // Uploads (audio, images as forms) name their model in a form that is not read; a price by model does not go with them.
        if (model is null && !IsJson(call)) return null;
        if (JsonRequest.Read(body, metered.Settings.Format, model, out var wrong) is not { } request) return new Refusal(Reasons.MalformedRequest, wrong);
        if (request.IsDeferred) return new Refusal(Reasons.MalformedRequest, "Answers in the background are not sold here: leave 'background' out.");
        metered.Request = request;
        return null;
    }

    private static bool IsJson(Call call) => call.Headers.ContentType.ToString() is var type && (type.Length == 0 || type.Contains("json", StringComparison.OrdinalIgnoreCase));
}
