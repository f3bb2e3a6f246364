using System.Diagnostics;
using System.Globalization;

namespace Turnpike.Demo;

/// <summary>A running anvil: a block per transaction and one every second, so that calls see a fresh time.</summary>
internal sealed class AnvilProcess : IAsyncDisposable
{
    private readonly Process process;

    private AnvilProcess(Process process) => this.process = process;

    public bool HasExited => process.HasExited;

    public static AnvilProcess Start(string anvil, int port, ulong chainId)
    {
        string[] args =
        [
            "--host", "127.0.0.1", "--port", port.ToString(CultureInfo.InvariantCulture), "--chain-id", chainId.ToString(CultureInfo.InvariantCulture),
            "--block-time", "1", "--mixed-mining", "--silent",
        ];
        var start = Watchdog.Beside(anvil, args);
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        var process = Process.Start(start) ?? throw new InvalidOperationException("anvil did not start");
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return new AnvilProcess(process);
    }

    public async ValueTask DisposeAsync()
    {
        await Watchdog.KillAsync(process);
        process.Dispose();
    }
}
