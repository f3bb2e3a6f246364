using Turnpike.Audit;
using Turnpike.Catalog.Document;
using Turnpike.Ledger;
using Turnpike.Pricing;
using Turnpike.Telemetry;

namespace Turnpike.Payments.Metered;

/// <summary>What a metered call comes to once its answer has ended.</summary>
internal static partial class MeteredCharge
{
    /// <summary>What is taken: the price, or the price of what was used within what is held. What exceeds it is the owner's loss, never the payer's.</summary>
    public static Money Due(Payment payment)
    {
        if (payment.Metered is not { } quote) return payment.Ceiling;
        var charge = Of(payment, quote);
        return charge > payment.Ceiling ? payment.Ceiling : charge;
    }

    /// <summary>By how much it exceeds what is held; zero when it does not.</summary>
    private static Money Excess(Payment payment, MeteredQuote quote)
    {
        var charge = Of(payment, quote);
        return charge > payment.Ceiling ? charge - payment.Ceiling : Money.Zero(charge.Currency);
    }

    /// <summary>What is booked by the same act as the charge: the owner's loss where it exceeds what is held.</summary>
    public static IReadOnlyList<Transfer> Besides(Payment payment) =>
        payment.Metered is { } quote && Excess(payment, quote) is { IsZero: false } over ? [Loss.Overrun(payment.State!.Hold, over)] : [];

    /// <summary>What the owner has to hear of, by kind of event: a charge above the hold, a model nobody priced, an answer that did not tell.</summary>
    public static IEnumerable<(string Kind, string Detail)> Alarms(Payment payment, MeteredQuote quote)
    {
        var usage = quote.Call.Usage;
        if (!Excess(payment, quote).IsZero) yield return (AuditKinds.Overrun, $"{Of(payment, quote)} was used, {payment.Ceiling} was held.");
        if (usage.Model is { } served && quote.IsForeign(served)) yield return (AuditKinds.ForeignModel, $"'{Reading.Shown(served)}' served '{quote.Call.Asked}', which has the price.");
        foreach (var missing in quote.Missing(usage)) yield return (AuditKinds.Untold, $"The answer did not tell '{missing.Unit}', which is charged for; {usage[missing.Unit]} counted.");
        if (usage.IsComplete && Money.IsMoney(payment.Ceiling.Currency) && quote.NotAmong(usage) is { Count: > 0 } others) yield return (AuditKinds.Untold, $"The answer told its usage otherwise than in {string.Join(", ", others)}, which have the price.");
        if (!usage.IsComplete && (quote.AsksTheUpstream || !Money.IsMoney(payment.Ceiling.Currency))) yield return (AuditKinds.Untold, $"The upstream did not tell all of its usage; charged by what passed ({usage.Source}).");
    }

    /// <summary>What is held in tokens is charged in tokens.</summary>
    private static Money Of(Payment payment, MeteredQuote quote) =>
        Money.IsMoney(payment.Ceiling.Currency) ? quote.Charge(quote.Call.Usage) : new Money(quote.Call.Usage[payment.Ceiling.Currency], payment.Ceiling.Currency);

    /// <summary>What the trail hears of a collection in the books, and of what was odd about it.</summary>
    public static List<AuditEvent> Collected(Payment payment, HoldState held, ILogger log)
    {
        List<AuditEvent> events = [payment.Event(AuditKinds.Settled, reference: held.Hold.Receipt)];
        if (payment.Metered is not { } quote) return events;
        foreach (var (kind, detail) in Alarms(payment, quote))
        {
            events.Add(payment.Event(kind, reference: held.Hold.Receipt, detail: detail));
            Instruments.Alarmed(held.Hold.Operation, kind);
            Alarm(log, held.Hold.Operation, detail);
        }
        return events;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Operation}: {Detail}")]
    private static partial void Alarm(ILogger logger, string operation, string detail);
}
