using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Npgsql;
using Turnpike.Demo;

namespace Turnpike.Bench.Stores;

/// <summary>
/// A PostgreSQL of the benchmark's own, in a temporary folder, durable as a server out of the box is. It gets 512 MiB of buffers and a
/// log that is not cut up within a run. It does not run as root: then it is started as <c>postgres</c>.
/// </summary>
internal sealed class PostgresCluster : IAsyncDisposable
{
    private static readonly string? Programs = Directory.Exists("/usr/lib/postgresql")
        ? Directory.GetDirectories("/usr/lib/postgresql").Select(version => Path.Combine(version, "bin")).Order(StringComparer.Ordinal).LastOrDefault(bin => File.Exists(Path.Combine(bin, "initdb")))
        : null;

    private readonly string folder = Directory.CreateTempSubdirectory("turnpike-bench-pg-").FullName;
    private readonly int port = FreePort();
    private Process? process;
    private int databases;

    /// <summary>Null when PostgreSQL is not installed.</summary>
    public static async Task<PostgresCluster?> StartAsync()
    {
        if (Programs is null) return null;
        var cluster = new PostgresCluster();
        try
        {
            if (Environment.IsPrivilegedProcess) await RunAsync(new ProcessStartInfo("chown", ["-R", "postgres", cluster.folder]));
            await RunAsync(Described("initdb", ["-D", cluster.Data, "-U", "turnpike", "-A", "trust", "-E", "UTF8", "--locale", "C.UTF-8"], beside: false));
            await cluster.ServeAsync();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>The location of a fresh database.</summary>
    public async Task<string> DatabaseAsync()
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"bench_{++databases}");
        await AskAsync($"create database {name}", "postgres");
        return string.Create(CultureInfo.InvariantCulture, $"postgres://turnpike@127.0.0.1:{port}/{name}");
    }

    /// <summary>Writes back what is dirty, so that it is not done in the middle of what is measured.</summary>
    public Task CheckpointAsync() => AskAsync("checkpoint", "postgres");

    /// <summary>What the sessions that are open now have used so far.</summary>
    public TimeSpan ProcessorTime()
    {
        var ticks = 0L;
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out _)) continue;
            try
            {
                // After the name in brackets: the parent is the second field, user and system time the twelfth and thirteenth, in hundredths (proc(5)).
                var stat = File.ReadAllText(Path.Combine(folder, "stat"));
                var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
                if (int.Parse(fields[1], CultureInfo.InvariantCulture) == process!.Id) ticks += long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture);
            }
            catch (IOException)
            {
                // it ended meanwhile
            }
        }
        return TimeSpan.FromMilliseconds(ticks * 10);
    }

    public async Task<object?> AskAsync(string sql, string database)
    {
        await using var connection = new NpgsqlConnection(string.Create(CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={port};Username=turnpike;Database={database};Pooling=false;Timeout=5;CommandTimeout=600"));
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (process is not null)
        {
            await Watchdog.KillAsync(process);
            process.Dispose();
            for (var wait = 0; wait < 100 && await AnswersAsync(); wait++) await Task.Delay(50);
        }
        Directory.Delete(folder, recursive: true);
    }

    private string Data => Path.Combine(folder, "data");

    private async Task ServeAsync()
    {
        string[] settings =
        [
            "-D", Data, "-p", port.ToString(CultureInfo.InvariantCulture), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
            "-c", "fsync=on", "-c", "synchronous_commit=on", "-c", "shared_buffers=512MB", "-c", "max_wal_size=16GB", "-c", "checkpoint_timeout=1h",
        ];
        process = Process.Start(Described("postgres", settings, beside: true))!;
        process.OutputDataReceived += static (_, _) => { };
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        for (var wait = 0; wait < 600 && !process.HasExited; wait++)
        {
            if (await AnswersAsync()) return;
            await Task.Delay(50);
        }
        throw new InvalidOperationException("postgres did not start.");
    }

    private async Task<bool> AnswersAsync()
    {
        try
        {
            await AskAsync("select 1", "postgres");
            return true;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }

    private static ProcessStartInfo Described(string program, string[] args, bool beside)
    {
        var path = Path.Combine(Programs!, program);
        string[] words = Environment.IsPrivilegedProcess ? ["setpriv", "--reuid", "postgres", "--clear-groups", "--", path, .. args] : [path, .. args];
        var start = beside ? Watchdog.Beside(words[0], words[1..]) : new ProcessStartInfo(words[0], words[1..]);
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        start.WorkingDirectory = "/";
        return start;
    }

    private static async Task RunAsync(ProcessStartInfo start)
    {
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        using var program = Process.Start(start)!;
        var said = (program.StandardOutput.ReadToEndAsync(), program.StandardError.ReadToEndAsync());
        await program.WaitForExitAsync();
        if (program.ExitCode != 0) throw new InvalidOperationException($"{start.FileName} ended with {program.ExitCode}: {await said.Item1}{await said.Item2}");
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
