using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Catalog.Document;
using Turnpike.Payments;
using Turnpike.Pricing;
using Turnpike.Telemetry;

namespace Turnpike.Gateway.Metered;

/// <summary>
/// How a metered answer leaves: as it comes, charged when it has ended; or, when it is counted in records or is short anyway, charged
/// from what was read of it before its first byte leaves, so that its cost stands in a header.
/// </summary>
internal static class MeteredAnswer
{
    private const int MostWithheld = 8 * 1024 * 1024, Short = 64 * 1024;

    /// <summary>Null when the answer may leave.</summary>
    public static async ValueTask<Answer?> BeginAsync(HttpContext http, HttpResponseMessage upstream, Payment payment, Cashier cashier, CancellationToken ct)
    {
        var quote = payment.Call.Quote as MeteredQuote;
        var readable = !payment.Call.Metered!.Reads || ReadableAnswer.TryMake(upstream);
        if (!readable && await TellUnreadableAsync(http, upstream, payment) is { } refused) return refused;
        var withholds = quote is { Price.Withholds: true };
        // A price without usage to wait for is collected as ever; beside it the answer's use is counted.
        if (quote is null && payment.State is not null && !payment.IsPaid && await cashier.CollectAsync(payment) is { } unpaid) return unpaid;
        var meter = AnswerMeter.Begin(http, upstream, payment, cashier, readable);
        if (quote is null || !withholds && (!meter.Reader.MayBeWhole || upstream.Content.Headers.ContentLength is not < Short)) return null;
        var (body, broken) = await WholeAnswer.ReadAsync(http, upstream, withholds ? MostWithheld : Short, ct);
        if (broken is not null) return broken;
        if (body is null) return new Refusal(Reasons.AnswerAboveCeiling, $"It is larger than {MostWithheld} bytes, and cannot be counted.");
        // Whoever asks for another format would get the records uncounted.
        if (withholds && body.Length > 0 && !WholeAnswer.IsJson(upstream)) return new Refusal(Reasons.UpstreamFailed, "It is no JSON, and its records cannot be counted.");
        for (var at = 0; at < body.Length;) at += meter.Reader.Read(body.AsSpan(at), out _);
        meter.End();
        meter.Passed = body.Length;
        if (withholds && quote.Charge(payment.Call.Metered!.Usage) is var charge && charge > payment.Ceiling)
            return new Refusal(Reasons.AnswerAboveCeiling, $"It costs {charge}; this call may cost {payment.Ceiling}.");
        return await cashier.CollectAsync(payment);
    }

    /// <summary>What is charged by its use is not sold unread; any other answer passes as it came, and the owner hears that it was not counted.</summary>
    private static async ValueTask<Refusal?> TellUnreadableAsync(HttpContext http, HttpResponseMessage upstream, Payment payment)
    {
        var call = payment.Call;
        var detail = $"The answer is compressed as '{Reading.Shown(string.Join(", ", upstream.Content.Headers.ContentEncoding))}', though nobody asked for that, and could not be read.";
        await http.RequestServices.GetRequiredService<IAuditTrail>().RecordAsync(call.Event(AuditKinds.Untold, payer: payment.Payer) with { Detail = detail }, CancellationToken.None);
        Instruments.Alarmed(call.Operation.Name, AuditKinds.Untold);
        return call.Quote is MeteredQuote ? new Refusal(Reasons.UpstreamFailed, "It is compressed in a way that cannot be read here, though nobody asked for that.") : null;
    }

    /// <summary>Puts the meter between the upstream and the caller.</summary>
    public static void Install(HttpContext http, HttpResponseMessage upstream)
    {
        if (!AnswerMeter.TryOf(http, out var meter) || meter.HasEnded) return;
        // A chunk may be kept back, and the end may come sooner.
        if (meter.Frames) http.Response.ContentLength = null;
        upstream.Content = new MeteredContent(upstream.Content, meter);
    }
}
