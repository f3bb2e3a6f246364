using Turnpike.Storage;

namespace Turnpike.Billing;

/// <summary>From time to time, what Stripe has told and nobody has dealt with. Every node does it: each part of a reversal is posted once.</summary>
internal sealed partial class SaleRounds(TokenSale sale, Disputes.ChargeDesk charges, TimeProvider time, ILogger<SaleRounds> log) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Pause, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await sale.CatchUpAsync(stoppingToken);
                await charges.CatchUpAsync(stoppingToken);
            }
            catch (StorageUnavailableException) { /* it is told elsewhere, once, that nothing is written */ }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested) { Log.Failed(log, e); }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Error, Message = "What Stripe told of a sale could not be booked; the next round tries again.")]
        public static partial void Failed(ILogger logger, Exception exception);
    }
}
