using System.Security.Cryptography;

namespace Turnpike.Storage.Postgres;

/// <summary>
/// A writer's row that every one of its transactions sets to a fresh value: after a commit nobody answered, it says whether that
/// transaction is there, all of it or nothing of it, on this server or on the one that took over.
/// </summary>
internal sealed class PostgresMark(string writer)
{
    private string last = "";

    /// <summary>The row must be there before it can be waited for.</summary>
    public void Begin(PostgresSql sql) => sql.Change("insert into writers (writer, mark) values ($1, '') on conflict (writer) do nothing", writer);

    public void Set(PostgresSql sql)
    {
        last = RandomNumberGenerator.GetHexString(16, lowercase: true);
        sql.RunRow("update writers set mark = $2 where writer = $1", writer, last);
    }

    /// <summary>
    /// The row is locked first: a commit that is still on its way is waited for. The question is itself a commit, so that with
    /// synchronous replication the answer is not given before the standby has it too.
    /// </summary>
    public bool IsSet(PostgresSql sql)
    {
        sql.Run("begin");
        var set = sql.First("update writers set mark = mark where writer = $1 returning mark", row => row.Text(0), writer) == last;
        sql.EndAsking();
        return set;
    }

    public void End(PostgresSql sql) => sql.Change("delete from writers where writer = $1", writer);
}
