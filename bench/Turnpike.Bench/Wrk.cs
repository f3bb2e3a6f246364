using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Turnpike.Bench;

/// <summary>One run of wrk, read from what it prints.</summary>
/// <param name="Median">Milliseconds.</param>
internal sealed partial record Wrk(double PerSecond, double Median, long Requests, long NotGood)
{
    /// <summary>Null when wrk is not installed.</summary>
    public static async Task<Wrk?> RunAsync(Uri target, int connections, int seconds, string? token = null, string? script = null)
    {
        var start = new ProcessStartInfo("wrk", ["-t1", $"-c{connections}", $"-d{seconds}s", "--latency", .. token is null ? Array.Empty<string>() : ["-H", $"Authorization: Bearer {token}"], .. script is null ? Array.Empty<string>() : ["-s", script], target.AbsoluteUri]) { RedirectStandardOutput = true };
        Process process;
        try { process = Process.Start(start)!; }
        catch (Win32Exception) { return null; }
        using (process)
        {
            var said = await process.StandardOutput.ReadToEndAsync();
            await process.WaitForExitAsync();
            if (Number(Rate().Match(said)) is not { } rate || Half().Match(said) is not { Success: true } half) throw new InvalidOperationException($"wrk broke: {said}");
            if (Errors().IsMatch(said)) throw new InvalidOperationException($"Connections broke: {said}");
            return new Wrk(rate, Milliseconds(half), (long)Number(Total().Match(said))!, (long)(Number(Bad().Match(said)) ?? 0));
        }
    }

    private static double Milliseconds(Match half) => Number(half)!.Value * half.Groups[2].Value switch { "us" => 0.001, "ms" => 1, _ => 1000 };

    private static double? Number(Match match) => match.Success ? double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) : null;

    [GeneratedRegex(@"Requests/sec:\s+([\d.]+)")]
    private static partial Regex Rate();

    [GeneratedRegex(@"50%\s+([\d.]+)(us|ms|s)")]
    private static partial Regex Half();

    [GeneratedRegex(@"(\d+) requests in")]
    private static partial Regex Total();

    [GeneratedRegex(@"Non-2xx or 3xx responses: (\d+)")]
    private static partial Regex Bad();

    [GeneratedRegex(@"Socket errors: connect \d*[1-9]|read \d*[1-9]|write \d*[1-9]")]
    private static partial Regex Errors();
}
