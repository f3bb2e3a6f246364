using System.Diagnostics;
using System.Globalization;

namespace Turnpike.Bench;

/// <summary>What the gateway's process holds after a hundred thousand paid calls and after a million, or as many as the time allows.</summary>
internal static class MemoryBench
{
    private const long Early = 100_000, Late = 1_000_000;
    private const int Slice = 5;

    public static async Task RunAsync(string[] args)
    {
        var longest = TimeSpan.FromSeconds(Program.Option(args, "--most-seconds", 300));
        await using var stage = await Stage.SetAsync();
        var target = new Uri(stage.Gateway, "/forecast/paris");
        var watch = Stopwatch.StartNew();
        long calls = 0, early = 0, late = 0;
        while (calls < Late && watch.Elapsed < longest)
        {
            if (await Wrk.RunAsync(target, 64, Slice, stage.Token) is not { } run)
            {
                Table.Skipped("memory", "skipped: wrk is not installed (Debian package wrk)");
                return;
            }
            if (run.NotGood > 0) throw new InvalidOperationException($"{run.NotGood} of {run.Requests} answers were not 2xx.");
            calls += run.Requests;
            late = WorkingSet(stage.GatewayProcess);
            if (early == 0 && calls >= Early) early = late;
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"memory: {early / 1024 / 1024} MiB after {Early:N0} paid calls, {late / 1024 / 1024} MiB after {calls:N0}"));
        if (calls < Late) Table.Skipped("memory", string.Create(CultureInfo.InvariantCulture, $"only {calls:N0} calls in {longest.TotalSeconds:N0} s"));
        else Table.AtMost("working set after 1M paid calls / after 100k", (double)late / early, 1.25, "×");
    }

    private static long WorkingSet(int id)
    {
        using var process = Process.GetProcessById(id);
        return process.WorkingSet64;
    }
}
