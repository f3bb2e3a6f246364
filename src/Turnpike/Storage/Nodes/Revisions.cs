using System.Collections.Concurrent;

namespace Turnpike.Storage.Nodes;

/// <summary>
/// Tells every node when something it keeps in memory was changed by an operator. <see cref="Bump"/> goes into the transaction of the
/// change; <see cref="On"/> forgets what was kept. Here it is forgotten before the change is acknowledged, on other nodes at their
/// next look, a quarter of a second later.
/// </summary>
internal sealed partial class Revisions : IWriteParticipant, IHostedService, IDisposable
{
    public static readonly TimeSpan Look = TimeSpan.FromMilliseconds(250);

    private readonly ConcurrentDictionary<string, Action[]> followers = new(StringComparer.Ordinal);
    private readonly HashSet<string> bumped = [];
    private readonly Database database;
    private readonly TimeProvider time;
    private readonly ILogger log;
    private Dictionary<string, long> seen = [];
    private ITimer? timer;
    private int looking;

    public Revisions(Database database, TimeProvider time, ILogger<Revisions> log)
    {
        (this.database, this.time, this.log) = (database, time, log);
        if (database.IsWritable) database.Writer.Join(this);
    }

    /// <summary>What is known under this name has changed. To be called by a write, in its transaction.</summary>
    public void Bump(Sql sql, string name)
    {
        bumped.Add(name);
        sql.Run("insert into revisions (name, number) values ($1, 1) on conflict (name) do update set number = revisions.number + 1", name);
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
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose() => timer?.Dispose();

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
        if (Interlocked.Exchange(ref looking, 1) == 1) return;
        try
        {
            await LookAsync(CancellationToken.None);
        }
        catch (Exception e)
        {
            // Nobody can be charged by what is kept here meanwhile: money needs the database too.
            Log.Silent(log, e.Message);
        }
        finally
        {
            Volatile.Write(ref looking, 0);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "The database does not say what other nodes changed: {Why}")]
        public static partial void Silent(ILogger logger, string why);
    }
}
