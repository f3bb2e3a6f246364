using System.Collections.Concurrent;

namespace Turnpike.Storage.Nodes;

/// <summary>
/// Tells every node when something it keeps in memory was changed by an operator. <see cref="Bump"/> goes into the transaction of the
/// change; <see cref="On"/> forgets what was kept. Here it is forgotten before the change is acknowledged, on other nodes as soon as
/// they hear of it; they look four times a second besides, because what is heard may be lost with the connection it came by.
/// </summary>
internal sealed partial class Revisions : IWriteParticipant, IHostedService, IDisposable
{
    private readonly ConcurrentDictionary<string, Action[]> followers = new(StringComparer.Ordinal);
    private readonly HashSet<string> bumped = [];
    private readonly Database database;
    private readonly TimeProvider time;
    private readonly ILogger log;
    private Dictionary<string, long> seen = [];
    private ITimer? timer;
    private IDisposable? listener;
    private int wanted;
    private bool silent;

    public Revisions(Database database, TimeProvider time, ILogger<Revisions> log)
    {
        (this.database, this.time, this.log) = (database, time, log);
        if (database.IsWritable) database.Writer.Join(this);
    }

    /// <summary>How often it looks.</summary>
    public TimeSpan Look { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Whether it also listens.</summary>
    public bool Listens { get; init; } = true;

    /// <summary>What is known under this name has changed. To be called by a write, in its transaction.</summary>
    public void Bump(Sql sql, string name)
    {
        bumped.Add(name);
        sql.Run("insert into revisions (name, number) values ($1, 1) on conflict (name) do update set number = revisions.number + 1", name);
        sql.Notify();
    }

    /// <summary>What to do when something under this name has changed. It must be quick: callers wait for it.</summary>
    public void On(string name, Action changed) => followers.AddOrUpdate(name, [changed], (_, before) => [.. before, changed]);

    /// <summary>Looks what other nodes have changed.</summary>
    public async Task LookAsync(CancellationToken ct)
    {
        var now = await database.ReadAsync(sql => sql.Query("select name, number from revisions", row => (Name: row.Text(0), Number: row.Long(1))), ct);
        var before = seen;
        seen = now.ToDictionary(row => row.Name, row => row.Number, StringComparer.Ordinal);
        foreach (var (name, number) in now)
            if (before.GetValueOrDefault(name) != number)
                Tell(name);
    }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (!database.IsShared) return;
        await LookAsync(cancellationToken);
        timer = time.CreateTimer(_ => _ = TickAsync(), null, Look, Look);
        if (Listens) listener = database.Listen("turnpike", said => _ = TickAsync());
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        timer?.Dispose();
        listener?.Dispose();
        listener = null;
    }

    void IWriteParticipant.Begin(Sql sql, ReadOnlySpan<WriteCommand> batch, DateTimeOffset now) => bumped.Clear();

    void IWriteParticipant.End(Sql sql)
    {
    }

    void IWriteParticipant.Committed()
    {
        foreach (var name in bumped) Tell(name);
    }

    void IWriteParticipant.RolledBack() => bumped.Clear();

    void IWriteParticipant.Stopped() => bumped.Clear();

    private void Tell(string name)
    {
        foreach (var changed in followers.GetValueOrDefault(name, [])) changed();
    }

    private async Task TickAsync()
    {
        if (Interlocked.Increment(ref wanted) > 1) return; // who looks now looks again after it
        int served;
        do
        {
            served = Volatile.Read(ref wanted);
            try
            {
                await LookAsync(CancellationToken.None);
                silent = false;
            }
            catch (Exception e)
            {
                // Nobody can be charged by what is kept here meanwhile: money needs the database too.
                if (!silent) Log.Silent(log, e.Message);
                silent = true;
            }
        }
        while (Interlocked.Add(ref wanted, -served) > 0);
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "The database does not say what other nodes changed: {Why}")]
        public static partial void Silent(ILogger logger, string why);
    }
}
