using System.Collections.Concurrent;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Turnpike.Tests.Simulation;

/// <summary>
/// Thousands of days of traffic in which anything may fail, each decided by its seed alone. TURNPIKE_SEED runs one seed and prints
/// what happened; TURNPIKE_SEEDS and TURNPIKE_FIRST_SEED say how many and from where.
/// </summary>
public sealed partial class SimulationTests
{
    private const int Batch = 100;

    /// <summary>Before any other: what failed once fails first.</summary>
    private static readonly Lazy<string?> CorpusFailure = new(() => Seeds.Corpus.Select(found => Run(found.Seed, out _, found.Parts) is { } failure ? $"{found.What}\n{failure}" : null).FirstOrDefault(failure => failure is not null));

    public static TheoryData<int> Batches => [.. Enumerable.Range(0, Number("TURNPIKE_SEEDS", Environment.GetEnvironmentVariable("TURNPIKE_LONG") is null ? 2_000 : 20_000) / Batch).Select(batch => Number("TURNPIKE_FIRST_SEED", 0) + batch * Batch)];

    [Theory]
    [MemberData(nameof(Batches))]
    public void Whatever_fails_and_in_whatever_order_no_promise_is_broken(int first)
    {
        CorpusFailure.Value.ShouldBeNull();
        var failed = new ConcurrentDictionary<int, string>();
        // Each run is one thread's; two runs know nothing of each other.
        Parallel.For(first, first + Batch, new ParallelOptions { MaxDegreeOfParallelism = 2 }, seed =>
        {
            if (Run(seed, out _) is { } failure) failed[seed] = failure;
        });
        if (!failed.IsEmpty) Assert.Fail($"Seeds {string.Join(", ", failed.Keys.Order())} fail.\n{string.Join('\n', failed.OrderBy(f => f.Key).Select(f => string.Join('\n', f.Value.Split('\n').Take(3))))}\n\n{failed.MinBy(f => f.Key).Value}");
    }

    [Fact]
    public void What_failed_once_does_not_fail_again() => CorpusFailure.Value.ShouldBeNull();

    [Fact]
    public void Nodes_lock_what_they_decide_on_in_one_order()
    {
        for (var seed = 0; seed < 10; seed++) Run(seed, out _, Parts.Nodes).ShouldBeNull();
    }

    [Fact]
    public void One_seed_is_one_run()
    {
        for (var seed = 0; seed < 20; seed++)
        {
            Run(seed, out var first);
            Run(seed, out var second);
            second.Select(Nameless).ShouldBe(first.Select(Nameless), $"Seed {seed}");
        }
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
    private static string? Run(int seed, out IReadOnlyList<string> trace, Parts? parts = null)
    {
        using var world = new World(seed, parts ?? Seeds.PartsOf(seed));
        try { world.Run(); }
        catch (Exception e) { world.Broken(e.ToString()); }
        trace = world.Trace;
        return world.Findings.Count == 0 ? null : $"Seed {seed}:\n{string.Join('\n', world.Findings)}\n\n{string.Join('\n', trace)}\n\nAlone: TURNPIKE_SEED={seed} ./turnpike test --fast -- --filter-method \"*One_seed_alone\"";
    }

    /// <summary>Names are drawn by chance that no seed decides; nothing is decided by names.</summary>
    private static string Nameless(string line) => Names().Replace(line, "…");

    [GeneratedRegex("(r_|rf_|pi_|token:|0x|Challenge = )[0-9A-Za-z_-]+")]
    private static partial Regex Names();

    private static int Number(string variable, int otherwise) => int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number) ? number : otherwise;
}
