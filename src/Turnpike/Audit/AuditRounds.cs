using Turnpike.Storage;

namespace Turnpike.Audit;

/// <summary>What the trail needs from time to time, and at a clean stop: its end signed. The log says what was signed, so that it is kept elsewhere too.</summary>
internal sealed partial class AuditRounds(AuditTrail trail, InstallationKeys keys, Func<AuditSettings> settings, TimeProvider time, ILogger<AuditRounds> log) : BackgroundService
{
    public async Task RoundAsync(CancellationToken ct)
    {
        if (await trail.SignAsync(keys, ct) is { } signed) Log.Signed(log, signed.Node, signed.Sequence, Convert.ToHexStringLower(signed.Hash));
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await TryRoundAsync(CancellationToken.None);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await Task.Delay(settings().CheckpointEvery, time, stoppingToken);
            await TryRoundAsync(stoppingToken);
        }
    }

    private async Task TryRoundAsync(CancellationToken ct)
    {
        try { await RoundAsync(ct); }
        catch (Exception e) when (!ct.IsCancellationRequested) { Log.Failed(log, e); }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "The audit trail of node {Node} is signed up to {Sequence}, {Hash}.")]
        public static partial void Signed(ILogger logger, string node, long sequence, string hash);

        [LoggerMessage(Level = LogLevel.Error, Message = "The audit trail could not be signed; the next round tries again.")]
        public static partial void Failed(ILogger logger, Exception exception);
    }
}
