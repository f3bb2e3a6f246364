using Turnpike.Storage;

namespace Turnpike.Billing.Automatic;

/// <summary>Looks every second at what is to be topped up. Every node does it: an order is made and charged once.</summary>
internal sealed partial class TopUpRounds(TopUps topUps, TimeProvider time, ILogger<TopUpRounds> log) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Pause, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try { await topUps.RoundAsync(stoppingToken); }
            catch (StorageUnavailableException) { /* it is told elsewhere, once, that nothing is written */ }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested) { Log.Failed(log, e); }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Error, Message = "Automatic top-ups could not be looked at; the next round tries again.")]
        public static partial void Failed(ILogger logger, Exception exception);
    }
}
