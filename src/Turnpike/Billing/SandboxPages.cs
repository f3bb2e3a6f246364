using System.Net;

namespace Turnpike.Billing;

/// <summary>The sandbox's pages: plain forms, no scripts, nothing from elsewhere; every one says that the money is test money.</summary>
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
        <p><label for="token">Top up a token you have (leave empty for a new one)</label><br><input id="token" name="token" size="60" autocomplete="off"></p>
        <p><button type="submit">Continue to payment</button></p>
        </form>
        """);

    /// <summary>Our own till, where a real checkout has its payment page.</summary>
    /// <param name="declined">It was tried with the card that is declined.</param>
    public static string Till(BundleWare ware, Purchase order, Automatic.Mandate? automatic, bool declined = false) => Page("Pay with test money", $"""
        {(declined ? "<p role=\"alert\">The test card was declined. Nothing was charged; the order waits here.</p>" : "")}
        <p>You are about to pay <strong>{Text(order.Price.ToString())}</strong> of test money for <strong>{Text(order.Budget.ToString())}</strong> of calls to <code>{Text(ware.Operation.Name)}</code>{(order.TopUp ? ", added to the token you have" : "")}.</p>
        {Automatic.TopUpPages.Asked(automatic)}
        <form method="post" action="/buy/{Uri.EscapeDataString(ware.Operation.Name)}/till"><input type="hidden" name="session_id" value="{Text(order.Session!)}">
        <p><button type="submit" name="pay" value="yes">Pay {Text(order.Price.ToString())} of test money</button> <button type="submit" name="pay" value="declined">Pay with a test card that is declined</button> <button type="submit" name="pay" value="no">Cancel</button></p>
        </form>
        """);

    private static string Page(string title, string body) => BuyPages.Frame(title, Notice, body);

    private static string Text(string value) => WebUtility.HtmlEncode(value);
}
