using Turnpike.Catalog;
using Turnpike.Metering;
using Turnpike.Metering.Requests;

namespace Turnpike.Pricing.Requests;

/// <summary>Reads the body of a metered call, once, for what bounds it: model, maximum, size.</summary>
internal static class RequestReading
{
    /// <summary>Where requests name their model when no price asks for it: limits and plans may.</summary>
    private static readonly string[] Usual = ["model"];

    /// <summary>Transcriptions that are nothing but their text.</summary>
    private static readonly string[] Silent = ["text", "srt", "vtt"];

    /// <summary>Null, or why the request cannot be metered.</summary>
    public static async ValueTask<Answer?> ReadAsync(Call call, MeteredCall metered, PriceModel.Metered? price, CancellationToken ct)
    {
        var model = price?.By;
        var needsBody = model is { Segment: null };
        metered.Asked = model?.In(call, metered.Settings);
        if (metered.Settings.Format.IsDeferred(call.Target.Path)) return new Refusal(Reasons.MalformedRequest, "Answers at another time are not sold here.");
        if (call.ReadBody is null) return needsBody ? new Refusal(Reasons.MalformedRequest, "A JSON body is wanted.") : null;
        // What is compressed could not be read here, and would not be forwarded as it came.
        if (call.Headers.ContentEncoding is { Count: > 0 } coding && coding != "identity") return new Refusal(Reasons.MalformedRequest, "Send the body without Content-Encoding.");
        var body = await call.ReadBody(ct);
        metered.RequestBytes = body.Length;
        var type = call.Headers.ContentType.ToString();
        // Uploads (audio, images) name their model in a field of a form.
        if ((needsBody || !BeginsObject(body.Span)) && FormFields.BoundaryOf(type) is { } boundary) return price is null ? null : OfForm(metered, body, boundary, price);
        if (!needsBody && !IsJson(type) && !BeginsObject(body.Span)) return null;
        if (JsonRequest.Read(body, metered.Settings.Format, call.Target.Path, needsBody ? model!.Body : model is null ? Usual : null, out var wrong) is not { } request) return new Refusal(Reasons.MalformedRequest, wrong);
        if (request.IsDeferred) return new Refusal(Reasons.MalformedRequest, "Answers in the background are not sold here: leave 'background' out.");
        metered.Request = request;
        metered.Asked ??= request.Model;
        return null;
    }

    private static Refusal? OfForm(MeteredCall metered, ReadOnlyMemory<byte> body, string boundary, PriceModel.Metered price)
    {
        if (price.By is { Segment: null } model)
        {
            if (!FormFields.TryFind(body.Span, boundary, string.Join('.', model.Body), out var named)) return new Refusal(Reasons.MalformedRequest, "The body is no sound form, or names its model twice.");
            metered.Asked = named;
        }
        // Whoever chose such an answer would pay nothing for it.
        if (price.Models.Values.Any(card => card.Priced.Any(metered.Settings.Format.Tells)) && (!FormFields.TryFind(body.Span, boundary, "response_format", out var wanted) || wanted is not null && Silent.Contains(wanted.Trim(), StringComparer.OrdinalIgnoreCase)))
            return new Refusal(Reasons.MalformedRequest, "An answer in this 'response_format' does not tell what it used, and is not sold here: ask for json.");
        return null;
    }

    /// <summary>Many servers read JSON whatever it is called.</summary>
    private static bool BeginsObject(ReadOnlySpan<byte> body) => body.TrimStart(" \t\r\n"u8) is [(byte)'{', ..];

    private static bool IsJson(string type) => type.Length == 0 || type.Contains("json", StringComparison.OrdinalIgnoreCase);
}
