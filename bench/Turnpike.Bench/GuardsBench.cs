using System.Buffers.Text;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Turnpike.Catalog;
using Turnpike.Identity;
using Turnpike.Ledger;
using Turnpike.Limits;
using Turnpike.Storage;

namespace Turnpike.Bench;

/// <summary>
/// What it costs to know who asks and to count: processor time and memory a call, with a key (or a token verified before), a plan,
/// three limits and three breakers, over the bare gate; what is signed, at first sight; a million callers, ten million counters.
/// </summary>
internal static class GuardsBench
{
    private const int Rounds = 7, FindRounds = 15, PerRound = 500;
    private const long Early = 1_000_000;
    private const int PerBlock = 100, PerBatch = 10_000;
    private const double MostMicros = 25, MostKilobytes = 4, MostGrowth = 1.3;

    public static async Task RunAsync(string[] args)
    {
        await AddedAsync(Program.Option(args, "--rounds", 120));
        FirstSightBench.Run();
        var callers = await CallersAsync(Program.Option(args, "--callers", 1_000_000));
        Counters(Program.Option(args, "--counters", 10_000_000), callers);
    }

    /// <summary>
    /// Processor time and memory of the whole process, the writing of the trail and the collecting of garbage included: a hundred calls of
    /// each kind in turns, forwards and backwards, many times; the median of what each round has more than the bare one of the same round.
    /// What else runs on the machine takes time, but no processor time of ours.
    /// </summary>
    private static async Task AddedAsync(int rounds)
    {
        using var gate = new GuardsGate();
        (string Name, string Target, string? Header, string? Value)[] kinds = [("bare", "/status", null, null), ("key", "/guarded", "apikey", GuardsGate.Key), ("token", "/guarded", "Authorization", "Bearer " + Token()), ("plan", "/included", "apikey", GuardsGate.Key)];
        foreach (var kind in kinds) await SomeAsync(kind, 3_000); // for the compiler
        var (time, memory) = (kinds.ToDictionary(k => k.Name, _ => new List<double>()), kinds.ToDictionary(k => k.Name, _ => new List<double>()));
        for (var round = 0; round < rounds; round++)
        {
            var took = kinds.ToDictionary(k => k.Name, _ => (Micros: 0.0, Bytes: 0.0));
            foreach (var kind in kinds.Concat(kinds.Reverse()))
            {
                var (micros, bytes) = await SomeAsync(kind, PerBlock);
                took[kind.Name] = (took[kind.Name].Micros + micros / 2, took[kind.Name].Bytes + bytes / 2);
            }
            foreach (var (name, (micros, bytes)) in took)
            {
                time[name].Add(micros - (name == "bare" ? 0 : took["bare"].Micros));
                memory[name].Add(bytes - (name == "bare" ? 0 : took["bare"].Bytes));
            }
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"guards: the bare gate takes {Median(time["bare"]):F1} µs of processor a call and {Median(memory["bare"]) / 1024:F1} KiB; half of the rounds differ by {Quarters(time["key"]):F1} µs or less"));
        Table.AtMost("a key with plan, three limits and three breakers, over the bare gate", Median(time["key"]), MostMicros, " µs");
        Table.AtMost("the same, allocated", Median(memory["key"]) / 1024, MostKilobytes, " KiB");
        Table.AtMost("a token verified before with the same, over the bare gate", Median(time["token"]), MostMicros, " µs");
        Table.AtMost("the same, allocated", Median(memory["token"]) / 1024, MostKilobytes, " KiB");
        Table.Told("a call that the plan pays, held and captured on disk, over the bare gate", string.Create(CultureInfo.InvariantCulture, $"{Median(time["plan"]):F0} µs, {Median(memory["plan"]) / 1024:F1} KiB"));

        async Task<(double Micros, double Bytes)> SomeAsync((string Name, string Target, string? Header, string? Value) kind, int calls)
        {
            var (bytes, before) = (GC.GetTotalAllocatedBytes(precise: true), Environment.CpuUsage.TotalTime);
            for (var i = 0; i < calls; i++) await gate.CallAsync(kind.Target, kind.Header, kind.Value);
            return ((Environment.CpuUsage.TotalTime - before).TotalMicroseconds / calls, (double)(GC.GetTotalAllocatedBytes(precise: true) - bytes) / calls);
        }
    }

    /// <summary>
    /// A call of one of a million callers against that of one of ten thousand: two databases, asked in turns, so that the moods of machine
    /// and compiler are the same for both; the median of the rounds. First of those who have not called before, then, when each of them
    /// is remembered, of all. Finding key and caller in the database is told alone as well.
    /// </summary>
    /// <returns>The bytes it takes to remember them all.</returns>
    private static async Task<long> CallersAsync(int most)
    {
        var folder = Directory.CreateTempSubdirectory("turnpike-callers-");
        try
        {
            using var few = await Crowd.OfAsync(Path.Combine(folder.FullName, "few.db"), PerBatch);
            using var many = await Crowd.OfAsync(Path.Combine(folder.FullName, "many.db"), most);
            foreach (var crowd in new[] { few, many }) await crowd.CallAsync(PerRound * 4); // for the compiler
            var (first, firstOfMany) = await InTurnsAsync(() => few.CallAsync(PerRound), () => many.CallAsync(PerRound));
            var (find, findOfMany) = await InTurnsAsync(() => few.FindAsync(PerRound), () => many.FindAsync(PerRound));
            var before = GC.GetTotalMemory(forceFullCollection: true);
            await many.KnowAllAsync();
            var bytes = GC.GetTotalMemory(forceFullCollection: true) - before;
            await few.KnowAllAsync();
            var (call, callOfMany) = await InTurnsAsync(() => few.CallAsync(PerRound), () => many.CallAsync(PerRound));
            Table.AtMost(string.Create(CultureInfo.InvariantCulture, $"a call of one of {most:N0} callers / of {PerBatch:N0}"), callOfMany, MostGrowth, "×");
            Table.Told(string.Create(CultureInfo.InvariantCulture, $"the first call of one of {most:N0} callers since the start / of {PerBatch:N0}"), string.Create(CultureInfo.InvariantCulture, $"{firstOfMany:F2}× of {first:F0} µs; finding key and caller {findOfMany:F2}× of {find:F1} µs"));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"guards: {most:N0} callers with a key each take {new FileInfo(Path.Combine(folder.FullName, "many.db")).Length / 1024 / 1024:N0} MiB on disk, {bytes / 1024 / 1024:N0} MiB when all are remembered; a call takes {call:F0} µs"));
            return bytes;
        }
        finally { folder.Delete(recursive: true); }
    }

    /// <summary>The median of the one, and of how often that the other takes in the same round.</summary>
    private static async Task<(double Few, double Growth)> InTurnsAsync(Func<Task<double>> few, Func<Task<double>> many)
    {
        List<double> one = [], growth = [];
        for (var round = 0; round < FindRounds; round++)
        {
            one.Add(await few());
            growth.Add(await many() / one[^1]);
        }
        return (Median(one), Median(growth));
    }

    /// <summary>A gate whose database has so many callers, each with a key.</summary>
    private sealed class Crowd(GuardsGate gate, byte[] secret, int count) : IDisposable
    {
        private const int Step = 7_919; // prime: nobody comes twice
        private int calling, finding;

        public static async Task<Crowd> OfAsync(string path, int count)
        {
            using var database = Database.Open(new StorageOptions("sqlite:" + path), TimeProvider.System);
            var secret = await new InstallationStore(database).KeyAsync("caller-keys", CancellationToken.None);
            for (var made = 0; made < count; made += PerBatch) await database.WriteAsync(sql => AddSome(sql, secret, made), CancellationToken.None);
            database.Dispose();
            return new Crowd(new GuardsGate(path), secret, count);
        }

        /// <summary>Processor time of a call, in microseconds.</summary>
        public Task<double> CallAsync(int times) => TimeAsync(times, () => gate.CallAsync("/guarded", "apikey", NameOf(calling = (calling + Step) % count)));

        /// <summary>The same of finding key and caller.</summary>
        public Task<double> FindAsync(int times) => TimeAsync(times, async () =>
        {
            if (await gate.LookUpAsync(KeyHash.Of(NameOf(finding = (finding + Step) % count)).Under(secret)) is not { Caller: not null }) throw new InvalidOperationException("A caller is missing.");
        });

        public async Task KnowAllAsync()
        {
            for (var i = 0; i < count; i++)
                if (await gate.KnowAsync(KeyHash.Of(NameOf(i))) is not { Principal: not null }) throw new InvalidOperationException("A caller is missing.");
        }

        public void Dispose() => gate.Dispose();

        private static async Task<double> TimeAsync(int times, Func<Task> work)
        {
            var start = Environment.CpuUsage.TotalTime;
            for (var i = 0; i < times; i++) await work();
            return (Environment.CpuUsage.TotalTime - start).TotalMicroseconds / times;
        }

        private static void AddSome(Sql sql, byte[] secret, int from)
        {
            for (var i = from; i < from + PerBatch; i++)
            {
                sql.Run("insert into callers (name, status, facts, created, changed) values ($1, 'active', '{\"plan\":\"pro\",\"groups\":[],\"roles\":[],\"scopes\":[\"read\"],\"metadata\":{}}', 0, 0)", NameOf(i));
                sql.Run("insert into caller_keys (id, caller, hash, hint, rules, expires, revoked, created) values ($1, $1, $2, '', '{\"scopes\":[],\"operations\":[],\"methods\":[],\"models\":[],\"spendsNothing\":false,\"boundTo\":[]}', null, null, 0)", NameOf(i), KeyHash.Of(NameOf(i)).Under(secret).ToBytes());
            }
        }

        private static string NameOf(int number) => "caller-" + number.ToString(CultureInfo.InvariantCulture);
    }

    /// <param name="callers">The bytes that remembering as many callers takes.</param>
    private static void Counters(int most, long callers)
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
        Table.AtMost(string.Create(CultureInfo.InvariantCulture, $"{most:N0} counters, and all callers remembered"), (bytes + callers) / 1024.0 / 1024 / 1024, 4, " GiB");
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
        return $"{text}.{Base64Url.EncodeToString(HMACSHA256.HashData(Encoding.UTF8.GetBytes(GuardsGate.Secret), Encoding.UTF8.GetBytes(text)))}";
    }

    private static double Time(Action work)
    {
        var start = Stopwatch.GetTimestamp();
        work();
        return Stopwatch.GetElapsedTime(start).TotalMicroseconds;
    }

    private static double Quarters(List<double> values) => values.Order().ElementAt(values.Count * 3 / 4) - values.Order().ElementAt(values.Count / 4);

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
