using Turnpike.Audit;
using Turnpike.Ledger;
using Turnpike.Storage;
using Turnpike.Telemetry;

namespace Turnpike.Payments;

/// <summary>What metered prices add: an amount known only afterwards, checkpoints while a stream passes, and alarms.</summary>
internal sealed partial class Cashier
{
    /// <summary>So much has passed: what a crash would be charged for. Nobody waits for it.</summary>
    public void Observe(Payment payment, Money observed) => _ = ObserveAsync(payment, observed);

    private async Task ObserveAsync(Payment payment, Money observed)
    {
        if (payment.State is not { } held || observed.Currency != held.Hold.Ceiling.Currency) return;
        try { await ledger.CheckpointAsync(held.Hold.Id, observed, CancellationToken.None); }
        catch (StorageUnavailableException e) { Log.BooksDown(log, e); }
    }

    /// <summary>Takes what was used, if that has not been done before the first byte; false when the books cannot be written.</summary>
    private async ValueTask<bool> CollectAsync(Payment payment, Pricing.MeteredQuote quote)
    {
        if (!payment.IsPaid && await CollectAsync(payment) is not null) return false;
        var over = Charge(payment, quote) - payment.Ceiling;
        if (over.Units > 0) await ledger.PostAsync(Loss.Overrun(payment.State!.Hold, over), CancellationToken.None);
        return true;
    }

    /// <summary>What is to be taken: the price, or the price of what was used; what it exceeds the hold by is our loss, never the payer's.</summary>
    private static Money Due(Payment payment)
    {
        if (payment.Metered is not { } quote) return payment.Ceiling;
        var charge = Charge(payment, quote);
        return charge > payment.Ceiling ? payment.Ceiling : charge;
    }

    private static Money Charge(Payment payment, Pricing.MeteredQuote quote) =>
        // What is held in tokens is charged in tokens.
        Money.IsMoney(payment.Ceiling.Currency) ? quote.Charge(quote.Call.Usage) : new Money(quote.Call.Usage[payment.Ceiling.Currency], payment.Ceiling.Currency);

    private List<AuditEvent> Collected(Payment payment, HoldState held)
    {
        var events = new List<AuditEvent> { Event(payment, AuditKinds.Settled, reference: held.Hold.Receipt) };
        if (payment.Metered is { } quote) Alarm(payment, quote, events);
        return events;
    }

    /// <summary>What the owner has to hear of: a charge above the hold, a model nobody priced, an answer that told nothing.</summary>
    private void Alarm(Payment payment, Pricing.MeteredQuote quote, List<AuditEvent> events)
    {
        var usage = quote.Call.Usage;
        var charge = Charge(payment, quote);
        if (charge > payment.Ceiling) Note(AuditKinds.Overrun, $"{charge} was used, {payment.Ceiling} was held.");
        if (usage.Model is { } served && quote.IsForeign(served)) Note(AuditKinds.ForeignModel, $"'{Catalog.Document.Reading.Shown(served)}' served '{quote.Call.Request?.Model}', which has the price.");
        if (!usage.IsComplete) Note(AuditKinds.Untold, $"The upstream did not tell all of its usage; charged by what passed ({usage.Source}).");

        void Note(string kind, string detail)
        {
            events.Add(Event(payment, kind, reference: payment.State!.Hold.Receipt) with { Detail = detail });
            Instruments.Alarmed(payment.Call.Operation.Name, kind["usage.".Length..]);
            Log.Alarm(log, payment.Call.Operation.Name, detail);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "{Operation}: {Detail}")]
        public static partial void Alarm(ILogger logger, string operation, string detail);
    }
}
