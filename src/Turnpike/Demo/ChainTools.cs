using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Turnpike.Demo;

/// <summary>
/// What a local chain is made of: node and npm of the machine, anvil and the Solidity compiler from npm, kept in the user's cache
/// (<c>$XDG_CACHE_HOME/turnpike</c>) and never beside the sources.
/// </summary>
internal sealed class ChainTools
{
    private const string AnvilVersion = "1.7.1";
    private const string SolcVersion = "0.8.28";

    private readonly string folder;
    private readonly Action<string> say;

    private ChainTools(string folder, Action<string> say) => (this.folder, this.say) = (folder, say);

    public string Anvil => Path.Combine(folder, "node_modules", AnvilPackage!, "bin", OperatingSystem.IsWindows() ? "anvil.exe" : "anvil");

    /// <summary>Where the contract and the compile script were copied to by the build.</summary>
    private static string Content => Path.Combine(AppContext.BaseDirectory, "Demo", "chain");

    private static string? AnvilPackage => (OS, RuntimeInformation.ProcessArchitecture) switch
    {
        ({ } os, Architecture.X64) => $"@foundry-rs/anvil-{os}-amd64",
        ({ } os and not "win32", Architecture.Arm64) => $"@foundry-rs/anvil-{os}-arm64",
        _ => null,
    };

    private static string? OS => OperatingSystem.IsLinux() ? "linux" : OperatingSystem.IsMacOS() ? "darwin" : OperatingSystem.IsWindows() ? "win32" : null;

    /// <summary>Installs what is missing and says so; null, with the reason said, when this machine cannot have a chain.</summary>
    public static async Task<ChainTools?> FindAsync(Action<string> say, CancellationToken ct)
    {
        if (AnvilPackage is null) { say("No local chain: anvil is not made for this kind of machine."); return null; }
        if (OnPath("node") is null || OnPath("npm") is null) { say("No local chain: it needs Node.js, and node or npm was not found in PATH."); return null; }
        var tools = new ChainTools(Path.Combine(CacheFolder(), $"chain-anvil-{AnvilVersion}-solc-{SolcVersion}"), say);
        Directory.CreateDirectory(tools.folder);
        await using var _ = await LockAsync(Path.Combine(tools.folder, ".lock"), ct);
        return tools.Installed || await tools.InstallAsync(ct) ? tools : null;
    }

    /// <summary>The dollar's runtime code as 0x text; compiled once per source text, null with the compiler's words said.</summary>
    public async Task<string?> DollarAsync(CancellationToken ct)
    {
        var source = Path.Combine(Content, "Dollar.sol");
        var hash = Convert.ToHexStringLower(SHA256.HashData([.. await File.ReadAllBytesAsync(source, ct), .. await File.ReadAllBytesAsync(Path.Combine(Content, "compile.cjs"), ct)]));
        var result = Path.Combine(folder, $"dollar-{hash[..16]}.txt");
        await using var _ = await LockAsync(Path.Combine(folder, ".lock"), ct);
        if (!File.Exists(result))
        {
            say("Compiling the dollar contract …");
            if (!await RunAsync("node", [Path.Combine(Content, "compile.cjs"), folder, source, result + ".new"], ct)) return null;
            File.Move(result + ".new", result, overwrite: true);
        }
        return await File.ReadAllTextAsync(result, ct);
    }

    private bool Installed => File.Exists(Anvil) && File.Exists(Path.Combine(folder, "node_modules", "solc", "package.json")) && File.Exists(Path.Combine(folder, "installed"));

    private async Task<bool> InstallAsync(CancellationToken ct)
    {
        say("Installing anvil and the Solidity compiler from npm, once …");
        await File.WriteAllTextAsync(Path.Combine(folder, "package.json"), """{ "private": true }""", ct);
        string[] args = ["install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--loglevel=error", $"{AnvilPackage}@{AnvilVersion}", $"solc@{SolcVersion}"];
        if (!await RunAsync("npm", args, ct) || !File.Exists(Anvil)) { say("No local chain: npm could not install it."); return false; }
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(Anvil, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await File.WriteAllTextAsync(Path.Combine(folder, "installed"), "", ct);
        return true;
    }

    /// <summary>Runs to the end within three minutes; what it says is only shown when it fails.</summary>
    private async Task<bool> RunAsync(string command, IReadOnlyList<string> args, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(TimeSpan.FromMinutes(3));
        using var process = new Process { StartInfo = new(OnPath(command)!, args) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true } };
        var told = new StringBuilder();
        process.OutputDataReceived += (_, line) => { lock (told) told.AppendLine(line.Data); };
        process.ErrorDataReceived += (_, line) => { lock (told) told.AppendLine(line.Data); };
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            ct.ThrowIfCancellationRequested();
            say($"{command} took longer than three minutes.");
            return false;
        }
        if (process.ExitCode != 0) say(told.ToString().Trim());
        return process.ExitCode == 0;
    }

    private static string? OnPath(string command) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .SelectMany(folder => new[] { command, command + ".exe", command + ".cmd" }.Select(name => Path.Combine(folder, name)))
            .FirstOrDefault(path => File.Exists(path) && (OperatingSystem.IsWindows() == path.EndsWith(".exe", StringComparison.Ordinal) || path.EndsWith(".cmd", StringComparison.Ordinal)));

    private static string CacheFolder()
    {
        var cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        if (string.IsNullOrEmpty(cache)) cache = string.IsNullOrEmpty(home) ? Path.GetTempPath() : Path.Combine(home, ".cache");
        return Path.Combine(cache, "turnpike");
    }

    /// <summary>One process at a time installs and compiles; the others wait for it.</summary>
    private static async Task<FileStream> LockAsync(string path, CancellationToken ct)
    {
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(200), ct);
            }
        }
    }
}
