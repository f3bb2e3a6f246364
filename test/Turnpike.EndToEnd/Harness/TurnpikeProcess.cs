using System.Diagnostics;
using System.Net;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;
using Turnpike.Demo;

namespace Turnpike.EndToEnd.Harness;

/// <summary>
/// The gateway as users run it: the built <c>turnpike.dll serve</c> in a process and a folder of its own. The scenario's text stays
/// as it is; a copy beside its data adds the free ports.
/// </summary>
internal sealed partial class TurnpikeProcess : IAsyncDisposable
{
    private static readonly HttpMessageInvoker Probe = new(new SocketsHttpHandler { UseProxy = false });
    private readonly Dictionary<string, string> environment;
    private readonly StringBuilder log = new();
    private Process? process;
    private int lives;

    private TurnpikeProcess(string folder, string config, Uri url, Uri admin, Dictionary<string, string> environment) =>
        (Folder, Config, Url, Admin, this.environment) = (folder, config, url, admin, environment);

    /// <summary>The working directory: configuration and data.</summary>
    public string Folder { get; }

    public string Config { get; }

    /// <summary>Where callers go.</summary>
    public Uri Url { get; }

    /// <summary>Where operators go.</summary>
    public Uri Admin { get; }

    /// <summary>The running process.</summary>
    public int Id => process!.Id;

    /// <summary>It runs; false when it was killed and not started again.</summary>
    public bool Lives => process is { HasExited: false };

    /// <summary>All it has said so far, and how it ended where nobody told it to.</summary>
    public string Log
    {
        get { lock (log) return process is { HasExited: true } ended ? $"{log}(ended with exit code {ended.ExitCode})" : log.ToString(); }
    }

    /// <summary>Starts a scenario of the contract in a fresh folder and waits until it is ready.</summary>
    public static Task<TurnpikeProcess> StartAsync(string scenario, params (string Name, string Value)[] variables) => StartOnAsync(scenario, null, variables);

    /// <summary>The same with a part of the scenario changed.</summary>
    public static Task<TurnpikeProcess> StartAsync(string scenario, Func<string, string> change, params (string Name, string Value)[] variables) => StartOnAsync(scenario, null, change, variables);

    /// <param name="variables">Those named <c>gateway.x</c> are keys of the document's section, the others of the environment.</param>
    /// <param name="store">Instead of the scenario's own; given by a variable, because it holds a password.</param>
    public static Task<TurnpikeProcess> StartOnAsync(string scenario, string? store, params (string Name, string Value)[] variables) => StartOnAsync(scenario, store, text => text, variables);

    /// <summary>Both: another store, and a part of the scenario changed.</summary>
    public static async Task<TurnpikeProcess> StartOnAsync(string scenario, string? store, Func<string, string> change, params (string Name, string Value)[] variables)
    {
        var environment = new Dictionary<string, string>(Checkout.Variables());
        foreach (var (name, value) in variables) environment[name] = value;
        var folder = Directory.CreateTempSubdirectory("turnpike-e2e-").FullName;
        var (port, admin) = (Ports.Next(), Ports.Next());
        var url = variables.FirstOrDefault(each => each.Name == "gateway.url").Value ?? $"http://127.0.0.1:{port}";
        var text = change(await File.ReadAllTextAsync(Path.Combine(Checkout.Contract, scenario)));
        text = text.Replace("\ngateway:\n", $"\ngateway:\n  url: {url}\n  listen: http://127.0.0.1:{port}\n  admin: http://127.0.0.1:{admin}\n", StringComparison.Ordinal);
        foreach (var (name, value) in variables.Where(each => each.Name.StartsWith("gateway.", StringComparison.Ordinal) && each.Name != "gateway.url"))
            text = text.Replace("\ngateway:\n", $"\ngateway:\n  {name["gateway.".Length..]}: {value}\n", StringComparison.Ordinal);
        if (store is not null)
        {
            environment["TURNPIKE_STORE"] = store;
            text = StoreLine().Replace(text, "  store: ${env:TURNPIKE_STORE}");
        }
        var config = Path.Combine(folder, scenario);
        await File.WriteAllTextAsync(config, text);
        var gateway = new TurnpikeProcess(folder, config, new Uri($"http://127.0.0.1:{port}"), new Uri($"http://127.0.0.1:{admin}"), environment);
        await gateway.StartAgainAsync();
        return gateway;
    }

    /// <summary>Starts a scenario exactly as it is written, on the ports it leaves to the default.</summary>
    public static async Task<TurnpikeProcess> StartUnchangedAsync(string scenario, params (string Name, string Value)[] variables)
    {
        var environment = new Dictionary<string, string>(Checkout.Variables());
        foreach (var (name, value) in variables) environment[name] = value;
        var folder = Directory.CreateTempSubdirectory("turnpike-e2e-").FullName;
        var gateway = new TurnpikeProcess(folder, Path.Combine(Checkout.Contract, scenario), new Uri("http://127.0.0.1:8402"), new Uri("http://127.0.0.1:8403"), environment);
        await gateway.StartAgainAsync();
        return gateway;
    }

    /// <summary>
    /// The same under a name that no node had: who comes back under the name of one that was killed waits on a server until its lease
    /// has lapsed, which is a test of its own (<c>NodeLeaseTests</c>, <c>TwoNodesTests</c>) and six seconds in every other.
    /// </summary>
    public async Task StartAgainAnewAsync()
    {
        var text = await File.ReadAllTextAsync(Config);
        NodeLine().IsMatch(text).ShouldBeTrue("it has a name");
        await File.WriteAllTextAsync(Config, NodeLine().Replace(text, $"  node: $1-{++lives}"));
        await StartAgainAsync();
    }

    /// <summary>Starts it on the same folder and ports, and waits until it is ready.</summary>
    public async Task StartAgainAsync()
    {
        process = Launch("serve", "--config", Config);
        var ready = new Uri(Admin, "/health/ready");
        for (var wait = 0; wait < 4_800; wait++)
        {
            if (process.HasExited) throw new ShouldAssertException($"turnpike serve ended with exit code {process.ExitCode}:\n{Log}");
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, ready);
                using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5));
                using var response = await Probe.SendAsync(request, limit.Token);
                if (response.StatusCode == HttpStatusCode.OK) return;
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
            {
                // not listening yet
            }
            await Task.Delay(25);
        }
        throw new ShouldAssertException($"turnpike serve was not ready in two minutes:\n{Log}");
    }

    /// <summary>kill -9: no goodbye, no flush.</summary>
    public async Task KillAsync()
    {
        if (process is null) return;
        await Watchdog.KillAsync(process);
        process.Dispose();
        process = null;
    }

    /// <summary>SIGTERM, and no waiting.</summary>
    public void Terminate() => Signal(process!.Id, 15);

    /// <summary>Waits for the end it was told to come to; the exit code.</summary>
    public async Task<int> EndedAsync()
    {
        using var limit = new CancellationTokenSource(Until.Patience);
        await process!.WaitForExitAsync(limit.Token);
        var code = process.ExitCode;
        await KillAsync();
        return code;
    }

    /// <summary>SIGTERM, as an orderly machine sends it; returns the exit code.</summary>
    public async Task<int> StopAsync()
    {
        Terminate();
        return await EndedAsync();
    }

    /// <summary>Waits until the process is gone: it was told to die at some point of its work.</summary>
    public async Task DiedAsync()
    {
        using var limit = new CancellationTokenSource(Until.Patience);
        await process!.WaitForExitAsync(limit.Token);
        await KillAsync();
    }

    /// <summary>Sets or, with null, removes a variable for the next start.</summary>
    public void Set(string name, string? value)
    {
        if (value is null) environment.Remove(name);
        else environment[name] = value;
    }

    /// <summary>Runs another verb of the command line on the same configuration.</summary>
    public Task<(int Code, string Said)> RunAsync(params string[] args) => RunAsync(Folder, environment, [.. args, "--config", Config]);

    /// <summary>The owner's two questions: do the books balance, is the trail whole?</summary>
    public async Task BooksBalanceAsync()
    {
        string[] all = ["ledger", "audit"];
        foreach (var (what, (code, said)) in all.Zip(await Task.WhenAll(all.Select(what => RunAsync(what, "verify"))))) code.ShouldBe(0, $"turnpike {what} verify: {said}");
    }

    /// <summary>Runs a verb anywhere, with exactly these variables added; within two minutes.</summary>
    public static async Task<(int Code, string Said)> RunAsync(string folder, IReadOnlyDictionary<string, string> environment, params string[] args)
    {
        using var verb = Process.Start(Describe(folder, environment, args))!;
        var (said, complaints) = (verb.StandardOutput.ReadToEndAsync(), verb.StandardError.ReadToEndAsync());
        using var limit = new CancellationTokenSource(Until.Patience);
        await verb.WaitForExitAsync(limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!verb.HasExited) await Watchdog.KillAsync(verb);
        verb.StandardInput.Close();
        return (verb.ExitCode, await said + await complaints);
    }

    [GeneratedRegex("^  store: .*$", RegexOptions.Multiline)]
    private static partial Regex StoreLine();

    [GeneratedRegex("^  node: ([a-z0-9]+).*$", RegexOptions.Multiline)]
    private static partial Regex NodeLine();

    /// <summary>No story ends without them, whatever it was about and however it ended: what a kill leaves has to balance, too.</summary>
    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        try { await BooksBalanceAsync(); }
        finally { Directory.Delete(Folder, recursive: true); }
    }

    private Process Launch(params string[] args)
    {
        var started = Process.Start(Describe(Folder, environment, args))!;
        started.OutputDataReceived += (_, line) => Keep(line.Data);
        started.ErrorDataReceived += (_, line) => Keep(line.Data);
        started.BeginOutputReadLine();
        started.BeginErrorReadLine();
        return started;
    }

    private static ProcessStartInfo Describe(string folder, IReadOnlyDictionary<string, string> environment, string[] args)
    {
        var start = Watchdog.Beside(Environment.ProcessPath is { } self && Path.GetFileNameWithoutExtension(self) == "dotnet" ? self : "dotnet", [Checkout.Turnpike, .. args]);
        (start.WorkingDirectory, start.RedirectStandardOutput, start.RedirectStandardError) = (folder, true, true);
        foreach (var (name, value) in environment) start.Environment[name] = value;
        return start;
    }

    private void Keep(string? line)
    {
        if (line is not null) lock (log) log.AppendLine(line);
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int process, int signal);
}
