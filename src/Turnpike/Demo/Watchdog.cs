using System.Diagnostics;

namespace Turnpike.Demo;

/// <summary>
/// Starts a child that cannot outlive us: a shell beside it holds the reading end of a pipe and kills the child when the pipe closes.
/// The kernel closes it when we die, by <c>kill -9</c> too. (PR_SET_PDEATHSIG would not do: it follows the thread that forked, and
/// pool threads end.)
/// </summary>
internal static class Watchdog
{
    private const string Shell = """
        exec 3<&0
        { cat <&3; kill -9 $$; } >/dev/null 2>&1 &
        exec "$0" "$@" </dev/null 3<&-
        """;

    /// <summary>How to start <paramref name="program"/>: the process that results is the program itself, and its standard input the lifeline, to be closed at the end.</summary>
    public static ProcessStartInfo Beside(string program, IEnumerable<string> args) =>
        OperatingSystem.IsWindows()
            ? new ProcessStartInfo(program, args) { RedirectStandardInput = true }
            : new ProcessStartInfo("/bin/sh", ["-c", Shell, program, .. args]) { RedirectStandardInput = true };

    /// <summary>Ends the child now, waits at most five seconds for it, and lets go of the lifeline.</summary>
    public static async ValueTask KillAsync(Process process)
    {
        process.Kill();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        await process.WaitForExitAsync(limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        process.StandardInput.Close();
    }
}
