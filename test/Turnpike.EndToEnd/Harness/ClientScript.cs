using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Turnpike.Demo;

namespace Turnpike.EndToEnd.Harness;

/// <summary>A third-party client paying a URL in a process of its own. Without node or its packages the test skips with the reason.</summary>
internal static class ClientScript
{
    public static async Task<PaidCall> RunAsync(string script, Uri url, params (string Name, string Value)[] environment)
    {
        var start = Describe(script, [("URL", url.ToString()), .. environment]);
        using var process = Process.Start(start)!;
        var (said, complaints) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        using var limit = new CancellationTokenSource(Until.Patience);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"{script} did not end in two minutes.");
        }
        finally
        {
            if (!process.HasExited) await Watchdog.KillAsync(process);
            process.StandardInput.Close();
        }
        var line = (await said).Split('\n').LastOrDefault(l => l.StartsWith('{'));
        return line is null ? throw new ShouldAssertException($"{script} said nothing: {await complaints}") : PaidCall.Parse(line);
    }

    /// <summary>How to start a script with its packages, or the reason why the test skips.</summary>
    public static ProcessStartInfo Describe(string script, (string Name, string Value)[] environment)
    {
        var folder = Path.Combine(Checkout.Clients, Path.GetDirectoryName(script)!);
        var node = FindNode();
        if (node is null) Assert.Skip("Node.js is missing: real clients cannot be run.");
        if (!Directory.Exists(Path.Combine(folder, "node_modules"))) Assert.Skip($"The packages of {Path.GetFileName(folder)} are missing: ./turnpike test installs them.");
        var start = Watchdog.Beside(node!, [Path.GetFileName(script)]);
        (start.WorkingDirectory, start.RedirectStandardOutput, start.RedirectStandardError) = (folder, true, true);
        foreach (var (name, value) in environment) start.Environment[name] = value;
        return start;
    }

    private static string? FindNode() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(p => Path.Combine(p, OperatingSystem.IsWindows() ? "node.exe" : "node")).FirstOrDefault(File.Exists);
}

/// <summary>What a client got, and what it sent to pay for it.</summary>
/// <param name="Sent">Name and value of the credential's header, or null when it never paid.</param>
internal sealed record PaidCall(int Status, IReadOnlyDictionary<string, string> Headers, string Body, (string Name, string Value)? Sent, string? Error)
{
    public JsonNode Json => JsonNode.Parse(Body)!;

    /// <summary>A header that holds base64 JSON.</summary>
    public JsonNode Decoded(string header) => Encoded.Read(Headers.GetValueOrDefault(header) ?? throw new ShouldAssertException($"{header} is missing; status {Status}, error {Error}, body {Body}"));

    public static PaidCall Parse(string line)
    {
        using var json = JsonDocument.Parse(line);
        var root = json.RootElement;
        var sent = root.GetProperty("sent");
        return new PaidCall(
            root.GetProperty("status").GetInt32(),
            root.GetProperty("headers").EnumerateObject().ToDictionary(h => h.Name, h => h.Value.GetString()!, StringComparer.OrdinalIgnoreCase),
            root.GetProperty("body").GetString()!,
            sent.ValueKind == JsonValueKind.Null ? null : (sent.GetProperty("name").GetString()!, sent.GetProperty("value").GetString()!),
            root.GetProperty("error").GetString());
    }
}
