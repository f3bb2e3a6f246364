using System.Net;
using Turnpike.Billing.Automatic;
using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Tokens;

namespace Turnpike.Billing;

/// <summary>The pages of the checkout: plain forms, no scripts, nothing from elsewhere.</summary>
internal static class BuyPages
{
    /// <param name="notice">Told above all else; null: nothing.</param>
    public static string Frame(string title, string? notice, string body) => $$"""
        <!doctype html>
        <html lang="en">
        <head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{Text(title)}}</title>
        <style>body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem}.notice,[role=alert]{border:2px solid #8a5a00;background:#fff4d6;color:#3a2600;padding:.5rem 1rem}input,button{font:inherit;padding:.3rem .5rem;max-width:100%}code{font-size:.9em;overflow-wrap:anywhere}pre{white-space:pre-wrap}fieldset{margin:1rem 0}</style></head>
        <body><main>
        {{(notice is null ? "" : $"<p class=\"notice\"><strong>{Text(notice)}</strong></p>")}}
        <h1>{{Text(title)}}</h1>
        {{body}}
        </main></body></html>

        """;

    /// <param name="error">Why the last order was refused, or null.</param>
    public static string Form(BundleWare ware, string? error) => Frame($"Buy {ware.Operation.Name}", ware.Notice, $"""
        <p>{Text(ware.Operation.Description ?? ware.Operation.Name)}{(ware.PerCall is { } price ? $": <strong>{Text(price.ToString())}</strong> per call" : "")}.</p>
        {(error is null ? "" : $"<p role=\"alert\">{Text(error)}</p>")}
        <form method="post" action="/buy/{Uri.EscapeDataString(ware.Operation.Name)}">
        <fieldset><legend>What do you want to buy?</legend>
        {string.Concat(ware.Bundles.Select((bundle, i) => $"<p><input type=\"radio\" name=\"bundle\" id=\"bundle-{i + 1}\" value=\"{i + 1}\" required{(i == 0 ? " checked" : "")}> <label for=\"bundle-{i + 1}\">{Text(Told(bundle))}</label></p>"))}
        </fieldset>
        <p><label for="token">Top up a token you have (leave empty for a new one)</label><br><input id="token" name="token" size="60" autocomplete="off"></p>
        {TopUpPages.Fields(ware)}
        <p><button type="submit">Continue to payment</button></p>
        </form>
        """);

    public static string Sold(BundleWare ware, Purchase order, Token token, Money left, string? text, Money? back, MandateView? automatic = null) => Frame(order.TopUp ? "Your token was topped up" : "Your token", ware.Notice, $"""
        <p>{Text(left.ToString())} is left for calls to <code>{Text(ware.Operation.Name)}</code>{(token.Expires is { } expires ? $" until {expires:u}" : "")}.</p>
        {(back is null ? "" : $"<p>{Text(back.Value.ToString())} of the {Text(order.Price.ToString())} you paid went back to you.</p>")}
        {token.Status switch { TokenStatus.Frozen => "<p role=\"alert\">It cannot be spent now: its payment is disputed, or somebody looks into it.</p>", TokenStatus.Revoked => "<p role=\"alert\">It has ended and cannot be spent any more.</p>", _ => "" }}
        {(text is null ? "" : $"""
        <p>Keep it: this page shows it again at most {TokenSale.MostShown} times within {TokenSale.ShownFor.Days} days.</p>
        <p><label for="token">Token</label><br><input id="token" readonly size="80" value="{Text(text)}"></p>
        <p>Send it with each call:</p>
        <pre><code>curl -H 'Authorization: Bearer {Text(text)}' {Text(ware.CallUrl)}</code></pre>
        <form method="post" action="/buy/{Uri.EscapeDataString(ware.Operation.Name)}/rotate"><input type="hidden" name="session_id" value="{Text(order.Session!)}">
        <p>Has somebody else seen it? <button type="submit">Replace it by a new one</button></p></form>
        """)}
        {TopUpPages.Section(automatic)}
        <p><a href="/buy/{Uri.EscapeDataString(ware.Operation.Name)}">Buy more</a></p>
        """);

    public static string Waiting(BundleWare ware) => Frame("Waiting for the payment", ware.Notice, $"<p>The payment for <code>{Text(ware.Operation.Name)}</code> has not arrived yet. Reload this page in a moment; nothing is lost if you close it.</p>");

    public static string Gone(BundleWare ware, string why) => Frame("Not shown", ware.Notice, $"<p>{Text(why)}</p>");

    /// <summary>A bundle in one line.</summary>
    public static string Told(Bundle bundle) =>
        $"{bundle.Price}: {bundle.Budget} of calls{(bundle.Calls is { } calls ? $", at most {calls}" : "")}{(bundle.Valid is { } valid ? $", for {Catalog.Document.Shapes.Tell(valid)}" : "")}";

    private static string Text(string value) => WebUtility.HtmlEncode(value);
}
