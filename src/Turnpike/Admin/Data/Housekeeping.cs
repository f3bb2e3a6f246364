using Turnpike.Catalog.Loading;
using Turnpike.Storage;

namespace Turnpike.Admin.Data;

/// <summary>Drops what need not be kept any longer, in steps small enough that no call waits for them. Every node does it; to drop twice is to drop once.</summary>
internal sealed partial class Housekeeping(Database database, TrailRetention trail, CatalogSource catalog, TimeProvider time, ILogger<Housekeeping> log) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1), Between = TimeSpan.FromMilliseconds(100);
    private long emptied; // the last hold that was looked at; from the beginning after a start

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await Task.Delay(Pause, time, stoppingToken);
            try
            {
                while (await StepAsync(stoppingToken)) await Task.Delay(Between, time, stoppingToken);
            }
            catch (Exception e) when (e is StorageException or StorageUnavailableException or IOException or UnauthorizedAccessException)
            {
                Log.Failed(log, e);
            }
        }
    }

    /// <summary>A step of every class; true when one of them may have more.</summary>
    public async ValueTask<bool> StepAsync(CancellationToken ct)
    {
        if (catalog.Current.Settings.Get<RetentionSettings>() is not { } keep) return false;
        var (now, more) = (time.GetUtcNow(), false);
        if (keep.Audit is { } audit) more |= await trail.StepAsync(now - audit, keep.Archive, ct);
        if (keep.Usage is { } usage) more |= await database.WriteAsync(sql => RetentionStore.DropUsage(sql, now - usage), ct) == RetentionStore.Step;
        if (keep.Usage is { } taken) more |= await database.WriteAsync(sql => RetentionStore.DropTakes(sql, now - taken), ct) == RetentionStore.Step;
        if (keep.Approvals is { } approvals) more |= await database.WriteAsync(sql => RetentionStore.DropApprovals(sql, now - approvals), ct) == RetentionStore.Step;
        if (keep.Payments is { } payments) more |= await EmptyPaymentsAsync(now - payments, ct);
        return more;
    }

    private async ValueTask<bool> EmptyPaymentsAsync(DateTimeOffset before, CancellationToken ct)
    {
        var after = emptied;
        if (await database.ReadAsync(sql => RetentionStore.NextPayments(sql, after, before), ct) is not { } last) return false;
        await database.WriteAsync(sql => RetentionStore.EmptyPayments(sql, after, last, before), ct);
        emptied = last;
        return true;
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Error, Message = "What is too old could not be dropped; the next round tries again.")]
        public static partial void Failed(ILogger logger, Exception exception);
    }
}
