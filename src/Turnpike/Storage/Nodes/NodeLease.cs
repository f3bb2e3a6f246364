using System.Collections.Frozen;
using System.Security.Cryptography;

namespace Turnpike.Storage.Nodes;

/// <summary>
/// This process among the nodes of its database: its name, and the incarnation its holds belong to, under a lease on the database's
/// clock. Whose lease has lapsed has an heir that finishes what it left open; should it still live (a long pause, a network cut in
/// two), it takes no money until it has a new incarnation, and what it held under the old one it can neither capture nor release.
/// </summary>
internal sealed class NodeLease
{
    public static readonly TimeSpan Length = TimeSpan.FromSeconds(6);
    public static readonly TimeSpan Renewal = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Remembered = TimeSpan.FromDays(1);

    private static readonly string Release = typeof(NodeLease).Assembly.GetName().Version!.ToString(3);

    private readonly Database? database;
    private readonly TimeProvider time;
    private volatile string incarnation;
    private volatile FrozenSet<string> inherited = FrozenSet<string>.Empty;
    private long renewed;
    private long since; // of how long it has been held without a break; 0: from the start

    private NodeLease(Database? database, string node, string incarnation, TimeProvider time) =>
        (this.database, Node, this.incarnation, this.time) = (database, node, incarnation, time);

    /// <summary>The node's name; no two that live have the same.</summary>
    public string Node { get; }

    /// <summary>Names this life of the process: holds of it are in progress here.</summary>
    public string Incarnation => incarnation;

    /// <summary>True where no other process writes: whatever is not ours is left over from before.</summary>
    public bool IsAlone => database is not { IsShared: true };

    /// <summary>May money be taken? By the clock that never jumps, from before the renewal was asked for: never longer than the database grants it.</summary>
    public bool IsHeld => IsAlone || time.GetElapsedTime(Volatile.Read(ref renewed)) < Length;

    /// <summary>All nodes as they were at the last renewal.</summary>
    public IReadOnlyList<NodeRow> Nodes { get; private set; } = [];

    /// <summary>The lease of the one process of a file; for commands and tests, nothing is written.</summary>
    public static NodeLease Alone(string? incarnation = null, string node = "1") => new(null, node, incarnation ?? NewIncarnation(), TimeProvider.System);

    /// <summary>Joins the nodes of this database. A process of the same name that was killed is waited for until its lease has lapsed.</summary>
    /// <exception cref="StorageInUseException">A node of that name lives.</exception>
    public static async Task<NodeLease> OpenAsync(Database database, string? node, string catalog, TimeProvider time, CancellationToken ct)
    {
        var lease = new NodeLease(database, node ?? (database.IsShared ? Environment.MachineName : "1"), NewIncarnation(), time);
        DateTimeOffset? first = null;
        while (await lease.JoinAsync(catalog, ct) is { } held)
        {
            if (held > (first ??= held)) throw new StorageInUseException($"Another node named '{lease.Node}' runs on this database: give each a gateway.node of its own.");
            await Task.Delay(TimeSpan.FromMilliseconds(250), time, ct);
        }
        await lease.RenewAsync(catalog, ct);
        return lease;
    }

    /// <summary>True for holds that this process has, or is to finish.</summary>
    public bool IsOurs(string of) => IsAlone || of == incarnation || inherited.Contains(of);

    /// <summary>Renews the lease and takes over from those whose lease has lapsed. False when it was lost, and everything begun before with it: a new incarnation has begun.</summary>
    public async Task<bool> RenewAsync(string catalog, CancellationToken ct)
    {
        var (asked, mine) = (time.GetTimestamp(), incarnation);
        // After an outage of the database all leases have lapsed and all nodes live: who was there gets the time to say so.
        var settled = renewed == 0 || IsHeld && (since == 0 || time.GetElapsedTime(since) >= Length);
        var (held, nodes) = await database!.WriteAsync(sql =>
        {
            var now = sql.Now(time);
            var held = NodeStore.Renew(sql, mine, now, now + Length, catalog);
            if (held && settled) NodeStore.Inherit(sql, mine, now);
            return (held, NodeStore.All(sql));
        }, ct);
        if (!held)
        {
            incarnation = NewIncarnation();
            inherited = FrozenSet<string>.Empty;
            await database.WriteAsync(sql => NodeStore.Add(sql, Row(catalog, sql.Now(time))), ct);
        }
        else
        {
            inherited = nodes.Where(node => node.Heir == mine && node.Incarnation != mine).Select(node => node.Incarnation).ToFrozenSet(StringComparer.Ordinal);
        }
        if (!IsHeld && renewed != 0 || !held) since = asked;
        Volatile.Write(ref renewed, asked);
        Nodes = nodes;
        return held;
    }

    /// <summary>All nodes as the database has them now, and what time it is there; this one alone where nothing is written down.</summary>
    public async ValueTask<(IReadOnlyList<NodeRow> Nodes, DateTimeOffset Now)> LookAsync(CancellationToken ct) =>
        database is null ? ([], time.GetUtcNow()) : await database.ReadAsync(sql => (NodeStore.All(sql), sql.Now(time)), ct);

    /// <summary>A clean end: whatever is still open is another's at once.</summary>
    public async Task EndAsync(CancellationToken ct) => await database!.WriteAsync(sql => NodeStore.End(sql, incarnation), ct);

    private ValueTask<DateTimeOffset?> JoinAsync(string catalog, CancellationToken ct) => database!.WriteAsync(sql =>
    {
        var now = sql.Now(time);
        sql.Share(SqlShare.Nodes, alone: true);
        if (IsAlone) NodeStore.RemoveAll(sql);
        else if (NodeStore.HeldUntil(sql, Node, now) is { } held) return held;
        NodeStore.RemoveOld(sql, now - Remembered);
        NodeStore.AddForgotten(sql);
        NodeStore.Add(sql, Row(catalog, now));
        return (DateTimeOffset?)null;
    }, ct);

    private NodeRow Row(string catalog, DateTimeOffset now) => new(incarnation, Node, incarnation, now + Length, catalog, now, Release, now);

    private static string NewIncarnation() => RandomNumberGenerator.GetHexString(16, lowercase: true);
}
