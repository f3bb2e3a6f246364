using System.Globalization;

namespace Turnpike.Bench.Stores;

/// <summary>
/// Prepaid calls a second through two nodes, each kept to 0.3 of a core, over one PostgreSQL, against one such node. Each node's
/// callers have a token of their own; what both make of one token together is told beside it.
/// </summary>
internal static class NodesBench
{
    private const int Connections = 32;
    private const int ThousandthsOfACore = 300;

    public static async Task RunAsync(string[] args)
    {
        var (rounds, seconds) = (Program.Option(args, "--rounds", 3), Program.Option(args, "--seconds", 10));
        await using var cluster = await PostgresCluster.StartAsync();
        if (cluster is null)
        {
            Table.Skipped("nodes", "skipped: PostgreSQL is not installed (Debian package postgresql-15)");
            return;
        }
        await using var stage = await Stage.SetAsync(await cluster.DatabaseAsync(), nodes: 2);
        foreach (var node in (int[])[0, 1])
            if (await MeasureAsync(stage, 5, (node, node)) is null) // the compiler warms up before there is a quota
            {
                Table.Skipped("nodes", "skipped: wrk is not installed (Debian package wrk)");
                return;
            }
        using var first = Quota.On(stage.GatewayProcesses.First(), ThousandthsOfACore);
        using var second = Quota.On(stage.GatewayProcesses.Last(), ThousandthsOfACore);
        List<double> alone = [], both = [], shared = [];
        for (var round = 0; round < rounds; round++)
        {
            alone.Add((await MeasureAsync(stage, seconds, (round % 2, round % 2)))!.Value);
            both.Add((await MeasureAsync(stage, seconds, (0, 0), (1, 1)))!.Value);
            shared.Add((await MeasureAsync(stage, seconds, (0, 0), (1, 0)))!.Value);
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"nodes: {ThousandthsOfACore / 1000.0:F1} of a core each, by {Quota.Way}: one {Median(alone):N0}/s, two {Median(both):N0}/s, two on one token {Median(shared):N0}/s ({Median([.. alone.Zip(shared, (one, two) => two / one)]):F2}×)"));
        Table.AtLeast($"two nodes of {ThousandthsOfACore / 1000.0} core over one PostgreSQL / one, by {Quota.Way}", Median([.. alone.Zip(both, (one, two) => two / one)]), 1.5);
    }

    /// <summary>All loads at once, each a node and a token; null without wrk.</summary>
    private static async Task<double?> MeasureAsync(Stage stage, int seconds, params (int Node, int Token)[] loads)
    {
        var runs = await Task.WhenAll(loads.Select(load => Wrk.RunAsync(new Uri(stage.Gateways[load.Node], "/forecast/paris"), Connections, seconds, stage.Tokens[load.Token])));
        if (runs.Any(run => run is null)) return null;
        if (runs.Sum(run => run!.NotGood) is > 0 and var bad) throw new InvalidOperationException($"{bad} answers were not 2xx.");
        return runs.Sum(run => run!.PerSecond);
    }

    private static double Median(List<double> given)
    {
        double[] values = [.. given.Order()];
        return values[values.Length / 2];
    }
}
