using Turnpike.Storage;
using Turnpike.Storage.Nodes;

namespace Turnpike.Limits.Incidents;

/// <summary>What is switched off, across restarts and nodes.</summary>
internal sealed class IncidentStore(Database database, Revisions revisions)
{
    private const string Revision = "incidents";

    /// <summary>Called when any node has switched something.</summary>
    public void OnChanged(Action changed) => revisions.On(Revision, changed);

    /// <summary>Creates or replaces; normal removes.</summary>
    public async ValueTask PutAsync(Incident incident, CancellationToken ct) => await database.WriteAsync(sql =>
    {
        if (incident.Mode == IncidentMode.Normal) sql.Run("delete from incidents where scope = $1", incident.Scope);
        else sql.Run("""
            insert into incidents (scope, mode, reason, since) values ($1, $2, $3, $4)
            on conflict (scope) do update set mode = excluded.mode, reason = excluded.reason, since = excluded.since
            """, incident.Scope, incident.ModeText, incident.Reason, incident.Since);
        revisions.Bump(sql, Revision);
    }, ct);

    public async ValueTask<IReadOnlyList<Incident>> ListAsync(CancellationToken ct) => await database.ReadAsync(sql =>
        sql.Query("select scope, mode, reason, since from incidents order by scope", row => new Incident(row.Text(0), Incident.ReadMode(row.Text(1)) ?? IncidentMode.Closed, row.Text(2), row.Time(3))), ct);
}
