using System.Text.Json;
using Turnpike.Billing.Invoices;
using Turnpike.Ledger;

namespace Turnpike.Billing.Owned;

/// <summary>An invoice as its customer is told of it: what it owes and why, and nothing of how it is collected.</summary>
internal static class OwnInvoice
{
    /// <param name="next">What stands on account and is not on an invoice yet, by the end of its period.</param>
    public static void Write(Utf8JsonWriter json, IReadOnlyList<Invoice> invoices, IReadOnlyList<(DateTimeOffset End, Money Amount)> next)
    {
        json.WriteStartObject();
        json.WriteStartArray("invoices");
        foreach (var invoice in invoices)
        {
            json.WriteStartObject();
            Head(json, invoice);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("unbilled");
        foreach (var (end, amount) in next)
        {
            json.WriteStartObject();
            json.WriteString("amount", amount.ToDecimal());
            json.WriteString("currency", amount.Currency);
            json.WriteString("end", end);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    public static void Write(Utf8JsonWriter json, Invoice invoice, IReadOnlyList<CreditNote> notes)
    {
        json.WriteStartObject();
        Head(json, invoice);
        json.WriteStartArray("lines");
        foreach (var line in invoice.Lines)
        {
            json.WriteStartObject();
            json.WriteString("kind", line.Kind);
            json.WriteString("of", line.Of);
            json.WriteNumber("calls", line.Calls);
            json.WriteStartObject("units");
            foreach (var (unit, count) in line.Units) json.WriteNumber(unit, count);
            json.WriteEndObject();
            json.WriteString("amount", new Money(line.Amount, invoice.Currency).ToDecimal());
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("creditNotes");
        foreach (var note in notes)
        {
            json.WriteStartObject();
            BuyAnswers.Write(json, "amount", note.Amount);
            json.WriteString("reason", note.Reason);
            json.WriteBoolean("paidOut", note.PaidOut);
            json.WriteString("created", note.Created);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Head(Utf8JsonWriter json, Invoice invoice)
    {
        json.WriteString("id", invoice.Id);
        json.WriteString("number", invoice.Name);
        json.WriteString("status", InvoiceStore.Text(invoice.Status));
        json.WriteString("start", invoice.Start);
        json.WriteString("end", invoice.End);
        foreach (var (name, amount) in ((string, Money)[])[("total", invoice.Total), ("carried", invoice.Carried), ("charged", invoice.Charged), ("forward", invoice.Forward), ("tax", invoice.Tax), ("credited", invoice.Credited), ("owed", invoice.ToPay)])
            BuyAnswers.Write(json, name, amount);
        foreach (var (name, time) in ((string, DateTimeOffset?)[])[("sent", invoice.Opened), ("due", invoice.Due), ("ended", invoice.Ended)])
            if (time is { } at) json.WriteString(name, at);
            else json.WriteNull(name);
        json.WriteString("url", invoice.Url);
    }
}
