using System.Diagnostics;
using System.Globalization;
using Turnpike.Audit;
using Turnpike.Ledger;
using Turnpike.Storage;

namespace Turnpike.Bench.Stores;

/// <summary>How long <c>turnpike store copy</c> takes, and how much memory, from a file to a server and back: for a tenth of the entries, and for all of them.</summary>
internal static class CopyBench
{
    private const int Tokens = 10_000, Callers = 512;

    public static async Task RunAsync(string[] args)
    {
        var entries = Program.Option(args, "--entries", 1_000_000);
        await using var cluster = await PostgresCluster.StartAsync();
        if (cluster is null)
        {
            Table.Skipped("store copy", "skipped: PostgreSQL is not installed (Debian package postgresql-15)");
            return;
        }
        var folder = Directory.CreateTempSubdirectory("turnpike-bench-");
        try
        {
            var tenth = await MoveAsync(cluster, folder.FullName, entries / 10);
            var all = await MoveAsync(cluster, folder.FullName, entries);
            Table.AtMost("memory of a copy of all / of a tenth", (double)all / tenth, 1.2, "×");
        }
        finally { folder.Delete(recursive: true); }
    }

    /// <summary>There and back; the most memory the first took, in KiB.</summary>
    private static async Task<long> MoveAsync(PostgresCluster cluster, string folder, int entries)
    {
        var (file, back, server) = ($"sqlite:{Path.Combine(folder, $"{entries}.db")}", $"sqlite:{Path.Combine(folder, $"{entries}-back.db")}", await cluster.DatabaseAsync());
        using (var database = Database.Open(new StorageOptions(file), TimeProvider.System))
        using (var audit = new AuditTrail(database, TimeProvider.System, "1"))
        {
            var ledger = new SqlLedger(database, audit, "bench");
            await Parallel.ForEachAsync(Enumerable.Range(0, entries / 2), new ParallelOptions { MaxDegreeOfParallelism = Callers }, async (i, ct) =>
                await ledger.PostAsync(new Transfer($"move-{i}", "external:owner", $"token:{i % Tokens}", Rows.Price, "issue", LimitedFrom: false, LimitedTo: true) { Events = [Rows.NewEvent(AuditKinds.TokenToppedUp, $"move-{i}", "t")] }, ct));
        }
        var most = await CopyAsync(entries, "to PostgreSQL", file, server);
        await CopyAsync(entries, "to SQLite", server, back);
        return most;
    }

    private static async Task<long> CopyAsync(int entries, string what, string from, string to)
    {
        var watch = Stopwatch.StartNew();
        using var copy = Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "turnpike.dll"), "store", "copy", "--from", from, "--to", to]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (said, most) = (Task.WhenAll(copy.StandardOutput.ReadToEndAsync(), copy.StandardError.ReadToEndAsync()), 0L);
        while (!copy.HasExited)
        {
            most = Math.Max(most, Peak(copy.Id));
            await Task.Delay(50);
        }
        if (copy.ExitCode != 0) throw new InvalidOperationException($"store copy {what} ended with {copy.ExitCode}: {string.Join('\n', await said)}");
        Table.Told(string.Create(CultureInfo.InvariantCulture, $"store copy {what}, {entries:N0} entries and {entries / 2:N0} events"), string.Create(CultureInfo.InvariantCulture, $"{watch.Elapsed.TotalSeconds:F1} s, {most / 1024} MiB"));
        return most;
    }

    /// <summary>The most a process has had in memory, in KiB (proc(5): VmHWM).</summary>
    private static long Peak(int process)
    {
        try { return File.ReadLines($"/proc/{process}/status").Where(line => line.StartsWith("VmHWM:", StringComparison.Ordinal)).Select(line => long.Parse(line["VmHWM:".Length..^2], NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture)).FirstOrDefault(); }
        catch (IOException) { return 0; }
    }
}
