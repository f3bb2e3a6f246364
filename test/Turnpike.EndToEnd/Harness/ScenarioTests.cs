using System.Net;
using System.Text.Json.Nodes;

namespace Turnpike.EndToEnd.Harness;

/// <summary>The contract's first scenario through the command line, as a user on the first day would run it.</summary>
[Collection(DefaultPorts.Name)]
public sealed class ScenarioTests
{
    private static string Scenario => Path.Combine(Checkout.Contract, "paid-api.yaml");

    [Fact]
    public async Task The_scenario_checks_out_unchanged()
    {
        var (code, said) = await TurnpikeProcess.RunAsync(Checkout.Contract, Checkout.Variables(), "check", Scenario);
        code.ShouldBe(0, said);
    }

    [Fact]
    public async Task Missing_secrets_are_all_told_at_once_with_their_lines()
    {
        var known = Checkout.Variables().Where(v => v.Key is not ("SETTLER_KEY" or "UPSTREAM_KEY")).ToDictionary();
        var (code, said) = await TurnpikeProcess.RunAsync(Checkout.Contract, known, "check", Scenario);
        code.ShouldBe(2, said);
        said.ShouldContain("SETTLER_KEY");
        said.ShouldContain("UPSTREAM_KEY");
        var line = 1 + File.ReadAllLines(Scenario).ToList().FindIndex(l => l.Contains("${env:SETTLER_KEY}", StringComparison.Ordinal));
        said.ShouldContain($"{line}");
    }

    [Fact]
    public async Task The_schema_is_json()
    {
        var (code, said) = await TurnpikeProcess.RunAsync(Checkout.Contract, Checkout.Variables(), "schema");
        code.ShouldBe(0, said);
        JsonNode.Parse(said)!["properties"]!["gateway"].ShouldNotBeNull();
    }

    [Fact]
    public async Task An_unknown_flag_is_wrong_input()
    {
        (await TurnpikeProcess.RunAsync(Checkout.Contract, Checkout.Variables(), "serve", "--colour", "blue")).Code.ShouldBe(2);
    }

    [Fact]
    public async Task The_scenario_serves_unchanged_on_the_default_ports()
    {
        if (!Ports.IsFree(8402) || !Ports.IsFree(8403)) Assert.Skip("Port 8402 or 8403 is taken on this machine.");
        await using var upstream = await Upstream.StartAsync();
        await using var gateway = await TurnpikeProcess.StartUnchangedAsync("paid-api.yaml", ("UPSTREAM", upstream.Url.GetLeftPart(UriPartial.Authority)));
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(10) };
        (await http.GetAsync(new Uri(gateway.Url, "/status"))).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await http.GetAsync(new Uri(gateway.Url, "/forecast/paris"))).StatusCode.ShouldBe(HttpStatusCode.PaymentRequired);
        Directory.EnumerateFiles(Path.Combine(gateway.Folder, "data"), "paid-api.db*").ShouldNotBeEmpty("relative paths start at the working directory");
    }
}
