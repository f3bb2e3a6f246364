using System.CommandLine;
using System.Diagnostics;
using System.Text.RegularExpressions;
using Turnpike.Catalog;
using Turnpike.Catalog.Document;
using Turnpike.Identity;
using Turnpike.Payments;

namespace Turnpike.Admin.Cli;

/// <summary><c>turnpike keys scan PATH</c>: looks for keys and tokens of ours in files, and in all that a repository ever held. They are told by place and beginning, never in full.</summary>
internal static partial class KeyScan
{
    private const long MostFile = 64 * 1024 * 1024;

    public static Command Create()
    {
        var path = new Argument<string>("path") { Description = "A file, or a folder with all below it." };
        var history = new Option<bool>("--history") { Description = "Also everything the git repository there ever held." };
        var config = CommandRun.ConfigOption();
        var scan = new Command("scan", "Look for keys and tokens of ours in files and repositories. Exit code 1 when some were found.\nExample: turnpike keys scan . --history") { path, history, config };
        scan.SetAction((p, ct) => RunAsync(p.GetValue(config)!, ConfigEnvironment.Process, p.GetValue(path)!, p.GetValue(history), Console.Out, Console.Error, ct));
        return scan;
    }

    public static Task<int> RunAsync(string config, ConfigEnvironment environment, string path, bool history, TextWriter output, TextWriter err, CancellationToken ct) => CommandRun.RunAsync(config, environment, err, async catalog =>
    {
        if (!File.Exists(path) && !Directory.Exists(path)) return CommandRun.Say(err, $"There is nothing at {path}.", CommandRun.WrongInput);
        var (told, whole) = (new HashSet<(string Place, string Hit)>(), true);
        void Tell(string place, string line)
        {
            foreach (var hit in Hits(line, catalog))
                if (told.Add((place, hit))) output.WriteLine($"{place}  {hit}");
        }
        foreach (var file in File.Exists(path) ? [path] : Directory.EnumerateFiles(path, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint }).Where(f => !IsOfGit(f)))
            whole &= await ReadAsync(file, Tell, err, ct);
        if (history && !await HistoryAsync(path, Tell, err, ct)) return CommandRun.Failed;
        if (told.Count == 0) output.WriteLine(whole ? "Nothing of ours was found." : "Nothing of ours was found in what could be looked through.");
        return told.Count == 0 && whole ? CommandRun.Done : CommandRun.Failed;
    });

    /// <summary>Checksums and HMACs tell ours from what only looks so; no table is asked.</summary>
    private static IEnumerable<string> Hits(string line, ServiceCatalog catalog)
    {
        var own = catalog.Settings.Get<IdentitySettings>()?.KeyPrefix ?? KeyText.Prefix;
        if (!line.Contains("tp", StringComparison.Ordinal) && !line.Contains(own, StringComparison.Ordinal)) yield break;
        foreach (Match match in Key().Matches(line))
            foreach (var prefix in own == KeyText.Prefix ? [own] : new[] { own, KeyText.Prefix })
                if (match.Value[..^KeyText.Rest].EndsWith(prefix, StringComparison.Ordinal) && match.Value[^(prefix.Length + KeyText.Rest)..] is var key && KeyText.IsSound(key, prefix)) yield return $"key {KeyText.Hint(key)}";
        foreach (Match match in Token().Matches(line))
            if (catalog.Settings.Get<PaymentSettings>()?.Prepaid?.Text.Read(match.Value).Id is { } id) yield return $"token {id}";
    }

    private static bool IsOfGit(string file) => file.Contains($"{Path.DirectorySeparatorChar}.git{Path.DirectorySeparatorChar}", StringComparison.Ordinal);

    /// <summary>False when it could not be looked through: then nobody shall believe that it is clean.</summary>
    private static async Task<bool> ReadAsync(string file, Action<string, string> tell, TextWriter err, CancellationToken ct)
    {
        try
        {
            if (new FileInfo(file).Length > MostFile) { CommandRun.Say(err, $"{file} is larger than {MostFile / 1024 / 1024} MiB and was not looked through.", CommandRun.Failed); return false; }
            var number = 0;
            await foreach (var line in File.ReadLinesAsync(file, ct)) tell($"{file}:{++number}", line);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            CommandRun.Say(err, $"{file} could not be looked through: {e.Message}", CommandRun.Failed);
            return false;
        }
    }

    /// <summary>Every commit, its message, and what it added: on branches and off them (a stash, what was amended), by merges, and in binary files.</summary>
    private static async Task<bool> HistoryAsync(string path, Action<string, string> tell, TextWriter err, CancellationToken ct)
    {
        var start = new ProcessStartInfo("git", ["-C", path, "log", "--all", "--reflog", "-m", "-p", "--text", "--no-color", "--no-ext-diff", "--no-textconv", "--format=%x00commit %H%n%B"]) { RedirectStandardOutput = true, RedirectStandardError = true };
        try
        {
            using var git = Process.Start(start)!;
            var complaints = git.StandardError.ReadToEndAsync(ct);
            var (commit, isMessage) = ("", false);
            while (await git.StandardOutput.ReadLineAsync(ct) is { } line)
            {
                if (line.StartsWith("\0commit ", StringComparison.Ordinal)) (commit, isMessage) = (line[8..].Split(' ')[0], true);
                else if (line.StartsWith("diff --git ", StringComparison.Ordinal)) isMessage = false;
                else if (isMessage || line.StartsWith('+')) tell($"commit {commit}", line);
            }
            await git.WaitForExitAsync(ct);
            if (git.ExitCode == 0) return true;
            CommandRun.Say(err, (await complaints).Trim(), CommandRun.Failed);
        }
        catch (System.ComponentModel.Win32Exception) { CommandRun.Say(err, "git is not installed here, so no history was looked at.", CommandRun.Failed); }
        return false;
    }

    [GeneratedRegex("[a-z][a-z0-9]{1,15}_[0-9A-Za-z]{38}(?![0-9A-Za-z])")]
    private static partial Regex Key();

    [GeneratedRegex("tp_[0-9a-z]{26}_[0-9A-Za-z_-]{27}_[0-9a-f]{8}")]
    private static partial Regex Token();
}
