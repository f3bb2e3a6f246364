using System.Net;
using Turnpike.Tokens;

namespace Turnpike.Billing;

/// <summary>The checkout's two pages: plain forms, no scripts, nothing from elsewhere; every one says that the money is test money.</summary>
internal static class SandboxPages
{
    public const string Notice = "TEST MONEY: nothing is charged, and what is bought is worth nothing elsewhere.";

    /// <param name="error">Why the last order was refused, or null.</param>
    public static string Form(SandboxWare ware, string? error) => Page($"Buy {ware.Operation.Name}", $"""
        <p>{Text(ware.Operation.Description ?? ware.Operation.Name)}: <strong>{Text(ware.Price.ToString())}</strong> per call.</p>
        {(error is null ? "" : $"<p role=\"alert\">{Text(error)}</p>")}
        <form method="post" action="/buy/{Uri.EscapeDataString(ware.Operation.Name)}">
        <p><label for="budget">How much may the token spend, in {Text(ware.Price.Currency)}?</label><br>
        <input id="budget" name="budget" inputmode="decimal" required autocomplete="off" value="{ware.Usual.ToDecimal()}" aria-describedby="bounds">
        <small id="bounds">{Text(ware.Bounds)}</small></p>
        <p><button type="submit">Buy with test money</button></p>
        </form>
        """);

    public static string Sold(SandboxWare ware, Token token, string text) => Page("Your token", $"""
        <p>It pays {Text(token.Budget.ToString())} of calls to <code>{Text(ware.Operation.Name)}</code> until {token.Expires:u}. Keep it: it is not shown again.</p>
        <p><label for="token">Token</label><br><input id="token" readonly size="80" value="{Text(text)}"></p>
        <p>Send it with each call:</p>
        <pre><code>Authorization: Bearer {Text(text)}</code></pre>
        <p>What is left: <code>curl -H 'Authorization: Bearer {Text(text)}' {Text(ware.Gateway.GetLeftPart(UriPartial.Authority))}/balance</code></p>
        <p><a href="/buy/{Uri.EscapeDataString(ware.Operation.Name)}">Buy another</a></p>
        """);

    private static string Page(string title, string body) => BuyPages.Frame(title, Notice, body);

    private static string Text(string value) => WebUtility.HtmlEncode(value);
}
