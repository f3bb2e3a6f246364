namespace Turnpike.Payments.Evm;

/// <summary>Looks after the chains: compares each with its configuration at start and every quarter of an hour, and keeps its queue without gaps.</summary>
internal sealed partial class ChainWatch(EvmChains chains, TimeProvider time, ILogger<ChainWatch> log) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(15), CheckedFor = TimeSpan.FromMinutes(15);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every, time);
        do await RoundAsync(stoppingToken);
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    /// <summary>One look at every chain.</summary>
    public async Task RoundAsync(CancellationToken ct)
    {
        foreach (var chain in chains.InUse())
        {
            try
            {
                if (chain.Checked is null || time.GetUtcNow() - chain.Checked >= CheckedFor) await CheckAsync(chain, ct);
                await chain.Facilitator.TendAsync(ct);
            }
            catch (NodeSilentException silent) { Log.Silent(log, chain.Settings.Network, silent.Message); }
            // One chain's trouble, a request given up among them, must not end the watch over the others, and with it the host.
            catch (Exception e) when (!ct.IsCancellationRequested) { Log.Failed(log, chain.Settings.Network, e); }
        }
    }

    private async ValueTask CheckAsync(EvmChain chain, CancellationToken ct)
    {
        var refused = await chain.Facilitator.CheckAsync(ct);
        chain.Checked = time.GetUtcNow();
        if (refused == chain.Refused) return;
        chain.Refused = refused;
        if (refused is not null) Log.Refused(log, chain.Settings.Network, refused);
        else Log.Well(log, chain.Settings.Network);
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Error, Message = "Payments on {Network} are not offered: {Why}.")]
        public static partial void Refused(ILogger logger, string network, string why);

        [LoggerMessage(Level = LogLevel.Information, Message = "Payments on {Network} are offered again.")]
        public static partial void Well(ILogger logger, string network);

        [LoggerMessage(Level = LogLevel.Warning, Message = "The node or facilitator of {Network} does not answer: {Why}")]
        public static partial void Silent(ILogger logger, string network, string why);

        [LoggerMessage(Level = LogLevel.Error, Message = "Looking after {Network} failed; the next round tries again.")]
        public static partial void Failed(ILogger logger, string network, Exception exception);
    }
}
