using Turnpike.Storage;
using Turnpike.Storage.Sqlite;
using Turnpike.Tests.Simulation.Sweeps;
using Turnpike.Tests.Storage;

namespace Turnpike.Tests.Simulation;

/// <summary>
/// A server that several nodes write: each transaction is whole and one after the other, locks are never waited for, and the clock is
/// its own. It is away now and then, refuses what another could have been first with, and does not always say that it committed.
/// </summary>
internal sealed class SharedStore(World world, string path) : IDisposable
{
    private SqliteSql? looking;

    /// <summary>Until then nobody reaches it.</summary>
    public long AwayUntil { get; set; }

    /// <summary>Looks past all that fails, for who checks.</summary>
    public T Look<T>(Func<Sql, T> read)
    {
        looking ??= new SqliteSql(path, readOnly: true);
        looking.BeginRead();
        var result = read(looking);
        looking.Commit();
        return result;
    }

    public void Dispose() => looking?.Dispose();

    public ISqlSource Connect(Place place)
    {
        if (!File.Exists(path)) EmptyDatabase.Put(path);
        return new Line(this, place);
    }

    private bool IsAway => world.Scheduler.Ticks < AwayUntil;

    private static StorageException Away() => new("The simulated server is away.") { Fault = StorageFault.Away };

    /// <summary>The connections of one life of a node.</summary>
    private sealed class Line(SharedStore store, Place place) : ISqlSource
    {
        private readonly Connection reader = new(store, place, writes: false);

        public Sql Writer { get; } = new Connection(store, place, writes: true);

        public string Name => place.Name;

        public bool IsShared => true;

        public int ReaderThreads => 0;

        public Sql Take(bool fresh = false) => reader;

        public IDisposable? Listen(string channel, Action<string> heard) => null;

        public ValueTask SayAsync(string channel, string text, CancellationToken ct) => default;

        public void Return(Sql reader)
        {
        }

        public void Dispose()
        {
            Writer.Dispose();
            reader.Close();
        }

        Sql? ISqlSource.Writer => Writer;
    }

    private sealed class Connection(SharedStore store, Place place, bool writes) : SqliteSql(store.Path, readOnly: false)
    {
        private bool committed;

        public override bool IsShared => true;

        public override DateTimeOffset Now(TimeProvider clock) => store.Now;

        public override void Begin()
        {
            if (store.IsAway) throw Away();
            base.Begin();
        }

        public override void BeginRead()
        {
            if (store.IsAway) throw Away();
            base.BeginRead();
        }

        public override void Commit()
        {
            committed = false;
            if (!writes || store.Fails is not { } how) { base.Commit(); return; }
            store.Say($"{place.Name}: the store {how switch { Failing.Conflict => "says that somebody else was first", Failing.Away => "goes away", Failing.CommitsSilently => "commits and does not say so", _ => "does not commit and does not say so" }}");
            switch (how)
            {
                case Failing.Conflict: throw new StorageException("Somebody else was first.") { Fault = StorageFault.Conflict };
                case Failing.Away: store.Leave(); throw Away();
                case Failing.CommitsSilently: base.Commit(); committed = true; break;
            }
            throw new StorageException("Nobody answered the commit.") { Fault = StorageFault.Unknown };
        }

        public override bool WasCommitted()
        {
            if (!committed) base.Rollback();
            return committed;
        }

        /// <summary>A reader is kept: what a read has begun is over with it.</summary>
        public override void Dispose()
        {
            if (writes) Close();
            else Rollback();
        }

        public void Close() => base.Dispose();

        protected override SqlRows Rows(string sql, ReadOnlySpan<SqlValue> values) => base.Rows(sql == "select nextval('numbers')" ? Numbers : sql, values);

        protected override SqlRows Locked(string sql, ReadOnlySpan<string[]> keys)
        {
            var all = keys.ToArray();
            var order = Enumerable.Range(0, all[0].Length).Select(i => string.Join('\n', all.Select(column => column[i]))).ToList();
            // Here nobody waits for a lock; two who lock the same in another order would wait for each other for ever.
            if (!order.SequenceEqual(order.Order(StringComparer.Ordinal))) store.Broken($"{place.Name} locks out of order: {string.Join(", ", order)}");
            return new Each(all[0].Length, i => base.Rows(sql, [.. all.Select(column => (SqlValue)column[i])]));
        }
    }

    /// <summary>The rows of a query run for each key.</summary>
    private sealed class Each(int count, Func<int, SqlRows> query) : SqlRows
    {
        private SqlRows? current;
        private int next;

        public override SqlRow Row => current!.Row;

        public override bool Step()
        {
            while (true)
            {
                if (current?.Step() == true) return true;
                if (next == count) return false;
                current = query(next++);
            }
        }

        public override void Reset() => current?.Reset();
    }

    private const string Numbers = "insert into counters (name, value) values ('numbers', 8192) on conflict (name) do update set value = counters.value + 8192 returning value";

    private string Path => path;

    private DateTimeOffset Now => world.Scheduler.Now;

    private Failing? Fails => world.Script is { } script ? script.Next() : world.Scheduler.Chance(world.Weather.Store) ? (Failing)world.Scheduler.Random.Next(4) : null;

    private void Leave() => AwayUntil = world.Scheduler.Ticks + world.Scheduler.Between(1, 20_000).Ticks;

    private void Say(string what) => world.Say(what);

    private void Broken(string what) => world.Broken(what);
}
