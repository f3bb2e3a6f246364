using System.Buffers.Text;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Limits;
using Turnpike.Protocols.Signing;

namespace Turnpike.Bench;

/// <summary>
/// What it costs to know who asks and to count: the gateway's own processor time a call, with a key (or a token verified before), a
/// plan, three limits and three breakers, over the bare gate; a token at first sight over raw verification; and ten million counters.
/// </summary>
internal static class GuardsBench
{
    private const int Rounds = 7, PerRound = 2_000;
    private const long Early = 1_000_000;
    private const double Most = 25; // microseconds

    public static async Task RunAsync(string[] args)
    {
        FirstSight();
        Counters(Program.Option(args, "--counters", 10_000_000));
        await AddedAsync(Program.Option(args, "--rounds", 5), Program.Option(args, "--seconds", 3));
    }

    private static async Task AddedAsync(int rounds, int seconds)
    {
        await using var stage = await Stage.SetAsync(guards: true);
        var (bare, guarded) = (new Uri(stage.Gateway, "/status"), new Uri(stage.Gateway, "/guarded"));
        (string Name, Uri Target, string? Token)[] routes = [("bare", bare, null), ("key", guarded, Stage.CallerKey), ("token", guarded, Token())];
        var costs = routes.ToDictionary(r => r.Name, _ => new List<double>());
        for (var round = 0; round <= rounds; round++)
            foreach (var (name, target, token) in routes)
            {
                var before = Processor(stage.GatewayProcess);
                if (await Wrk.RunAsync(target, 16, seconds, token) is not { } run)
                {
                    Table.Skipped("guards", "skipped: wrk is not installed (Debian package wrk)");
                    return;
                }
                if (run.NotGood > 0) throw new InvalidOperationException($"{run.NotGood} of {run.Requests} answers were not 2xx.");
                // The first round is for the compiler.
                if (round > 0) costs[name].Add((Processor(stage.GatewayProcess) - before).TotalMicroseconds / run.Requests);
            }
        var plain = Median(costs["bare"]);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"guards: the bare gate takes {plain:F1} µs of processor a call, with a key {Median(costs["key"]):F1}, with a token {Median(costs["token"]):F1}"));
        Added("a key with plan, three limits and three breakers, over the bare gate", costs["key"]);
        Added("the same with a token verified before", costs["token"]);

        // A difference smaller than what the same route differs from itself is no measurement, and passes nothing.
        void Added(string what, List<double> some)
        {
            var (more, noise) = (Median(some) - plain, Math.Max(Spread(costs["bare"]), Spread(some)));
            if (more < noise && noise > Most) Table.Skipped(what, string.Create(CultureInfo.InvariantCulture, $"no result: rounds of one route differ by {noise:F1} µs; run it on a machine that does nothing else"));
            else Table.AtMost(what, more, Most, " µs");
        }
    }

    /// <summary>Reading and checking a signed token against the signature alone, in turns.</summary>
    private static void FirstSight()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var point = key.ExportParameters(false).Q;
        var set = PublicKey.ReadSet(Encoding.UTF8.GetBytes($$"""{"keys":[{"kty":"EC","crv":"P-256","kid":"k","alg":"ES256","x":"{{Base64Url.EncodeToString(point.X)}}","y":"{{Base64Url.EncodeToString(point.Y)}}"}]}"""), 8)!;
        var head = Base64Url.EncodeToString("""{"alg":"ES256","kid":"k","typ":"at+jwt"}"""u8);
        var tokens = Enumerable.Range(0, PerRound).Select(i =>
        {
            var text = $"{head}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes($$"""{"iss":"https://login.example.com","sub":"agent-{{i}}","aud":"https://api.example.com","exp":2000000000,"iat":1700000000,"scope":"read write"}"""))}";
            return (Text: $"{text}.{Base64Url.EncodeToString(key.SignData(Encoding.UTF8.GetBytes(text), HashAlgorithmName.SHA256))}", Signed: Encoding.UTF8.GetBytes(text), Signature: key.SignData(Encoding.UTF8.GetBytes(text), HashAlgorithmName.SHA256));
        }).ToList();
        List<double> raw = [], whole = [];
        for (var round = 0; round <= Rounds; round++)
        {
            var (first, second) = (Time(() => tokens.ForEach(t => { if (!key.VerifyData(t.Signed, t.Signature, HashAlgorithmName.SHA256)) throw new InvalidOperationException(); })), Time(() => tokens.ForEach(t =>
            {
                if (Jwt.Read(t.Text) is not { } token || token.Claim("iss") is null || token.Moment("exp") is null || token.Texts("aud") is null || !set.Any(token.IsSignedBy)) throw new InvalidOperationException();
            })));
            if (round == 0) continue; // for the compiler
            raw.Add(first);
            whole.Add(second);
        }
        Table.AtMost("a token at first sight / its signature alone", Median(whole) / Median(raw), 1.3, "×");
    }

    private static void Counters(int most)
    {
        var counters = new CounterSet(TimeProvider.System);
        var rule = new RateRule("bench", "bench", new Money(1_000_000, RateRule.Requests), TimeSpan.FromDays(1)) { Count = RateCount.FixedWindow }; // in use all day: none is swept
        double early = 0;
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 0; i < most; i++)
        {
            Take(i);
            if (i + 1 == Early) early = Some((int)Early);
        }
        if (counters.Count < most) throw new InvalidOperationException($"Of {most:N0} counters {counters.Count:N0} are left: what they take is not known.");
        var bytes = GC.GetTotalMemory(forceFullCollection: true) - before;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"guards: {counters.Count:N0} counters take {bytes / 1024 / 1024:N0} MiB, {bytes / counters.Count} bytes each"));
        Table.AtMost(string.Create(CultureInfo.InvariantCulture, $"{most:N0} counters"), bytes / 1024.0 / 1024 / 1024, 4, " GiB");
        Table.AtMost(string.Create(CultureInfo.InvariantCulture, $"a decision among {most:N0} counters / among a million"), Some(most) / early, 2, "×");

        void Take(int who) => counters.TryTake([new Demand(rule, "caller-" + who.ToString(CultureInfo.InvariantCulture), 1)], out _, out _);

        double Some(int among)
        {
            var random = new Random(7);
            return Enumerable.Range(0, Rounds).Select(_ => Time(() => { for (var i = 0; i < 100_000; i++) Take(random.Next(among)); })).Order().ElementAt(Rounds / 2);
        }
    }

    private static string Token()
    {
        var text = $"{Base64Url.EncodeToString("""{"alg":"HS256"}"""u8)}.{Base64Url.EncodeToString("""{"iss":"https://login.example.com","sub":"bench","aud":"https://api.example.com","exp":4000000000}"""u8)}";
        return $"{text}.{Base64Url.EncodeToString(HMACSHA256.HashData(Stage.IssuerSecret, Encoding.UTF8.GetBytes(text)))}";
    }

    private static TimeSpan Processor(int id)
    {
        using var process = Process.GetProcessById(id);
        return process.TotalProcessorTime;
    }

    private static double Time(Action work)
    {
        var start = Stopwatch.GetTimestamp();
        work();
        return Stopwatch.GetElapsedTime(start).TotalMicroseconds;
    }

    private static double Spread(List<double> values) => values.Max() - values.Min();

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
