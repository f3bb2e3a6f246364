using System.Diagnostics.Metrics;
using Turnpike.Ledger;
using Turnpike.Storage;

namespace Turnpike.Admin;

/// <summary>
/// The books as gauges: what is held, and the settlements nobody knows the outcome of, with the age of the oldest: the one number to
/// be woken for. Read when somebody scrapes, at most once a second.
/// </summary>
internal sealed class BooksGauges : IHostedService, IDisposable
{
    private const int MostRead = 10_000;

    private readonly Database database;
    private readonly TimeProvider time;
    private readonly Meter meter = new("turnpike.books");
    private readonly Lock reading = new();
    private IReadOnlyList<HoldState> open = [];
    private DateTimeOffset read = DateTimeOffset.MinValue;

    public BooksGauges(Database database, TimeProvider time)
    {
        (this.database, this.time) = (database, time);
        meter.CreateObservableGauge("turnpike.held", Held, "{unit}", "Money reserved by calls in progress, in smallest units (1e-9), by currency.");
        meter.CreateObservableGauge("turnpike.payments.unknown", () => Unknown().Count(), "{payment}", "Payments nobody knows the outcome of yet.");
        meter.CreateObservableGauge("turnpike.payments.unknown.age", Age, "s", "Age of the oldest payment of unknown outcome.");
        meter.CreateObservableGauge("turnpike.store.failed", () => database.Writer.Failure is null ? 0 : 1, null, "1 when nothing is written any more.");
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken)
    {
        Dispose(); // before the database closes
        return Task.CompletedTask;
    }

    public void Dispose() => meter.Dispose();

    private IEnumerable<Measurement<long>> Held() =>
        [.. Open().Where(h => h.Status == HoldStatus.Held).GroupBy(h => h.Hold.Ceiling.Currency).Select(g => new Measurement<long>(g.Sum(h => h.Hold.Ceiling.Units), new KeyValuePair<string, object?>("currency", g.Key)))];

    private double Age() => Unknown().Select(h => (time.GetUtcNow() - h.Created).TotalSeconds).DefaultIfEmpty(0).Max();

    private IEnumerable<HoldState> Unknown() => Open().Where(h => h.Status == HoldStatus.Unknown);

    private IReadOnlyList<HoldState> Open()
    {
        lock (reading)
        {
            if (time.GetUtcNow() - read < TimeSpan.FromSeconds(1)) return open;
            // One thread waits, once a second at most.
            open = database.ReadAsync(sql => OpenHoldsStore.Read(sql, MostRead), CancellationToken.None).AsTask().GetAwaiter().GetResult();
            read = time.GetUtcNow();
            return open;
        }
    }
}
