using Turnpike.Storage;

namespace Turnpike.Admin.Callers;

/// <summary>What the trail knows of a caller: counted from its events, so that it can be explained and cannot be forgotten to count.</summary>
internal static class ReputationStore
{
    public static List<(string Kind, string? Reason, long Count, DateTimeOffset Last)> Count(Sql sql, string caller, DateTimeOffset since) =>
        sql.Query("""
            select kind, reason, count(*), max(created) from audit
            where created >= $2 and caller = $1
            group by kind, reason order by kind, reason
            """, row => (row.Text(0), row.TextOrNull(1), row.Long(2), row.Time(3)), caller, since);
}

/// <summary>A caller's record here.</summary>
/// <param name="Since">Counted from then on.</param>
/// <param name="Paid">Payments that were settled.</param>
/// <param name="Delivered">Answers that were passed on to their end.</param>
/// <param name="Denied">Calls that were refused, for whatever reason but a price.</param>
/// <param name="Events">Every kind of event with its count: disputes and tripped breakers among them.</param>
/// <param name="Refusals">Every reason of a refusal with its count.</param>
internal sealed record ReputationView(string Caller, DateTimeOffset Since, long Paid, long Delivered, long Denied, IReadOnlyDictionary<string, long> Events, IReadOnlyDictionary<string, long> Refusals, DateTimeOffset? Last)
{
    public static ReputationView Of(string caller, DateTimeOffset since, IReadOnlyList<(string Kind, string? Reason, long Count, DateTimeOffset Last)> counted)
    {
        var events = counted.GroupBy(c => c.Kind).ToDictionary(g => g.Key, g => g.Sum(c => c.Count), StringComparer.Ordinal);
        var refusals = counted.Where(c => c.Kind == Audit.AuditKinds.Refused).ToDictionary(c => c.Reason ?? "", c => c.Count, StringComparer.Ordinal);
        return new(caller, since, events.GetValueOrDefault(Audit.AuditKinds.Settled), events.GetValueOrDefault(Audit.AuditKinds.Delivered), events.GetValueOrDefault(Audit.AuditKinds.Refused), events, refusals, counted.Count == 0 ? null : counted.Max(c => c.Last));
    }
}
