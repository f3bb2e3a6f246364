using System.Net;

namespace Turnpike.Billing.Automatic;

/// <summary>The pages' part about automatic top-ups: plain forms, every consent in full words.</summary>
internal static class TopUpPages
{
    /// <summary>What an order may agree to; nothing is ticked beforehand.</summary>
    public static string Fields(BundleWare ware) => ware.Automatic is not { } most ? "" : $"""
        <fieldset><legend>Top it up by itself (optional)</legend>
        <p><input type="checkbox" name="automatic" id="automatic" value="yes" aria-describedby="automatic-told"> <label for="automatic">Charge me for the same again, without asking, whenever little is left</label></p>
        <p><label for="below">When less than this is left ({Text(most.Currency)})</label><br><input id="below" name="below" inputmode="decimal" autocomplete="off"></p>
        <p><label for="monthly">At most in a calendar month ({Text(most.Currency)}, up to {most.ToDecimal()})</label><br><input id="monthly" name="monthly" inputmode="decimal" autocomplete="off"></p>
        <p><small id="automatic-told">Your way to pay is kept for it. You see it, and switch it off, on the page that shows your token.</small></p>
        </fieldset>
        """;

    /// <summary>What is agreed, at the till and before it is paid.</summary>
    public static string Asked(Mandate? mandate) => mandate is null ? "" : $"<p class=\"notice\">You agree: {Text(mandate.Terms.Told)}</p>";

    /// <summary>How it stands, where the token is shown.</summary>
    public static string Section(MandateView? view) => view is null ? "" : $"""
        <section><h2>Automatic top-up: {Text(view.Status == "asked" ? "being set up" : view.Status)}</h2>
        <p>{Text(view.Mandate.Terms.Told)}</p>
        {(view.Because is { } because ? $"<p role=\"alert\">{Text(because)}</p>" : "")}
        <p><a href="{Text(view.Page)}">See what was charged, change or end it</a></p></section>
        """;

    public static string Page(BundleWare ware, MandateView view, string? error) => BuyPages.Frame("Automatic top-up", ware.Notice, $"""
        <p>For calls to <code>{Text(ware.Operation.Name)}</code>: <strong>{Text(view.Status)}</strong>.</p>
        <p>{Text(view.Mandate.Terms.Told)}</p>
        {(error ?? view.Because) switch { { } told => $"<p role=\"alert\">{Text(told)}</p>", null => "" }}
        <p>{Text(view.Charged.ToString())} of {Text(view.Mandate.Terms.Monthly.ToString())} charged this month.</p>
        {(view.Charges.Count == 0 ? "" : $"<table><caption>Charges</caption><thead><tr><th scope=\"col\">When</th><th scope=\"col\">Amount</th><th scope=\"col\">What became of it</th></tr></thead><tbody>{string.Concat(view.Charges.Select(c => $"<tr><td>{c.Created:u}</td><td>{Text(c.Price.ToString())}</td><td>{(c.Status switch { PurchaseStatus.Paid => "paid", PurchaseStatus.Ended => "not charged", _ => "being charged" })}</td></tr>"))}</tbody></table>")}
        {(view.Mandate.Status == MandateStatus.Ended ? "" : $"""
        <form method="post" action="/buy/{Uri.EscapeDataString(ware.Operation.Name)}/automatic"><input type="hidden" name="id" value="{Text(view.Mandate.Id)}">
        <p>{(view.Mandate.Status == MandateStatus.Paused ? $"<button type=\"submit\" name=\"action\" value=\"pay\">Pay {Text(view.Mandate.Terms.Price.ToString())} now and go on</button> <button type=\"submit\" name=\"action\" value=\"resume\">Try again as before</button> " : "")}<button type="submit" name="action" value="end">Switch it off</button></p></form>
        """)}
        """);

    private static string Text(string value) => WebUtility.HtmlEncode(value);
}
