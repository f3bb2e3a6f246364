using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using Turnpike.Demo;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Payments.Buying;

/// <summary>A third-party seller in a process of its own, from the packages of the real clients. Without node or them the test skips with the reason.</summary>
internal sealed class SellerScript : IAsyncDisposable
{
    private readonly Process process;
    private readonly StringBuilder complaints = new();

    private SellerScript(Process process) => this.process = process;

    public Uri Url { get; private set; } = null!;

    public string Complaints
    {
        get { lock (complaints) return complaints.ToString(); }
    }

    public static async Task<SellerScript> StartAsync(string script, params (string Name, string Value)[] environment)
    {
        var start = ClientScript.Describe(script, environment);
        var process = Process.Start(start)!;
        var seller = new SellerScript(process);
        process.ErrorDataReceived += (_, line) => { lock (seller.complaints) seller.complaints.AppendLine(line.Data); };
        process.BeginErrorReadLine();
        var told = await process.StandardOutput.ReadLineAsync().WaitAsync(Until.Patience) ?? throw new ShouldAssertException($"{script} did not start: {seller.Complaints}");
        seller.Url = new Uri($"http://127.0.0.1:{JsonNode.Parse(told)!["port"]!.GetValue<int>()}");
        return seller;
    }

    public async ValueTask DisposeAsync()
    {
        await Watchdog.KillAsync(process);
        process.Dispose();
    }
}
