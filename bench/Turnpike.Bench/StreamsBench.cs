using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;

namespace Turnpike.Bench;

/// <summary>
/// What metering a stream costs: the gateway's routes with and without it in turns, under the same load; memory while a thousand
/// streams are open; and how much later a first byte comes than from the upstream itself.
/// </summary>
internal static class StreamsBench
{
    private const int Connections = 32, Open = 1_000, Firsts = 200;
    private const int WarmUp = 45; // rounds of a second, in turns too: the compiler makes what comes first the fastest
    private const string Body = """{"model":"gpt-4o","stream":true,"max_tokens":1000,"messages":[{"role":"user","content":"Tell me of the sea."}]}""";

    public static async Task RunAsync(string[] args)
    {
        var (rounds, seconds, words) = (Program.Option(args, "--rounds", 30), Program.Option(args, "--seconds", 1), Program.Option(args, "--words", 1_000));
        await using var stage = await Stage.SetAsync();
        var script = Path.Combine(Path.GetTempPath(), $"turnpike-bench-{Environment.ProcessId}.lua");
        try
        {
            await File.WriteAllTextAsync(script, $"wrk.method = 'POST'\nwrk.body = '{Body}'\nwrk.headers['Content-Type'] = 'application/json'\n");
            Route[] routes = [new(stage, script, words, "free-stream", null), new(stage, script, words, "free-metered", null), new(stage, script, words, "fixed-stream", stage.Token), new(stage, script, words, "metered-stream", stage.Token)];
            for (var round = 0; round < WarmUp; round++)
                foreach (var route in routes)
                    if (!await route.MeasureAsync(1))
                    {
                        Table.Skipped("streams", "skipped: wrk is not installed (Debian package wrk)");
                        return;
                    }
            foreach (var route in routes) route.Forget();
            for (var round = 0; round < rounds; round++)
                foreach (var route in round % 2 == 0 ? routes : routes.Reverse()) await route.MeasureAsync(seconds);
            foreach (var route in routes) route.Tell();
            Told("free and metered / free", routes[1].Against(routes[0]));
            Told("paid by use / paid at a fixed price", routes[3].Against(routes[2]));
        }
        finally
        {
            File.Delete(script);
        }
        using var http = new HttpMessageInvoker(new SocketsHttpHandler { UseProxy = false });
        await FirstBytesAsync(http, stage);
        await ManyAsync(http, stage);
    }

    /// <summary>From the question to the first byte of the body, one caller, by turns; medians.</summary>
    private static async Task FirstBytesAsync(HttpMessageInvoker http, Stage stage)
    {
        List<double> direct = [], gated = [];
        for (var i = 0; i < Firsts; i++)
        {
            var (without, with) = (await FirstAsync(http, new Uri(stage.Upstream, "/?words=3&pause=0"), null), await FirstAsync(http, new Uri(stage.Gateway, "/metered-stream?words=3&pause=0"), stage.Token));
            if (i < Firsts / 4) continue; // warming up
            direct.Add(without);
            gated.Add(with);
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"streams: first byte after {Median(direct):F2} ms from the upstream, {Median(gated):F2} ms through the gate, paid by use"));
        Table.AtMost("streams: first byte later than the upstream's own, one connection", Median(gated) - Median(direct), 2, " ms");
    }

    private static async Task<double> FirstAsync(HttpMessageInvoker http, Uri target, string? token)
    {
        var began = Stopwatch.GetTimestamp();
        using var answer = await AskAsync(http, target, token);
        await using var body = await answer.Content.ReadAsStreamAsync();
        if (await body.ReadAsync(new byte[1]) != 1) throw new InvalidOperationException($"{target} says nothing.");
        var took = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        await body.CopyToAsync(Stream.Null);
        return took;
    }

    /// <summary>The gateway's working set, at its largest while all of them are open and none has ended.</summary>
    private static async Task ManyAsync(HttpMessageInvoker http, Stage stage)
    {
        var (open, ended, most) = (0, 0, 0L);
        var streams = Enumerable.Range(0, Open).Select(_ => Task.Run(async () =>
        {
            using var answer = await AskAsync(http, new Uri(stage.Gateway, "/metered-stream?words=200&pause=100"), stage.Token);
            await using var body = await answer.Content.ReadAsStreamAsync();
            if (await body.ReadAsync(new byte[1]) == 1) Interlocked.Increment(ref open);
            await body.CopyToAsync(Stream.Null);
            Interlocked.Increment(ref ended);
        })).ToArray();
        var all = Task.WhenAll(streams);
        var together = 0;
        while (!all.IsCompleted)
        {
            if (Volatile.Read(ref open) - Volatile.Read(ref ended) is var now && now >= together) together = now;
            using var process = Process.GetProcessById(stage.GatewayProcess);
            most = Math.Max(most, process.WorkingSet64);
            await Task.WhenAny(all, Task.Delay(200));
        }
        await all;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"streams: {together} of {Open} open together, working set at most {most / 1024 / 1024} MiB"));
        if (together < Open) throw new InvalidOperationException($"Only {together} streams were open together.");
        Table.AtMost("streams: working set with a thousand open", most / 1_000_000d, 300, " MB");
    }

    private static async Task<HttpResponseMessage> AskAsync(HttpMessageInvoker http, Uri target, string? token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, target) { Content = new StringContent(Body, new MediaTypeHeaderValue("application/json")) };
        if (token is not null) request.Headers.Authorization = new("Bearer", token);
        var answer = await http.SendAsync(request, CancellationToken.None);
        answer.EnsureSuccessStatusCode();
        return answer;
    }

    private static void Told(string what, Ratio ratio)
    {
        Console.WriteLine($"streams: {what}: {ratio}");
        Table.AtLeast("streams: " + what, ratio.Median, 0.97);
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }

    private sealed record Route(Stage Stage, string Script, int Words, string Name, string? Token)
    {
        private readonly List<double> rates = [];
        private TimeSpan processor;
        private long streams;

        public async Task<bool> MeasureAsync(int seconds)
        {
            using var gateway = Process.GetProcessById(Stage.GatewayProcess);
            var before = gateway.TotalProcessorTime;
            if (await Wrk.RunAsync(new Uri(Stage.Gateway, $"/{Name}?words={Words}&pause=0"), Connections, seconds, Token, Script) is not { } run) return false;
            if (run.NotGood > 0) throw new InvalidOperationException($"{Name}: {run.NotGood} of {run.Requests} answers were not 2xx.");
            gateway.Refresh();
            processor += gateway.TotalProcessorTime - before;
            streams += run.Requests;
            rates.Add(run.PerSecond);
            return true;
        }

        public void Forget()
        {
            rates.Clear();
            (processor, streams) = (default, 0);
        }

        public Ratio Against(Route other) => Ratio.Of(rates, other.rates);

        public void Tell() => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"streams: {Name}: {Median([.. rates]):N0} streams of {Words} chunks a second; processor {processor.TotalMicroseconds / streams / Words:F2} µs a chunk"));
    }
}
