using Turnpike.Audit;
using Turnpike.Catalog.Document;
using Turnpike.Ledger;
using Turnpike.Pricing;

namespace Turnpike.Payments.Metered;

/// <summary>What a metered call comes to once its answer has ended.</summary>
internal static class MeteredCharge
{
    /// <summary>What is taken: the price, or the price of what was used within what is held. What exceeds it is the owner's loss, never the payer's.</summary>
    public static Money Due(Payment payment)
    {
        if (payment.Metered is not { } quote) return payment.Ceiling;
        var charge = Of(payment, quote);
        return charge > payment.Ceiling ? payment.Ceiling : charge;
    }

    /// <summary>By how much it exceeds what is held; zero when it does not.</summary>
    public static Money Excess(Payment payment, MeteredQuote quote)
    {
        var charge = Of(payment, quote);
        return charge > payment.Ceiling ? charge - payment.Ceiling : Money.Zero(charge.Currency);
    }

    /// <summary>What the owner has to hear of, by kind of event: a charge above the hold, a model nobody priced, an answer that did not tell.</summary>
    public static IEnumerable<(string Kind, string Detail)> Alarms(Payment payment, MeteredQuote quote)
    {
        var usage = quote.Call.Usage;
        if (!Excess(payment, quote).IsZero) yield return (AuditKinds.Overrun, $"{Of(payment, quote)} was used, {payment.Ceiling} was held.");
        if (usage.Model is { } served && quote.IsForeign(served)) yield return (AuditKinds.ForeignModel, $"'{Reading.Shown(served)}' served '{quote.Call.Asked}', which has the price.");
        if (!usage.IsComplete) yield return (AuditKinds.Untold, $"The upstream did not tell all of its usage; charged by what passed ({usage.Source}).");
    }

    /// <summary>What is held in tokens is charged in tokens.</summary>
    private static Money Of(Payment payment, MeteredQuote quote) =>
        Money.IsMoney(payment.Ceiling.Currency) ? quote.Charge(quote.Call.Usage) : new Money(quote.Call.Usage[payment.Ceiling.Currency], payment.Ceiling.Currency);
}
