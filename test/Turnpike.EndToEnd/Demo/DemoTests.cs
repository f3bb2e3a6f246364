using System.Net;
using System.Net.Sockets;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Demo;

/// <summary><c>turnpike demo --once</c> as a newcomer runs it: in a folder of their own, with and without a chain.</summary>
public sealed class DemoTests(Chain chain) : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("turnpike-demotest-").FullName;

    [Fact]
    public async Task The_demo_walks_from_terms_to_books_and_ends()
    {
        chain.Require();
        var (code, said) = await DemoAsync();
        code.ShouldBe(0, said);
        Lines(said,
            "1. An agent calls without paying", "0.01 USD per call", "prepaid by prepaid", "x402 by x402.exact on eip155:84532", "mpp by mpp.evm on eip155:84532",
            "2. It buys a token for 0.03 USD", "left 0.02 USD", "left 0.01 USD", "left 0.00 USD", "402 again, reason token-exhausted",
            "3. One payment by x402", "transaction  0x", "has 0.00 USD before, 0.01 USD after",
            "4. One payment by MPP", "transaction  0x", "has 0.01 USD before, 1.01 USD after",
            "5. The receipts", "by prepaid, GET /forecast/oslo", "by x402.exact, GET /forecast/cairo", "by mpp.evm, POST /reports",
            "6. The owner's books", "1.04 USD", "balanced:", "intact:", "The walk is done in");
        said.ShouldNotContain("\u001b", Case.Sensitive, "colour is for terminals");
        said.ShouldNotContain("fail:", Case.Sensitive);
        Directory.EnumerateFileSystemEntries(folder).ShouldBeEmpty("the demo left something in the working directory");
    }

    [Fact]
    public async Task Without_node_the_demo_leaves_the_chain_out_and_still_ends_well()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("The path is narrowed by symbolic links.");
        var bin = Directory.CreateDirectory(Path.Combine(folder, "bin")).FullName;
        foreach (var tool in (string[])["dotnet", "cat"]) File.CreateSymbolicLink(Path.Combine(bin, tool), OnPath(tool));
        var (code, said) = await DemoAsync(("PATH", bin));
        code.ShouldBe(0, said);
        Lines(said,
            "No local chain: it needs Node.js", "1. An agent calls", "2. It buys a token", "402 again, reason token-exhausted",
            "3. One payment by x402", "left out: there is no local chain", "4. One payment by MPP", "left out: there is no local chain",
            "5. The receipts", "6. The owner's books", "balanced:", "intact:", "The walk is done in");
        said.ShouldNotContain("x402.exact", Case.Sensitive, "what cannot be settled is not offered");
    }

    [Fact]
    public async Task A_port_that_was_asked_for_and_is_taken_fails_the_demo()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        var (code, said) = await TurnpikeProcess.RunAsync(folder, Checkout.Variables(), "demo", "--once", "--port", $"{port}");
        code.ShouldBe(1, said);
        said.ShouldContain($"Port {port} is taken");
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <summary>On ports of its own: the usual ones belong to the tests that run a scenario unchanged.</summary>
    private Task<(int Code, string Said)> DemoAsync(params (string Name, string Value)[] variables) =>
        TurnpikeProcess.RunAsync(folder, variables.ToDictionary(v => v.Name, v => v.Value), "demo", "--once", "--port", $"{Ports.Next()}", "--admin-port", $"{Ports.Next()}");

    /// <summary>The text holds these, in this order.</summary>
    private static void Lines(string said, params string[] expected)
    {
        var at = 0;
        foreach (var line in expected)
        {
            var found = said.IndexOf(line, at, StringComparison.Ordinal);
            found.ShouldBeGreaterThanOrEqualTo(0, $"'{line}' is missing after character {at} of:\n{said}");
            at = found;
        }
    }

    private static string OnPath(string tool) =>
        Environment.GetEnvironmentVariable("PATH")!.Split(Path.PathSeparator).Select(place => Path.Combine(place, tool)).First(File.Exists);
}
