using Turnpike.Billing.Owned;
using Turnpike.Catalog;
using Turnpike.Catalog.Loading;
using Turnpike.Identity;
using Turnpike.Plans;
using Turnpike.Storage;

namespace Turnpike.Billing.Invoices;

/// <summary>
/// Bills: periods that are over become drafts, drafts are booked and sent, what was not paid in time is past due. Every node does it;
/// each step is taken once whoever takes it, and one that failed is taken again in the next round.
/// </summary>
internal sealed partial class Biller(InvoiceMaker maker, InvoiceStore store, InvoiceDesk desk, StripeInvoicer stripe, PlanSpanStore spans, CallerDesk callers, CatalogSource catalog, TimeProvider time, ILogger<Biller> log) : BackgroundService
{
    private const int Page = 500;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(20), Unasked = TimeSpan.FromHours(6);

    /// <summary>One look at everything.</summary>
    public async Task RoundAsync(CancellationToken ct)
    {
        await ObserveAsync(ct);
        await maker.MakeAsync(TermsAsync, ct);
        foreach (var invoice in await store.WaitingAsync(ct)) await FinishAsync(invoice, ct);
        foreach (var note in await store.UntoldNotesAsync(ct))
            if (await store.FindAsync(note.Invoice, ct) is { } credited)
            {
                await desk.PostAsync(credited, note, ct);
                await stripe.TellNoteAsync(credited, note, ct);
            }
        foreach (var unasked in await store.NotLookedAtAsync(time.GetUtcNow() - Unasked, ct)) await stripe.LookAsync(unasked, ct);
        await desk.AgeAsync(ct);
        await desk.RememberAsync(ct);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Pause, time);
        do
        {
            try
            {
                if (IsBilling || (await store.WaitingAsync(stoppingToken)).Count > 0) await RoundAsync(stoppingToken);
                else await desk.RememberAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested) { return; }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested) { Log.Failed(log, e); }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private bool IsBilling => InvoicesApi.IsOpen(catalog.Current.Settings);

    private async ValueTask FinishAsync(Invoice invoice, CancellationToken ct)
    {
        if (invoice.Status != InvoiceStatus.Draft)
        {
            await desk.PostAsync(invoice, ct);
            return;
        }
        if (!invoice.Booked) await maker.BookAsync(invoice, ct);
        if (invoice.Charged.IsZero || !stripe.Collects) await desk.OpenAsync(invoice, invoice.Tax, null, null, ct);
        else await stripe.SendAsync(invoice, ct);
    }

    /// <summary>Notes which plans with a fee callers have now, so that each day of each is on the right invoice.</summary>
    private async ValueTask ObserveAsync(CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var current = catalog.Current;
        foreach (var caller in (current.Settings.Get<CallerSettings>()?.All ?? []).Select(c => c.Caller)) await ObserveAsync(current, caller, now, ct);
        string? after = null;
        for (IReadOnlyList<Caller> page; (page = await callers.ListAsync(after, Page, ct)).Count > 0; after = page[^1].Name)
            foreach (var caller in page.Where(c => current.Settings.Get<CallerSettings>()?.Find(c.Name) is null)) await ObserveAsync(current, caller, now, ct);
    }

    private ValueTask ObserveAsync(ServiceCatalog current, Caller caller, DateTimeOffset now, CancellationToken ct)
    {
        var plan = caller.Status == CallerStatus.Closed ? null : PlanBook.Of(current, caller.PlanAt(now));
        return spans.ObserveAsync(caller.Name, plan?.Postpaid?.Fee is null ? null : plan.Name, plan?.Postpaid?.Fee, now, caller.Term is { } term ? term.Until + term.Grace : null, ct);
    }

    private async ValueTask<Postpaid?> TermsAsync(string caller)
    {
        var current = catalog.Current;
        return await callers.FindAsync(current, caller, CancellationToken.None) is { } known ? PlanBook.Of(current, known.PlanAt(time.GetUtcNow()))?.Postpaid : null;
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Error, Message = "Billing stopped half way; it goes on with the next round.")]
        public static partial void Failed(ILogger logger, Exception exception);
    }
}
