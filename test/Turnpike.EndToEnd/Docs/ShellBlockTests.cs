using System.Diagnostics;
using System.Text.RegularExpressions;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Docs;

/// <summary>What the documents tell people to paste is pasted here, block by block, in one shell in an empty folder.</summary>
[Collection(DefaultPorts.Name)]
public sealed partial class ShellBlockTests
{
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(10);

    [Theory]
    [InlineData("README.md")]
    [InlineData("docs/start.md")]
    [InlineData("docs/how-to/meter.md")]
    public async Task Every_shell_block_runs(string document)
    {
        var blocks = Block().Matches(await File.ReadAllTextAsync(Path.Combine(Checkout.Root, document))).Select(m => m.Groups[1].Value).ToList();
        blocks.ShouldNotBeEmpty();
        var folder = Directory.CreateTempSubdirectory("turnpike-docs-").FullName;
        File.CreateSymbolicLink(Path.Combine(folder, "turnpike"), Path.Combine(Checkout.Root, "turnpike"));
        try
        {
            var (code, said) = await RunAsync(folder, Script(blocks));
            code.ShouldBe(0, said);
        }
        finally { Directory.Delete(folder, recursive: true); }
    }

    /// <summary>
    /// The demo is kept running behind the blocks that talk to it, and the test command is left out: this is that command. Every
    /// other line is as it stands.
    /// </summary>
    private static string Script(IEnumerable<string> blocks)
    {
        var lines = string.Join('\n', blocks).Split('\n').Select(line => line.Trim() switch
        {
            "./turnpike test" => "",
            "./turnpike demo" => "./turnpike demo > demo.log 2>&1 & demo=$!; trap 'kill $demo; wait $demo || true' EXIT; for i in $(seq 240); do grep -q 'Ctrl-C' demo.log && break; sleep 0.5; done; grep -q 'Ctrl-C' demo.log || { cat demo.log; exit 1; }",
            _ => line,
        });
        return "set -euo pipefail\n" + string.Join('\n', lines);
    }

    private static async Task<(int Code, string Said)> RunAsync(string folder, string script)
    {
        await File.WriteAllTextAsync(Path.Combine(folder, "blocks.sh"), script);
        var start = new ProcessStartInfo("setsid", ["bash", "blocks.sh"]) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        using var shell = Process.Start(start)!;
        shell.StandardInput.Close();
        var (said, complained) = (shell.StandardOutput.ReadToEndAsync(), shell.StandardError.ReadToEndAsync());
        using var limit = new CancellationTokenSource(Longest);
        try { await shell.WaitForExitAsync(limit.Token); }
        catch (OperationCanceledException)
        {
            shell.Kill(entireProcessTree: true);
            return (-1, $"It did not end within {Longest}.");
        }
        return (shell.ExitCode, await said + await complained);
    }

    [GeneratedRegex("^```sh\n(.*?)^```$", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Block();
}
