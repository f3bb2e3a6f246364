using System.Diagnostics.Metrics;
using Turnpike.Ledger;
using Turnpike.Storage;

namespace Turnpike.Admin;

/// <summary>
/// The books as gauges: what is held, and the settlements nobody knows the outcome of, with the age of the oldest: the one number to
/// be woken for. Read when somebody scrapes, at most once a second. While the database is away they tell nothing: no number would be true.
/// </summary>
internal sealed class BooksGauges : IHostedService, IDisposable
{
    private const int MostRead = 10_000;

    private readonly Database database;
    private readonly TimeProvider time;
    private readonly Meter meter = new("turnpike.books");
    private readonly Lock reading = new();
    private Reading? last; // null: nobody knows
    private DateTimeOffset read = DateTimeOffset.MinValue;

    public BooksGauges(Database database, TimeProvider time)
    {
        (this.database, this.time) = (database, time);
        meter.CreateObservableGauge("turnpike.held", Held, "{unit}", "Money reserved by calls in progress, in smallest units (1e-9), by currency.");
        meter.CreateObservableGauge("turnpike.payments.unknown", Unknown, "{payment}", "Payments nobody knows the outcome of yet.");
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
        [.. (Read()?.Held ?? []).GroupBy(h => h.Hold.Ceiling.Currency).Select(g => new Measurement<long>(g.Sum(h => h.Hold.Ceiling.Units), new KeyValuePair<string, object?>("currency", g.Key)))];

    private IEnumerable<Measurement<long>> Unknown() => Read() is { } now ? [new(now.Unknown)] : [];

    private IEnumerable<Measurement<double>> Age() => Read() is { } now ? [new(now.Oldest is { } oldest ? (time.GetUtcNow() - oldest).TotalSeconds : 0)] : [];

    private Reading? Read()
    {
        lock (reading)
        {
            if (time.GetUtcNow() - read < TimeSpan.FromSeconds(1)) return last;
            try
            {
                // One thread waits, once a second at most, and for no server that is known to be away.
                last = database is { IsShared: true, Writer.Failure: not null } ? null : database.ReadAsync(Look, CancellationToken.None).AsTask().GetAwaiter().GetResult();
            }
            catch (StorageUnavailableException)
            {
                last = null;
            }
            read = time.GetUtcNow();
            return last;
        }
    }

    private static Reading Look(Sql sql)
    {
        var (unknown, oldest) = OpenHoldsStore.Unknown(sql);
        return new Reading(OpenHoldsStore.Held(sql, MostRead), unknown, oldest);
    }

    private sealed record Reading(IReadOnlyList<HoldState> Held, long Unknown, DateTimeOffset? Oldest);
}
