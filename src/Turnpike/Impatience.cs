using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Turnpike;

/// <summary>The first signal is the host's, which drains. A second one stops at once: the next start, or another node, finishes what was open.</summary>
internal sealed class Impatience : IDisposable
{
    private readonly PosixSignalRegistration[] heard;
    private int signals;

    public Impatience() => heard = [PosixSignalRegistration.Create(PosixSignal.SIGTERM, Hear), PosixSignalRegistration.Create(PosixSignal.SIGINT, Hear)];

    public void Dispose()
    {
        foreach (var signal in heard) signal.Dispose();
    }

    private void Hear(PosixSignalContext signal)
    {
        signal.Cancel = true;
        if (Interlocked.Increment(ref signals) == 1) return;
        using var self = Process.GetCurrentProcess();
        self.Kill();
    }
}
