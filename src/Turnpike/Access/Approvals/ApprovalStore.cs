using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Storage;

namespace Turnpike.Access.Approvals;

/// <summary>Questions to operators, and their answers. One question stands for a caller and an operation at a time.</summary>
internal sealed class ApprovalStore(Database database)
{
    /// <summary>What was last asked for this caller and operation and still holds: a question, or what was said to it.</summary>
    public ValueTask<Approval?> CurrentAsync(string caller, string operation, DateTimeOffset now, CancellationToken ct) => database.ReadAsync(sql => Current(sql, caller, operation, now), ct);

    /// <summary>Asks, unless the question stands already.</summary>
    public ValueTask<Approval> AskAsync(string caller, string operation, Money amount, DateTimeOffset now, CancellationToken ct) => database.WriteAsync(sql =>
    {
        if (Current(sql, caller, operation, now) is { } standing) return standing;
        var asked = new Approval(Ids.New("a"), caller, operation, amount, ApprovalStatus.Pending, now);
        sql.Run("insert into approvals (id, caller, operation, amount, currency, status, created, until) values ($1, $2, $3, $4, $5, 'pending', $6, null)",
            asked.Id, caller, operation, amount.Units, amount.Currency, now);
        return asked;
    }, ct);

    public ValueTask<Approval?> FindAsync(string id, CancellationToken ct) => database.ReadAsync(sql =>
        sql.First("select id, caller, operation, amount, currency, status, created, until from approvals where id = $1", Read, id), ct);

    /// <summary>Newest first.</summary>
    public async ValueTask<IReadOnlyList<Approval>> ListAsync(ApprovalStatus? status, int most, CancellationToken ct) => await database.ReadAsync(sql =>
        sql.Query("select id, caller, operation, amount, currency, status, created, until from approvals where (cast($1 as text) is null or status = $1) order by id desc limit $2",
            Read, status is { } wanted ? Text(wanted) : null, most), ct);

    /// <summary>False when it was answered before.</summary>
    public async ValueTask<bool> DecideAsync(string id, ApprovalStatus status, DateTimeOffset until, CancellationToken ct) => await database.WriteAsync(sql =>
        sql.Change("update approvals set status = $2, until = $3 where id = $1 and status = 'pending'", id, Text(status), until), ct) == 1;

    public static string Text(ApprovalStatus status) => status switch { ApprovalStatus.Approved => "approved", ApprovalStatus.Denied => "denied", _ => "pending" };

    private static Approval? Current(Sql sql, string caller, string operation, DateTimeOffset now) =>
        sql.First("""
            select id, caller, operation, amount, currency, status, created, until from approvals
            where caller = $1 and operation = $2 and (status = 'pending' or until > $3) order by id desc limit 1
            """, Read, caller, operation, now);

    private static Approval Read(SqlRow row) =>
        new(row.Text(0), row.Text(1), row.Text(2), new Money(row.Long(3), row.Text(4)), row.Text(5) switch { "approved" => ApprovalStatus.Approved, "denied" => ApprovalStatus.Denied, _ => ApprovalStatus.Pending }, row.Time(6)) { Until = row.TimeOrNull(7) };
}
