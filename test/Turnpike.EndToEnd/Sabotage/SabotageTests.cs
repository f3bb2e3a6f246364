using System.Diagnostics;
using System.Text.RegularExpressions;
using Turnpike.EndToEnd.Crashes;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Sabotage;

/// <summary>
/// The tests tested: a build of its own in which one safety at a time is turned off. Each test that names the property must go red,
/// or it proves nothing; and green where nothing is turned off, or its red proves nothing.
/// </summary>
public sealed partial class SabotageTests(Chain chain)
{
    private static readonly string Output = Path.Combine(Checkout.Root, "artifacts", "sabotage", "bin");
    private static readonly Lazy<Task> Built = new(BuildAsync);

    /// <summary>A safety, and tests that name what it is for.</summary>
    public static TheoryData<string, string> Properties => new()
    {
        { "single-use", "*Fifty_concurrent_replays_of_one_credential_give_one_hold" },
        { "single-use", "*A_budget_and_its_single_use_ids_are_linearizable" },
        { "release", "*What_was_only_held_is_released" },
        { "release", "*What_the_upstream_does_not_deliver_is_not_charged_and_the_proof_works_again" },
        { "account-order", "*Nodes_lock_what_they_decide_on_in_one_order" },
        { "unknown", "*An_unknown_settlement_is_503_until_the_settler_knows_and_then_the_retry_is_served_from_credit" },
    };

    [Theory]
    [MemberData(nameof(Properties))]
    public async Task Without_its_safety_a_property_is_seen_to_be_broken(string safety, string test)
    {
        await Built.Value;
        var tests = Path.Combine(Output, "Turnpike.Tests", "release", "Turnpike.Tests.dll");
        (await RunAsync(tests, "nothing", test)).ShouldSatisfyAllConditions(r => r.Passed.ShouldBeGreaterThan(0, r.Said), r => r.Failed.ShouldBe(0, r.Said));
        (await RunAsync(tests, safety, test)).ShouldSatisfyAllConditions(r => r.Failed.ShouldBeGreaterThan(0, r.Said), r => r.Passed.ShouldBe(0, r.Said));
    }

    [Theory]
    [InlineData("single-use")]
    [InlineData("release")]
    [InlineData("unknown")]
    [InlineData("account-order")]
    public async Task The_simulation_sees_each_of_them_within_a_hundred_seeds(string safety)
    {
        if (Environment.GetEnvironmentVariable("TURNPIKE_LONG") is null) Assert.Skip("Only in the long run.");
        await Built.Value;
        var (passed, failed, said) = await RunAsync(Path.Combine(Output, "Turnpike.Tests", "release", "Turnpike.Tests.dll"), safety, "*Whatever_fails_and_in_whatever_order_no_promise_is_broken");
        (passed, failed).ShouldBe((0, 1), said);
    }

    /// <summary>The same tests of the real process that run beside this one, on a gateway that never makes the disk keep anything.</summary>
    [Theory]
    [InlineData("*Killed_at_each_write_of_a_payment_it_is_charged_once_and_what_was_answered_is_there")]
    [InlineData("*A_disk_that_fails_at_each_write_of_a_payment_loses_nothing_that_was_answered")]
    public async Task Without_fsync_durability_is_seen_to_be_broken(string test)
    {
        Faults.Require();
        chain.Require();
        await Built.Value;
        var (passed, failed, said) = await RunAsync(typeof(SabotageTests).Assembly.Location, "fsync", test);
        (passed, failed > 0).ShouldBe((0, true), said);
    }

    private static async Task BuildAsync()
    {
        var project = Path.Combine(Checkout.Root, "test", "Turnpike.Tests");
        var (code, said) = await RunAsync("dotnet", ["build", project, "-c", "Release", "-p:Sabotage=true", "-p:RunAnalyzers=false", "-v", "q", "--nologo"], []);
        code.ShouldBe(0, said);
    }

    private static async Task<(int Passed, int Failed, string Said)> RunAsync(string tests, string safety, string test)
    {
        var gateway = Path.Combine(Output, "Turnpike", "release", "turnpike.dll");
        var (_, said) = await RunAsync("dotnet", [tests, "--no-progress", "--parallel", "none", "--filter-method", test], [("TURNPIKE_SABOTAGE", safety), ("TURNPIKE_GATEWAY", gateway), ("TURNPIKE_SEEDS", "100")]);
        return (Count("succeeded", said), Count("failed", said), said);
    }

    private static int Count(string what, string said) =>
        Counts().Matches(said).LastOrDefault(m => m.Groups[1].Value == what) is { } found ? int.Parse(found.Groups[2].Value, System.Globalization.CultureInfo.InvariantCulture) : -1;

    private static async Task<(int Code, string Said)> RunAsync(string program, string[] args, (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program, args) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Checkout.Root };
        foreach (var (name, value) in environment) start.Environment[name] = value;
        using var run = Process.Start(start)!;
        var (said, complaints) = (run.StandardOutput.ReadToEndAsync(), run.StandardError.ReadToEndAsync());
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(15));
        await run.WaitForExitAsync(limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!run.HasExited) run.Kill(entireProcessTree: true);
        return (run.HasExited ? run.ExitCode : -1, await said + await complaints);
    }

    [GeneratedRegex(@"^\s*(succeeded|failed): (\d+)", RegexOptions.Multiline)]
    private static partial Regex Counts();
}
