using Turnpike.Ledger;

namespace Turnpike.Payments;

/// <summary>Work done and never paid: booked as our loss, remembered against the payer, who pays before from then on.</summary>
internal static class Loss
{
    public static string Account(string payer) => $"unsettled:{payer}";

    /// <summary>Used beyond what was held for it: the payer agreed to the ceiling, so the rest is ours. Named by the receipt: a hold given back may be held, and overrun, again.</summary>
    public static Transfer Overrun(Hold hold, Money amount) =>
        new($"overrun:{hold.Receipt}", "loss:overrun", $"overrun:{hold.Operation}", amount, "overrun", LimitedFrom: false, LimitedTo: false) { Correlation = hold.Correlation };

    public static Transfer Unsettled(Hold hold, Money amount) =>
        new($"unsettled:{hold.Id}", "loss:unsettled", Account(hold.Payer), amount, "unsettled", LimitedFrom: false, LimitedTo: true) { Correlation = hold.Correlation };
}
