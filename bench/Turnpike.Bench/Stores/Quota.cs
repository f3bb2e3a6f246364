using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Turnpike.Bench.Stores;

/// <summary>
/// Keeps a process to a part of one core: by a control group where we may make one (30 ms of every 100 ms, as containers are kept),
/// else by stopping it whenever it has used more than its part, which is coarser and is said in the table.
/// </summary>
internal sealed partial class Quota : IDisposable
{
    private const int Period = 100_000;
    private const int Continue = 18, Stop = 19; // signals
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(2);

    private readonly string? group;
    private readonly string? home; // where its processes go when the group goes
    private readonly CancellationTokenSource end = new();
    private readonly Task? watch;

    private Quota(string group, string home) => (this.group, this.home) = (group, home);

    private Quota(Process process, int thousandths) => watch = Task.Run(() => StopAndGoAsync(process, thousandths, end.Token));

    /// <summary>How the processes of this machine are kept.</summary>
    public static string Way { get; private set; } = "";

    public static Quota On(Process process, int thousandthsOfACore)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"turnpike-bench-{process.Id}");
        var most = (Period / 1000 * thousandthsOfACore).ToString(CultureInfo.InvariantCulture);
        if (TryGroup("/sys/fs/cgroup", name, process, ("cpu.max", string.Create(CultureInfo.InvariantCulture, $"{most} {Period}"))) is { } second) return second;
        if (TryGroup("/sys/fs/cgroup/cpu", name, process, ("cpu.cfs_period_us", Period.ToString(CultureInfo.InvariantCulture)), ("cpu.cfs_quota_us", most)) is { } first) return first;
        Way = "stopped and continued by signals";
        return new Quota(process, thousandthsOfACore);
    }

    public void Dispose()
    {
        end.Cancel();
        watch?.GetAwaiter().GetResult();
        end.Dispose();
        if (group is null) return;
        foreach (var id in File.ReadAllLines(Path.Combine(group, "cgroup.procs"))) TryWrite(Path.Combine(home!, "cgroup.procs"), id);
        TryRemove(group);
    }

    /// <summary>SIGTERM.</summary>
    public static void Terminate(Process process) => _ = Signal(process.Id, 15);

    private static Quota? TryGroup(string parent, string name, Process process, params (string File, string Text)[] settings)
    {
        var group = Path.Combine(parent, name);
        try
        {
            if (!Directory.Exists(parent)) return null;
            Directory.CreateDirectory(group);
            if (settings.All(setting => File.Exists(Path.Combine(group, setting.File)) && TryWrite(Path.Combine(group, setting.File), setting.Text))
                && TryWrite(Path.Combine(group, "cgroup.procs"), process.Id.ToString(CultureInfo.InvariantCulture)))
            {
                Way = "a control group";
                return new Quota(group, parent);
            }
            TryRemove(group);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static bool TryWrite(string file, string text)
    {
        try
        {
            File.WriteAllText(file, text);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static void TryRemove(string group)
    {
        try { Directory.Delete(group); }
        catch (IOException) { /* it goes with the machine */ }
    }

    private static async Task StopAndGoAsync(Process process, int thousandths, CancellationToken ct)
    {
        var (watch, before, stopped) = (Stopwatch.StartNew(), process.TotalProcessorTime, false);
        while (!ct.IsCancellationRequested && !process.HasExited)
        {
            process.Refresh();
            var over = process.TotalProcessorTime - before > watch.Elapsed * thousandths / 1000;
            if (over != stopped) _ = Signal(process.Id, over ? Stop : Continue);
            stopped = over;
            await Task.Delay(Look, CancellationToken.None);
        }
        if (stopped) _ = Signal(process.Id, Continue);
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int process, int signal);
}
