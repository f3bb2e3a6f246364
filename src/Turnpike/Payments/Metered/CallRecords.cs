using Turnpike.Ledger;
using Turnpike.Metering;
using Turnpike.Pricing;

namespace Turnpike.Payments.Metered;

/// <summary>The record of one call's use, named by its receipt where it was paid.</summary>
internal static class CallRecords
{
    /// <summary>Writes it with the money; null for a price that is the same for every answer.</summary>
    public static Action<Storage.Sql>? WriterOf(UsageStore usage, Payment payment, Money cost) => payment.Metered is null ? null : usage.WriterOf(Of(payment, cost));

    /// <summary>Writes it with what makes the money final, where that was taken before anything was used; null where there is nothing to write.</summary>
    public static Action<Storage.Sql>? LateWriterOf(UsageStore usage, Payment payment) =>
        payment.Metered is null && payment.Call.Metered is not null ? usage.WriterOf(Of(payment, payment.IsPaid ? payment.State!.Captured : null)) : null;

    public static UsageRecord Of(Payment payment, Money? cost)
    {
        var (call, metered) = (payment.Call, payment.Call.Metered!);
        var usage = metered.Usage;
        var charged = new Counts();
        foreach (var (unit, count) in usage.Charged) charged[unit] = count;
        return new UsageRecord
        {
            Id = payment.State is null ? Catalog.Ids.New("u") : payment.State.Hold.Receipt,
            Happened = call.Now,
            Operation = call.Operation.Name,
            Caller = call.Caller,
            Payer = payment.Payer,
            Model = usage.Model ?? metered.Asked,
            Asked = metered.Asked,
            Origin = usage.Source,
            Charged = charged,
            Reported = usage.Reported,
            Labels = Labels.Of(call),
            Observed = usage.Observed,
            Cost = cost,
            Expense = Expense(call.Operation.Settings.Get<OwnCost>()?.Of(usage, metered.Asked), payment.Bought),
            Receipt = payment.State?.Hold.Receipt,
        };
    }

    /// <summary>What the owner wrote down, and what the upstream was paid for this very call.</summary>
    private static Money? Expense(Money? own, Buying.UpstreamPayment? bought)
    {
        if (bought?.State is not { Status: not HoldStatus.Released, Captured: var paid }) return own;
        return own is { } more && more.Currency == paid.Currency ? paid + more : paid;
    }

    /// <summary>A stream that a crash cut off: how much of what is not known, only what was charged.</summary>
    public static UsageRecord OfCrashed(HoldState open) => new()
    {
        Id = open.Hold.Receipt,
        Happened = open.Created,
        Operation = open.Hold.Operation,
        Caller = open.Hold.Caller,
        Payer = open.Hold.Payer,
        Origin = "estimated",
        Charged = new(),
        Cost = open.Observed,
        Receipt = open.Hold.Receipt,
    };
}
