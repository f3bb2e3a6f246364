using Turnpike.Storage;

namespace Turnpike.Plans.Grants;

/// <summary>Takes what expired out of the books, a minute later at most; nothing expired is spent meanwhile.</summary>
internal sealed partial class GrantExpiry(GrantDesk grants, TimeProvider time, ILogger<GrantExpiry> log) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Pause, time);
        do
        {
            try { while (await grants.ExpireAsync(stoppingToken)) { } }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested) { Log.Failed(log, e); }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "What expired could not be taken out of the books; it is tried again.")]
        public static partial void Failed(ILogger logger, Exception exception);
    }
}
