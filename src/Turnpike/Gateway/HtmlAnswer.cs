using System.Net;
using System.Text;
using Turnpike.Catalog;
using Turnpike.Payments;

namespace Turnpike.Gateway;

/// <summary>A refusal for eyes: the same facts as the problem body, on one static page without scripts or outside resources.</summary>
internal static class HtmlAnswer
{
    public static Task WriteAsync(HttpContext http, Call call, Refusal refusal, IReadOnlyList<Offer> offers)
    {
        var bytes = Encoding.UTF8.GetBytes(Page(call, refusal, offers));
        http.Response.ContentType = "text/html; charset=utf-8";
        http.Response.Headers.ContentSecurityPolicy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
        http.Response.Headers.XContentTypeOptions = "nosniff";
        http.Response.ContentLength = bytes.Length;
        return HttpMethods.IsHead(http.Request.Method) ? Task.CompletedTask : http.Response.Body.WriteAsync(bytes, 0, bytes.Length);
    }

    private static string Page(Call call, Refusal refusal, IReadOnlyList<Offer> offers)
    {
        var page = new StringBuilder($"""
            <!doctype html>
            <html lang="en">
            <head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{Text(refusal.Reason.Title)}</title>
            <style>body{"{"}font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem{"}"}td,th{"{"}text-align:left;padding:.2rem 1rem .2rem 0;overflow-wrap:anywhere{"}"}code{"{"}font-size:.9em{"}"}</style></head>
            <body><main>
            {(call.Catalog.Gateway.Sandbox ? "<p><strong>SANDBOX: test money may be sold here, and is worth nothing elsewhere.</strong></p>" : "")}
            <h1>{Text(refusal.Reason.Title)}</h1>
            <p>{Text(refusal.Detail)}</p>
            <p>{Text(refusal.Reason.Hint)}</p>

            """);
        if (call.Quote is { } quote && refusal.Reason.Status == 402)
            page.Append($"<p><strong>{Text(quote.Ceiling.ToString())}</strong> per {Text(quote.Unit)} for <code>{Text(call.RequestLine)}</code>{(call.Operation.Description is { } d ? ": " + Text(d) : "")}</p>\n");
        if (offers.Count > 0)
        {
            page.Append("<table><caption>Ways to pay</caption><thead><tr><th>Protocol</th><th>Method</th><th>Network</th><th>Amount</th><th>Send</th></tr></thead><tbody>\n");
            foreach (var offer in offers)
                page.Append($"<tr><td>{Text(offer.Protocol)}</td><td>{Text(offer.Method)}</td><td>{Text(offer.Network ?? "")}</td><td>{Text(offer.Amount)} {Text(offer.Currency)}</td><td><code>{Text(offer.Send.Header)}</code></td></tr>\n");
            page.Append("</tbody></table>\n");
            foreach (var url in offers.Select(o => o.Url).OfType<string>().Distinct()) page.Append($"<p><a href=\"{Text(url)}\">Buy a token for this</a></p>\n");
        }
        return page.Append($"<p><small>reason <code>{Text(refusal.Reason.Code)}</code>, correlation <code>{Text(call.Correlation)}</code></small></p>\n</main></body></html>\n").ToString();
    }

    private static string Text(string value) => WebUtility.HtmlEncode(value);
}
