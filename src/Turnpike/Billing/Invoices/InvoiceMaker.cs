using System.Security.Cryptography;
using System.Text;
using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Payments.Stripe;
using Turnpike.Plans;

namespace Turnpike.Billing.Invoices;

/// <summary>
/// Makes invoices of what stands on account. The lines are the ledger's entries; what is moved from "to be billed" to "invoiced" is
/// exactly their sum, under the invoice's own id, so that a crash between any two steps bills nothing twice and loses nothing.
/// </summary>
internal sealed class InvoiceMaker(UnbilledStore unbilled, PlanSpanStore spans, InvoiceStore store, ILedger ledger, TimeProvider time)
{
    /// <summary>A call that began in the last moment of a period has this long to reach the books.</summary>
    public static readonly TimeSpan Settling = TimeSpan.FromMinutes(5);

    private const int MostMissed = 120;
    private static readonly TimeSpan UsualDue = TimeSpan.FromDays(14), UsualGrace = TimeSpan.FromDays(3);

    /// <summary>Writes a draft for every period that has ended and was not billed yet.</summary>
    /// <param name="termsOf">How a caller is billed; null: not any more.</param>
    public async ValueTask<int> MakeAsync(Func<string, ValueTask<Postpaid?>> termsOf, CancellationToken ct)
    {
        var billed = await store.BilledAsync(ct);
        var fees = await spans.AllAsync(ct);
        var made = 0;
        foreach (var (caller, end) in await EndedAsync(fees, termsOf, ct))
        {
            var account = Postpaid.Account(caller, end);
            if (await unbilled.IsBusyAsync(account, ct)) continue;
            var terms = await termsOf(caller);
            var currencies = (await unbilled.OwedAsync(account, ct)).Keys.Concat(fees.Where(f => f.Caller == caller).Select(f => f.Fee.Currency)).Distinct().Where(Money.IsMoney);
            foreach (var currency in currencies.Where(c => !billed.Contains((caller, c, end))).ToList())
                if (await DraftAsync(caller, currency, end, terms, [.. fees.Where(f => f.Caller == caller && f.Fee.Currency == currency)], ct)) made++;
        }
        return made;
    }

    /// <summary>Puts the movements of a draft into the books; safe to repeat.</summary>
    public async ValueTask BookAsync(Invoice draft, CancellationToken ct)
    {
        foreach (var (account, units) in draft.Moves)
        {
            // Who owes and who is owed change places for what is corrected by more than was used.
            var (from, to) = units >= 0 ? (Postpaid.Invoiced(draft.Caller), account) : (account, Postpaid.Invoiced(draft.Caller));
            await ledger.PostAsync(new Transfer($"invoice:{draft.Id}:{account}", from, to, new Money(Math.Abs(units), draft.Currency), "invoice", LimitedFrom: false, LimitedTo: false), ct);
        }
        await store.BookedAsync(draft.Id, ct);
    }

    private async ValueTask<bool> DraftAsync(string caller, string currency, DateTimeOffset end, Postpaid? terms, IReadOnlyList<PlanSpan> fees, CancellationToken ct)
    {
        var (account, before) = (Postpaid.Account(caller, end), await store.BeforeAsync(caller, currency, end, ct));
        var start = terms?.Per.At(end.AddTicks(-1)) is { } period && period.End == end ? period.Start : before?.End ?? end.AddMonths(-1);
        var id = IdOf(caller, currency, end);
        for (var i = 0; i < fees.Count; i++)
            if (fees[i].ShareOf(start, end) is var share and > 0)
                await ledger.PostAsync(new Transfer($"fee:{id}:{i}", account, $"revenue:plan.{fees[i].Plan}", new Money(share, currency), "fee", LimitedFrom: false, LimitedTo: false), ct);
        var lines = (await unbilled.LinesAsync(account, currency, ct)).ToList();
        var moves = new SortedDictionary<string, long>(StringComparer.Ordinal);
        if (lines.Sum(l => l.Amount) is var used and not 0) moves[account] = used;
        foreach (var earlier in await unbilled.AccountsAsync(caller, ct))
        {
            // What changed after its period was billed: an answer that turned out not to have arrived, or a refund.
            if (earlier == account || Postpaid.Read(earlier) is not { } read || read.End > end || !(await unbilled.OwedAsync(earlier, ct)).TryGetValue(currency, out var left) || left == 0) continue;
            moves[earlier] = left;
            lines.Add(new InvoiceLine("correction", $"the period to {read.End:yyyy-MM-dd}", 0, [], left));
        }
        if (lines.Count == 0) return false;
        var (total, carried) = (new Money(lines.Sum(l => l.Amount), currency), before?.Forward ?? Money.Zero(currency));
        await store.AddAsync(new Invoice(id, caller, currency, start, end)
        {
            Lines = lines,
            Moves = moves,
            Total = total,
            Carried = carried,
            Charged = Coins(total + carried),
            Tax = Money.Zero(currency),
            Credited = Money.Zero(currency),
            DueAfter = terms?.Due ?? UsualDue,
            Grace = terms?.Grace ?? UsualGrace,
        }, ct);
        return true;
    }

    /// <summary>Every period of every caller that is over: of what stands on account, and of plans with a fee.</summary>
    private async ValueTask<IReadOnlyList<(string Caller, DateTimeOffset End)>> EndedAsync(IReadOnlyList<PlanSpan> fees, Func<string, ValueTask<Postpaid?>> termsOf, CancellationToken ct)
    {
        var over = time.GetUtcNow() - Settling;
        var ended = new HashSet<(string Caller, DateTimeOffset End)>();
        foreach (var account in await unbilled.AccountsAsync(null, ct))
            if (Postpaid.Read(account) is { } read && read.End <= over) ended.Add(read);
        foreach (var span in fees)
        {
            if (await termsOf(span.Caller) is not { } terms) continue;
            var (end, passed) = (terms.Per.At(span.Since).End, 0);
            for (; end <= over && passed++ < MostMissed; end = terms.Per.At(end).End)
            {
                ended.Add((span.Caller, end));
                if (span.Until <= end) break;
            }
        }
        return [.. ended.OrderBy(e => e.End).ThenBy(e => e.Caller, StringComparer.Ordinal)];
    }

    /// <summary>Whole coins, rounded down: the rest is carried forward. Nothing where it is a credit.</summary>
    public static Money Coins(Money amount)
    {
        if (amount.Units <= 0) return Money.Zero(amount.Currency);
        var coin = StripeCurrencies.CoinOf(amount.Currency);
        return amount with { Units = amount.Units / coin * coin };
    }

    public static string IdOf(string caller, string currency, DateTimeOffset end) =>
        "inv_" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{caller}\n{currency}\n{end.UtcDateTime:O}")))[..24];
}
