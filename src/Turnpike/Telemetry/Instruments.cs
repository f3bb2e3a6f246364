using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Turnpike.Telemetry;

/// <summary>
/// What the gateway counts about itself. One method for each thing that happens, so that recording is one line where it happens.
/// Money is counted in smallest units (1e-9 of a currency's unit), as in the books.
/// </summary>
internal static class Instruments
{
    public const string MeterName = "turnpike";

    private static readonly Meter Meter = new(MeterName);
    private static readonly Counter<long> Calls = Meter.CreateCounter<long>("turnpike.calls", "{call}", "Calls answered, by operation and status.");
    private static readonly Counter<long> Answers = Meter.CreateCounter<long>("turnpike.answers", "{answer}", "Answers the gate gave itself, by reason.");
    private static readonly Counter<long> Payments = Meter.CreateCounter<long>("turnpike.payments", "{payment}", "Payments brought to an outcome, by method.");
    private static readonly Counter<long> Revenue = Meter.CreateCounter<long>("turnpike.revenue", "{unit}", "Money collected, in smallest units (1e-9), by operation and currency.");
    private static readonly Histogram<double> Upstream = Meter.CreateHistogram<double>("turnpike.upstream.duration", "s", "From forwarding to the last byte of the upstream's answer.");
    private static readonly Histogram<double> Verification = Meter.CreateHistogram<double>("turnpike.verification.duration", "s", "Checking a payment, by method.");
    private static readonly Histogram<double> Settlement = Meter.CreateHistogram<double>("turnpike.settlement.duration", "s", "Collecting a payment from its rail, by method.");
    private static readonly Histogram<double> Commits = Meter.CreateHistogram<double>("turnpike.store.commit.duration", "s", "One transaction of the store's writer, from its begin to the disk.");
    private static readonly Counter<long> Writes = Meter.CreateCounter<long>("turnpike.store.writes", "{write}", "Writes made durable; divided by commits, the size of a batch.");
    private static readonly Counter<long> Oddities = Meter.CreateCounter<long>("turnpike.usage.alarms", "{call}", "Metered answers that told something unexpected, by kind of event.");
    private static readonly Counter<long> Exports = Meter.CreateCounter<long>("turnpike.usage.exported", "{event}", "Events of use on their way out, by destination: sent, failed (tried again), dead, skipped.");
    private static readonly Counter<long> Webhooks = Meter.CreateCounter<long>("turnpike.stripe.events", "{event}", "Events Stripe told us, by outcome: taken, later (told again), ignored.");
    private static readonly Counter<long> TopUps = Meter.CreateCounter<long>("turnpike.topups", "{charge}", "Automatic top-ups, by outcome: paid, unknown (asked again), paused (refused by the bank, or reversed).");
    private static readonly Counter<long> Purchases = Meter.CreateCounter<long>("turnpike.purchases", "{purchase}", "Payments to upstreams that ask for them, by protocol and outcome: settled, unknown, released, lost (paid and not delivered), refused (its terms), capped.");
    private static readonly Counter<long> Spent = Meter.CreateCounter<long>("turnpike.spent", "{unit}", "Money paid to upstreams, in smallest units (1e-9), by operation and currency.");
    private static readonly object[] Statuses = [.. Enumerable.Range(0, 600).Select(status => (object)status)];

    /// <summary>The gate answered itself. Calls that name no operation are counted under <c>none</c>: their paths are a stranger's invention.</summary>
    public static void Answered(string? operation, string? reason, int status)
    {
        Count(operation, status);
        if (reason is not null && Answers.Enabled) Answers.Add(1, new TagList { { "reason", reason } });
    }

    /// <summary>The upstream's answer was passed on.</summary>
    public static void Forwarded(string operation, int status, TimeSpan took)
    {
        Count(operation, status);
        if (Upstream.Enabled) Upstream.Record(took.TotalSeconds, new TagList { { "operation", operation } });
    }

    /// <summary>An event of Stripe's, signed.</summary>
    public static void Webhook(string outcome) => Webhooks.Add(1, new TagList { { "outcome", outcome } });

    /// <summary>A payment to an upstream came to <c>settled</c>, <c>unknown</c>, <c>released</c> or <c>lost</c>, or was <c>refused</c> or <c>capped</c> before it was made. What is settled is spent.</summary>
    public static void Bought(string protocol, string outcome, string operation, long units, string currency)
    {
        if (Purchases.Enabled) Purchases.Add(1, new TagList { { "protocol", protocol }, { "outcome", outcome } });
        if (outcome == "settled" && Spent.Enabled) Spent.Add(units, new TagList { { "operation", operation }, { "currency", currency } });
    }

    /// <summary>A saved card was charged, or was not.</summary>
    public static void ToppedUp(string outcome) => TopUps.Add(1, new TagList { { "outcome", outcome } });

    public static void Verified(string method, TimeSpan took)
    {
        if (Verification.Enabled) Verification.Record(took.TotalSeconds, new TagList { { "method", method } });
    }

    public static void Settled(string method, TimeSpan took)
    {
        if (Settlement.Enabled) Settlement.Record(took.TotalSeconds, new TagList { { "method", method } });
    }

    /// <summary>A payment came to <c>settled</c>, <c>failed</c> or <c>unknown</c>. Only what was settled is revenue.</summary>
    public static void Paid(string method, string outcome, string operation, long units, string currency)
    {
        if (Payments.Enabled) Payments.Add(1, new TagList { { "method", method }, { "outcome", outcome } });
        if (outcome == "settled" && Revenue.Enabled) Revenue.Add(units, new TagList { { "operation", operation }, { "currency", currency } });
    }

    /// <summary>An upstream told more than was held for, another model than was asked for, or nothing at all.</summary>
    public static void Alarmed(string operation, string alarm)
    {
        if (Oddities.Enabled) Oddities.Add(1, new TagList { { "operation", operation }, { "alarm", alarm } });
    }

    /// <summary>A destination of usage export was told, or not.</summary>
    public static void Exported(string destination, string outcome, int events)
    {
        if (Exports.Enabled) Exports.Add(events, new TagList { { "destination", destination }, { "outcome", outcome } });
    }

    /// <summary>A batch of writes is durable.</summary>
    public static void Committed(int writes, TimeSpan took)
    {
        if (Writes.Enabled) Writes.Add(writes);
        if (Commits.Enabled) Commits.Record(took.TotalSeconds);
    }

    private static void Count(string? operation, int status)
    {
        if (Calls.Enabled) Calls.Add(1, new TagList { { "operation", operation ?? "none" }, { "http.response.status_code", Statuses[status is >= 0 and < 600 ? status : 0] } });
    }
}
