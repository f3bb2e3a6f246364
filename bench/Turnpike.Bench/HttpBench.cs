using System.Globalization;

namespace Turnpike.Bench;

/// <summary>
/// The gateway against bare YARP in front of the same upstream: 64 connections, seconds in turns, medians. Every process shares the
/// machine with wrk, so only ratios of one round are compared.
/// </summary>
internal static class HttpBench
{
    /// <summary>Seconds for each route: as long as the compiler works beside the calls, it is the compiler that is measured.</summary>
    private const int WarmUp = 45;

    private const int Connections = 64;

    public static async Task RunAsync(string[] args)
    {
        var (rounds, seconds) = (Program.Option(args, "--rounds", 30), Program.Option(args, "--seconds", 1));
        await using var stage = await Stage.SetAsync();
        Route[] routes =
        [
            new("bare YARP", stage.ProxyProcess, new Uri(stage.Proxy, "/forecast/paris"), null, 0),
            new("free route", stage.GatewayProcess, new Uri(stage.Gateway, "/status"), null, 0.85),
            new("prepaid route, durable hold and capture", stage.GatewayProcess, new Uri(stage.Gateway, "/forecast/paris"), stage.Token, 0.6),
            new("issuing a 402", stage.GatewayProcess, new Uri(stage.Gateway, "/forecast/paris"), null, 1.0) { Refused = true },
        ];
        foreach (var route in routes)
            if (!await route.MeasureAsync(Connections, WarmUp))
            {
                Table.Skipped("http", "skipped: wrk is not installed (Debian package wrk)");
                return;
            }
        foreach (var route in routes) route.Forget();
        for (var round = 0; round < rounds; round++)
            foreach (var route in round % 2 == 0 ? routes : routes.Reverse()) await route.MeasureAsync(Connections, seconds);
        foreach (var route in routes) route.Report(routes[0]);
        await AddedAsync(routes[0], routes[2], Math.Min(rounds, 5));
    }

    private static async Task AddedAsync(Route bare, Route paid, int rounds)
    {
        List<double> added = [];
        for (var round = 0; round < rounds; round++)
        {
            var without = (await Wrk.RunAsync(bare.Target, 1, 2))!;
            var with = (await Wrk.RunAsync(paid.Target, 1, 2, paid.Token))!;
            added.Add(with.Median - without.Median);
        }
        Table.AtMost("added p50 on the prepaid route, one connection", Median(added), 1, " ms");
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }

    private sealed record Route(string Name, int Process, Uri Target, string? Token, double Wanted)
    {
        private readonly List<double> rates = [], micros = [];

        public bool Refused { get; init; }

        public async Task<bool> MeasureAsync(int connections, int seconds)
        {
            using var process = System.Diagnostics.Process.GetProcessById(Process);
            var before = process.TotalProcessorTime;
            if (await Wrk.RunAsync(Target, connections, seconds, Token) is not { } run) return false;
            process.Refresh();
            if (Refused ? run.NotGood != run.Requests : run.NotGood > 0) throw new InvalidOperationException($"{Name}: {run.NotGood} of {run.Requests} answers were not 2xx.");
            rates.Add(run.PerSecond);
            micros.Add((process.TotalProcessorTime - before).TotalMicroseconds / run.Requests);
            return true;
        }

        public void Forget()
        {
            rates.Clear();
            micros.Clear();
        }

        public void Report(Route bare)
        {
            var ratio = Ratio.Of(rates, bare.rates);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"http: {Name}: {Median([.. rates]):N0}/s, {ratio}; {Median([.. micros]):F0} µs of its process's own processor time a call"));
            if (Wanted > 0) Table.AtLeast(Name + " / bare YARP", ratio.Median, Wanted);
        }
    }
}
