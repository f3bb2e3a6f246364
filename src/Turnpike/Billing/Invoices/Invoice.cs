using System.Text.Json;
using System.Text.Json.Serialization;
using Turnpike.Ledger;

namespace Turnpike.Billing.Invoices;

/// <summary>What a caller owes for one period in one currency.</summary>
/// <param name="Id">Made of caller, currency and period: there is one, however often it is made.</param>
internal sealed record Invoice(string Id, string Caller, string Currency, DateTimeOffset Start, DateTimeOffset End)
{
    /// <summary>The number it got when it was sent, without gaps; null for a draft.</summary>
    public long? Number { get; init; }

    public InvoiceStatus Status { get; init; }

    public IReadOnlyList<InvoiceLine> Lines { get; init; } = [];

    /// <summary>What it takes out of each account that waited to be billed.</summary>
    public IReadOnlyDictionary<string, long> Moves { get; init; } = new Dictionary<string, long>();

    /// <summary>The sum of its lines, exactly.</summary>
    public required Money Total { get; init; }

    /// <summary>What the invoice before left over, less than the currency's smallest coin, or a credit.</summary>
    public required Money Carried { get; init; }

    /// <summary>What is asked for before tax: total and carried, rounded down to coins, once. Never below nothing.</summary>
    public required Money Charged { get; init; }

    public required Money Tax { get; init; }

    /// <summary>What credit notes have taken off it.</summary>
    public required Money Credited { get; init; }

    /// <summary>What the next invoice begins with.</summary>
    public Money Forward => Total + Carried - Charged;

    /// <summary>What its customer still has to pay, with its tax.</summary>
    public Money ToPay => Status is InvoiceStatus.Draft or InvoiceStatus.Open or InvoiceStatus.PastDue ? Charged + Tax - Credited : Money.Zero(Currency);

    /// <summary>What is still to be paid, before tax.</summary>
    public Money Owed => Status is InvoiceStatus.Draft or InvoiceStatus.Open or InvoiceStatus.PastDue ? Charged - Credited : Money.Zero(Currency);

    public TimeSpan DueAfter { get; init; }

    public TimeSpan Grace { get; init; }

    /// <summary>True when the movements behind it are in the books.</summary>
    public bool Booked { get; init; }

    public DateTimeOffset? Opened { get; init; }

    public DateTimeOffset? Due { get; init; }

    /// <summary>When it was paid, voided or given up.</summary>
    public DateTimeOffset? Ended { get; init; }

    /// <summary>Who says it was paid: the rail and its own name for the payment.</summary>
    public string? Reference { get; init; }

    public string? StripeInvoice { get; init; }

    /// <summary>Where its customer sees and pays it.</summary>
    public string? Url { get; init; }

    /// <summary>Why it could not be sent; it is tried again.</summary>
    public string? Error { get; init; }

    public DateTimeOffset Created { get; init; }

    /// <summary>When Stripe was last asked about it.</summary>
    public DateTimeOffset Looked { get; init; }

    /// <summary>As people read it.</summary>
    public string Name => Number is { } number ? string.Create(System.Globalization.CultureInfo.InvariantCulture, $"INV-{number:D6}") : Id;
}

/// <summary>How far an invoice got.</summary>
internal enum InvoiceStatus
{
    Draft,
    Open,
    Paid,
    PastDue,
    Uncollectible,
    Void,
}

/// <summary>One thing on an invoice.</summary>
/// <param name="Kind"><c>usage</c>, <c>fee</c> or <c>correction</c>.</param>
/// <param name="Of">The operation, the plan, or the account that is corrected.</param>
/// <param name="Calls">How many calls it stands for.</param>
/// <param name="Units">What they used, by unit.</param>
/// <param name="Amount">In smallest units, as in the books.</param>
internal sealed record InvoiceLine(string Kind, string Of, long Calls, SortedDictionary<string, long> Units, long Amount)
{
    public string Text(string currency) => Kind switch
    {
        "fee" => $"Plan {Of}",
        "correction" => $"Correction of {Of}",
        _ => $"{Of}: {Calls} call{(Calls == 1 ? "" : "s")}{string.Concat(Units.Select(u => $", {u.Value} {u.Key}"))} ({new Money(Amount, currency)})",
    };
}

/// <summary>What was taken back of an invoice after it was sent.</summary>
/// <param name="PaidOut">True when the invoice had been paid: the money goes back to its customer.</param>
/// <param name="Done">True when Stripe knows, or need not.</param>
internal sealed record CreditNote(string Id, string Invoice, Money Amount, string Reason, bool PaidOut, bool Done, string? Reference, DateTimeOffset Created);

/// <summary>Who pays the invoices of a caller.</summary>
internal sealed record BillingFacts(string? Name = null, string? Email = null, string? Line1 = null, string? City = null, string? PostalCode = null, string? Country = null, string? TaxId = null, string? Customer = null)
{
    public static readonly BillingFacts None = new();
}

/// <summary>The JSON kept with invoices.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(IReadOnlyList<InvoiceLine>))]
[JsonSerializable(typeof(IReadOnlyDictionary<string, long>))]
[JsonSerializable(typeof(SortedDictionary<string, long>))]
[JsonSerializable(typeof(BillingFacts))]
internal sealed partial class InvoiceJson : JsonSerializerContext;
