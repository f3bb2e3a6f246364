using System.Diagnostics;
using System.Globalization;
using System.Text;
using Turnpike.Audit;
using Turnpike.Ledger;
using Turnpike.Metering;
using Turnpike.Metering.Formats;
using Turnpike.Storage;

namespace Turnpike.Bench;

/// <summary>
/// What telling use costs: hold and capture with a record of use and a row for one destination in the money's own transaction, against
/// the same without; and what reading a stream's usage allocates for each of its chunks.
/// </summary>
internal static class UsageBench
{
    private const string Hot = "token:hot";
    private const int Callers = 512, Operations = 40_000, Chunks = 200_000;

    private static readonly byte[] Chunk = Encoding.UTF8.GetBytes("""data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-4o-2024-08-06","choices":[{"index":0,"delta":{"content":" wave"},"logprobs":null,"finish_reason":null}],"usage":null}""" + "\n\n");

    public static async Task RunAsync()
    {
        var folder = Directory.CreateTempSubdirectory("turnpike-bench-");
        try
        {
            await MeasureAsync(Path.Combine(folder.FullName, "warm.db"), Operations / 8, told: true); // the compiler warms up on another file
            var (money, told) = (0L, 0L);
            for (var round = 0; round < 3; round++)
            {
                money = Math.Max(money, await MeasureAsync(Path.Combine(folder.FullName, $"money{round}.db"), Operations, told: false));
                told = Math.Max(told, await MeasureAsync(Path.Combine(folder.FullName, $"told{round}.db"), Operations, told: true));
            }
            var (rate, each) = Read();
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"usage: hold+capture, {Callers} callers: {money}/s; with a record of use and an outbox row: {told}/s; reading a stream: {rate / 1_000_000} MB/s, {each} bytes allocated for {Chunks} chunks"));
            Table.AtLeast("hold + capture with record of use and outbox row / money only", (double)told / money, 0.7);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<long> MeasureAsync(string path, int operations, bool told)
    {
        using var database = Database.Open(new StorageOptions("sqlite:" + path), TimeProvider.System);
        using var audit = new AuditTrail(database, TimeProvider.System);
        var ledger = new SqlLedger(database, audit, "bench");
        var records = new UsageStore(database, static () => ["billing"], TimeProvider.System);
        await ledger.PostAsync(new Transfer("budget", "external:bench", Hot, new Money(long.MaxValue / 2, "USD"), "bench", false, true), default);
        var next = 0;
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Increment(ref next) is var i && i <= operations)
            {
                var id = Rows.Name(i);
                if (await ledger.HoldAsync(Rows.NewHold(id, Hot), default) is not HoldResult.Held) throw new InvalidOperationException("The hot token ran dry.");
                await ledger.CaptureAsync(new Capture(id, Rows.Price) { Reference = id, Events = [Rows.NewEvent(AuditKinds.Settled, id, Hot)], With = told ? records.WriterOf(RecordOf()) : null }, default);
            }
        })));
        return operations * Stopwatch.Frequency / watch.ElapsedTicks;
    }

    /// <summary>A record is named by its receipt, which we name, and so in order of time; what callers draw are the names of holds alone.</summary>
    private static UsageRecord RecordOf() => RecordOf(Catalog.Ids.New("r"));

    private static UsageRecord RecordOf(string receipt) => new()
    {
        Id = receipt, Happened = TimeProvider.System.GetUtcNow(), Operation = "chat", Caller = "agent", Payer = Hot, Model = "gpt-4o-2024-08-06", Origin = "reported", Cost = Rows.Price, Receipt = receipt,
        Charged = new Counts { [Units.Input] = 12, [Units.Cached] = 8, [Units.Output] = 10, [Units.Bytes] = 409, [Units.RequestBytes] = 54 },
        Observed = new Counts { [Units.Input] = 14, [Units.Output] = 9, [Units.Bytes] = 409, [Units.RequestBytes] = 54, [Units.Duration] = 300 },
    };

    /// <summary>Bytes a second, and what all chunks together allocate.</summary>
    private static (long Rate, long Allocated) Read()
    {
        var reader = new UsageReader(new MeteredCall(new UsageSettings(UsageFormats.ByName["openai"], [])), "text/event-stream");
        Pass(reader, Chunks / 10);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var watch = Stopwatch.StartNew();
        Pass(reader, Chunks);
        var took = watch.ElapsedTicks;
        return ((long)((Int128)Chunks * Chunk.Length * Stopwatch.Frequency / took), GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static void Pass(UsageReader reader, int chunks)
    {
        for (var i = 0; i < chunks; i++)
            for (var from = 0; from < Chunk.Length;)
            {
                from += reader.Read(Chunk.AsSpan(from), out var ended);
                if (ended && !reader.IsAlike) reader.Tell();
            }
    }
}
