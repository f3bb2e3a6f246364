using System.Globalization;
using System.Net;
using Turnpike.Billing.Statements;
using Turnpike.Ledger;

namespace Turnpike.Billing.Invoices;

/// <summary>An invoice as its customer gets it: a page to print, or a table.</summary>
internal static class InvoicePage
{
    /// <param name="sandbox">It is test money: told on the page.</param>
    public static string Html(Invoice invoice, IReadOnlyList<CreditNote> notes, BillingFacts facts, IReadOnlyList<string> from, bool sandbox) => BuyPages.Frame($"Invoice {invoice.Name}", sandbox ? "Sandbox: test money" : null, $"""
        {(from.Count == 0 ? "" : $"<p>{string.Join("<br>", from.Select(Text))}</p>")}
        <p>To: <strong>{Text(facts.Name ?? invoice.Caller)}</strong>{string.Concat(new[] { facts.Line1, $"{facts.PostalCode} {facts.City}".Trim(), facts.Country, facts.TaxId }.Where(l => !string.IsNullOrEmpty(l)).Select(l => "<br>" + Text(l!)))}</p>
        <p>Period: {Day(invoice.Start)} to {Day(invoice.End)} (UTC){(invoice.Opened is { } opened ? $"<br>Sent: {Day(opened)}" : "")}{(invoice.Due is { } due ? $"<br>Due: {Day(due)}" : "")}<br>Status: {InvoiceStore.Text(invoice.Status).Replace('_', ' ')}</p>
        <table><caption>What was used</caption><thead><tr><th scope="col">What</th><th scope="col">Amount ({Text(invoice.Currency)})</th></tr></thead><tbody>
        {string.Concat(invoice.Lines.Select(l => Row(l.Text(invoice.Currency), new Money(l.Amount, invoice.Currency))))}
        {(invoice.Carried.IsZero ? "" : Row("Carried from the invoice before", invoice.Carried))}
        </tbody><tfoot>
        {(invoice.Forward.IsZero ? "" : Row("Carried to the next invoice", invoice.Forward with { Units = -invoice.Forward.Units }))}
        {(invoice.Tax.IsZero ? "" : Row("Tax", invoice.Tax))}
        {string.Concat(notes.Select(n => Row($"Credit note: {n.Reason}", n.Amount with { Units = -n.Amount.Units })))}
        {(invoice.Status == InvoiceStatus.Paid ? Row("Paid", invoice.Credited - invoice.Charged - invoice.Tax) : "")}
        {Row("To pay", invoice.ToPay)}
        </tfoot></table>
        {(invoice is { Url: { } url, Status: not (InvoiceStatus.Paid or InvoiceStatus.Void) } ? $"<p><a href=\"{Text(url)}\">Pay this invoice</a></p>" : "")}
        """);

    /// <summary>Where Stripe's page for its customer leads back to; it tells nothing of anybody, as whoever follows the link shows no key.</summary>
    public static string Back(bool sandbox) => BuyPages.Frame("Back from your billing page", sandbox ? "Sandbox: test money" : null, "<p>What you changed is kept. You can close this page; <code>GET /invoices</code> with your key tells how each invoice stands.</p>");

    public static string Csv(Invoice invoice)
    {
        var text = new System.Text.StringBuilder("invoice,caller,period_start,period_end,kind,of,calls,amount,currency\n");
        foreach (var line in invoice.Lines)
            text.Append(CultureInfo.InvariantCulture, $"{invoice.Name},{BookExport.Csv(invoice.Caller)},{invoice.Start:u},{invoice.End:u},{line.Kind},{BookExport.Csv(line.Of)},{line.Calls},{new Money(line.Amount, invoice.Currency).ToDecimal()},{invoice.Currency}\n");
        foreach (var (kind, amount) in ((string, Money)[])[("carried", invoice.Carried), ("forward", invoice.Forward with { Units = -invoice.Forward.Units }), ("tax", invoice.Tax)])
            if (!amount.IsZero) text.Append(CultureInfo.InvariantCulture, $"{invoice.Name},{BookExport.Csv(invoice.Caller)},{invoice.Start:u},{invoice.End:u},{kind},,0,{amount.ToDecimal()},{invoice.Currency}\n");
        return text.ToString();
    }

    private static string Row(string what, Money amount) => $"<tr><td>{Text(what)}</td><td>{amount.ToDecimal()}</td></tr>\n";

    private static string Day(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
