using System.Globalization;
using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Payments.Refunds;
using Turnpike.Pricing;

namespace Turnpike.Payments.Sessions;

/// <summary>
/// What a paid session is shown by: its receipt and its end, sealed with the installation's key for one operation and, where the payer
/// said who it is, for that caller alone. It opens while the books say that the money is ours: nothing that was given back opens anything.
/// </summary>
internal sealed class SessionPasses(ILedger ledger, TermsSeal seal)
{
    private const int MostLength = 200;
    private const string Purpose = "session";

    /// <summary>The headers of the paid answer: the pass, for who bought it, and when it ends.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Issue(HoldState paid, TimeSpan lasts)
    {
        var (receipt, end) = (paid.Hold.Receipt, paid.Created + lasts);
        var until = end.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        return
        [
            new(SessionQuote.Header, $"{receipt}.{until}.{seal.SealFor(Purpose, Text(paid.Hold.Operation, receipt, until, paid.Hold.Caller))}"),
            new(SessionQuote.EndHeader, end.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)),
        ];
    }

    /// <summary>The same once more, for the payment that bought it, as it was sold: for its buyer, whoever presents it. None where it has ended.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Again(Payment payment, HoldState paid) =>
        payment.SoldBy(paid.Hold) is { } lasts && paid.Created + lasts > payment.Call.Now ? Issue(paid, lasts) : [];

    /// <summary>
    /// Before its price is looked for: does it show a session that was sold for it and has not ended? Without I/O, and ends no call.
    /// Where the price is known before the call, that is; what was sold stays open when the price changes.
    /// </summary>
    public Answer? Look(Call call)
    {
        if (call.Operation.Settings.Get<PriceModel>() is PriceModel.Session or PriceModel.Fixed { Amount.IsZero: false }) call.Pass = Read(call).Receipt;
        return null;
    }

    /// <summary>Why the session that it shows is none; null as well when it shows none.</summary>
    public Refusal? WhyNot(Call call) => Read(call).Why;

    /// <summary>Opens the call that shows a session, if its money is ours; else why not, and its price is owed.</summary>
    public async ValueTask<Refusal?> OpenAsync(Call call, CancellationToken ct)
    {
        var paid = await ledger.FindByReceiptAsync(call.Pass!, ct);
        if (paid is { Status: HoldStatus.Settled, Outcome: not HoldOutcome.Credited } && !await Refundable.BegunAsync(ledger, paid, ct))
        {
            call.Open();
            return null;
        }
        call.Shut();
        return Ended("Its price has been given back.");
    }

    private (string? Receipt, Refusal? Why) Read(Call call)
    {
        var shown = call.Headers[SessionQuote.Header];
        if (shown.Count == 0) return (null, null);
        if (shown.Count > 1 || shown.ToString() is not { Length: < MostLength } text || text.Split('.') is not [var receipt, var end, var sealed_]) return (null, Ended("It cannot be read."));
        // Whoever was nobody when it was bought may be somebody now; the other way round it is not theirs.
        var isOurs = seal.IsSealedFor(Purpose, Text(call.Operation.Name, receipt, end, null), sealed_) || call.Caller is { } caller && seal.IsSealedFor(Purpose, Text(call.Operation.Name, receipt, end, caller), sealed_);
        if (!isOurs) return (null, Ended("It was not sold for this operation, or to another caller."));
        var until = DateTimeOffset.FromUnixTimeSeconds(long.Parse(end, CultureInfo.InvariantCulture));
        return until > call.Now ? (receipt, null) : (null, Ended($"It ended at {until:u}."));
    }

    private static Refusal Ended(string why) => new(Reasons.SessionEnded, why);

    private static string Text(string operation, string receipt, string until, string? caller) => $"{operation}\n{receipt}\n{until}\n{(caller is null ? "-" : "=" + caller)}";
}
