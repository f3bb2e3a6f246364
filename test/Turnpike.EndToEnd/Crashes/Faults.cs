using System.Diagnostics;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Crashes;

/// <summary>
/// strace at the thread that writes a gateway's books: the N-th time it makes the disk keep something, the process dies there or the
/// disk fails. Every point of a payment at which a crash can matter is such a time.
/// </summary>
internal sealed class Faults : IAsyncDisposable
{
    private const string Writer = "turnpike writer";
    private readonly Process strace;

    private Faults(Process strace) => this.strace = strace;

    /// <summary>Skips where strace is missing or may not look into other processes.</summary>
    public static void Require()
    {
        try
        {
            using var probe = Process.Start(new ProcessStartInfo("strace", ["-qq", "-o", "/dev/null", "true"]) { RedirectStandardError = true })!;
            probe.WaitForExit();
            if (probe.ExitCode != 0) Assert.Skip("strace may not trace here.");
        }
        catch (System.ComponentModel.Win32Exception) { Assert.Skip("strace is not installed."); }
    }

    /// <param name="what"><c>signal=KILL</c> or <c>error=EIO</c>.</param>
    /// <param name="when">1 for the first time from now on.</param>
    public static async Task<Faults> AtAsync(TurnpikeProcess gateway, string what, int when)
    {
        var thread = WriterOf(gateway.Id);
        var strace = Process.Start(new ProcessStartInfo("strace", ["-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync", "-e", $"inject=fsync,fdatasync:{what}:when={when}", "-p", thread]) { RedirectStandardError = true })!;
        for (var wait = 0; wait < 3_000; wait++)
        {
            if ((await File.ReadAllLinesAsync($"/proc/{gateway.Id}/task/{thread}/status")).Any(line => line.StartsWith("TracerPid:", StringComparison.Ordinal) && !line.EndsWith("\t0", StringComparison.Ordinal))) return new Faults(strace);
            await Task.Delay(10);
        }
        throw new ShouldAssertException("strace did not attach.");
    }

    public async ValueTask DisposeAsync()
    {
        if (!strace.HasExited) Process.Start("kill", ["-TERM", $"{strace.Id}"])!.WaitForExit(); // lets go of the thread; a harder end would as well, but might leave it stopped
        using var limit = new CancellationTokenSource(Until.Patience);
        await strace.WaitForExitAsync(limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        strace.Dispose();
    }

    private static string WriterOf(int process) =>
        Directory.EnumerateDirectories($"/proc/{process}/task").Single(task => File.ReadAllText(Path.Combine(task, "comm")).Trim() == Writer).Split('/')[^1];
}
