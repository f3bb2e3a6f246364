using System.Globalization;

namespace Turnpike.Tests.Simulation;

/// <summary>
/// Thousands of days of traffic in which anything may fail, each decided by its seed alone. TURNPIKE_SEED runs one seed and prints
/// what happened; TURNPIKE_SEEDS and TURNPIKE_FIRST_SEED say how many and from where.
/// </summary>
public sealed class SimulationTests
{
    private const int Batch = 100;

    public static TheoryData<int> Batches => [.. Enumerable.Range(0, Number("TURNPIKE_SEEDS", 2_000) / Batch).Select(batch => Number("TURNPIKE_FIRST_SEED", 0) + batch * Batch)];

    [Theory]
    [MemberData(nameof(Batches))]
    public void Whatever_fails_and_in_whatever_order_no_promise_is_broken(int first)
    {
        List<int> failed = [];
        string? told = null;
        for (var seed = first; seed < first + Batch; seed++)
        {
            if (Run(seed, out _) is not { } failure) continue;
            failed.Add(seed);
            told ??= failure;
        }
        if (failed.Count > 0) Assert.Fail($"Seeds {string.Join(", ", failed)} fail. {told}");
    }

    [Fact]
    public void One_seed_alone()
    {
        if (Number("TURNPIKE_SEED", -1) is var seed && seed < 0) Assert.Skip("Runs the seed named by TURNPIKE_SEED.");
        var failure = Run(seed, out var trace);
        TestContext.Current.TestOutputHelper!.WriteLine(string.Join('\n', trace));
        failure.ShouldBeNull();
    }

    /// <summary>Null when every promise was kept; else what was broken, and everything that happened.</summary>
    private static string? Run(int seed, out IReadOnlyList<string> trace)
    {
        using var world = new World(seed);
        try { world.Run(); }
        catch (Exception e) { world.Broken(e.ToString()); }
        trace = world.Trace;
        return world.Findings.Count == 0 ? null : $"Seed {seed}:\n{string.Join('\n', world.Findings)}\n\n{string.Join('\n', trace)}\n\nAlone: TURNPIKE_SEED={seed} ./turnpike test --fast -- --filter-method \"*One_seed_alone\"";
    }

    private static int Number(string variable, int otherwise) => int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number) ? number : otherwise;
}
