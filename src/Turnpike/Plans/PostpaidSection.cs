using Turnpike.Catalog.Document;
using Turnpike.Catalog.Loading;
using Turnpike.Ledger;

namespace Turnpike.Plans;

/// <summary>The <c>postpaid</c> of a plan.</summary>
internal static class PostpaidSection
{
    private static readonly TimeSpan UsualDue = TimeSpan.FromDays(14), UsualGrace = TimeSpan.FromDays(3);

    private static readonly Shape<TimeSpan?> GraceOrNone = new ScalarShape<TimeSpan?>("a duration such as 3d, or none",
        (string t, out TimeSpan? v) =>
        {
            v = TimeSpan.Zero;
            if (t == "none") return null;
            if (!Shapes.TryDuration(t, out var span)) return "is no duration; write 3d, or none";
            v = span;
            return null;
        }, "^([1-9][0-9]*(s|m|h|d|mo)|none)$");

    private static readonly Key<Money> Fee = new("fee", Shapes.Money, "What the plan itself costs in one period, by the time it was had; it stands on the invoice after the period.") { Default = "nothing", Example = "49.00 USD" };
    private static readonly Key<Money> Limit = new("limit", Shapes.Money, "The most that may stand on one period's account; beyond it the next call is 402. Prices in another currency are not taken on account then.") { Default = "no end", Example = "500.00 USD" };
    private static readonly Key<TimeSpan> Due = new("due", Shapes.Duration, "How long after it is sent an invoice may be paid.") { Default = "14d", Example = "14d" };
    private static readonly Key<TimeSpan?> Grace = new("grace", GraceOrNone, "How much longer calls are taken on account when it was not.") { Default = "3d", Example = "none" };
    private static readonly Key<WhenPastDue> PastDue = new("when-past-due", new ChoiceShape<WhenPastDue>(("pay", WhenPastDue.Pay), ("refuse", WhenPastDue.Refuse)), "The next call after that: 402 with terms, or the payment that is presented; or 403. Nothing of the plan is given then.") { Default = "pay", Example = "refuse" };

    public static readonly Key<Postpaid> Key = new("postpaid", new MapShape<Postpaid>([.. PeriodShape.Keys, Fee, Limit, Due, Grace, PastDue], Build),
        "What calls cost beyond what is included is written on account and invoiced period by period.") { Default = "not taken on account", Example = "{ per: 1mo, fee: 49.00 USD, limit: 500.00 USD }" };

    private static Postpaid? Build(MapValues m)
    {
        var per = PeriodShape.Read(m);
        if (per.Unit is "s" or "m") { m.At.Refuse("an invoice's period is hours, days or months long"); return null; }
        Money? fee = m.IsWritten(Fee) ? m.Get(Fee) : null, limit = m.IsWritten(Limit) ? m.Get(Limit) : null;
        return new Postpaid(per, fee, limit, m.IsWritten(Due) ? m.Get(Due) : UsualDue, m.IsWritten(Grace) ? m.Get(Grace)!.Value : UsualGrace, m.Get(PastDue));
    }
}
