using System.Collections.Concurrent;

namespace Turnpike.Tests.Simulation.Sweeps;

/// <summary>
/// The first, second, third … write of a payment fails, before its effect, after it, or without a word, while the process lives on: two
/// rounds of the settler later nothing is open, a repeat is answered for good, and the books agree with everybody.
/// </summary>
public sealed class WriteSweepTests
{
    private const int Most = 40;

    public static TheoryData<string> Ways => ["x402", "x402 before", "mpp.evm", "mpp.stripe", "token", "token with a key", "stream", "stream with a key", "plan", "plan with a key", "sale by x402", "sale by stripe", "refund by evm", "refund by stripe", "refund as credit"];

    [Theory]
    [MemberData(nameof(Ways))]
    public void Whichever_write_fails_everything_comes_to_its_end_within_two_rounds(string way)
    {
        var found = new ConcurrentBag<string>();
        Parallel.ForEach(Enum.GetValues<Failing>(), new ParallelOptions { MaxDegreeOfParallelism = 2 }, how =>
        {
            for (var write = 1; ; write++)
            {
                write.ShouldBeLessThan(Most, "a payment has fewer writes");
                var script = new Script(way, write, how);
                using var world = new World(write, Parts.Nodes, script);
                try { world.Run(); }
                catch (Exception e) { world.Broken(e.ToString()); }
                if (world.Findings.Count > 0) found.Add($"{way}, write {write}, {how}:\n{string.Join('\n', world.Findings)}\n{string.Join('\n', world.Trace)}\n");
                if (!script.Struck) break;
            }
        });
        found.ShouldBeEmpty();
    }
}
