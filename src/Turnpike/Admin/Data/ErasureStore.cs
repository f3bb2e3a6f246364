using Turnpike.Audit;
using Turnpike.Storage;

namespace Turnpike.Admin.Data;

/// <summary>The SQL of erasing, a row at a time, within one transaction.</summary>
internal static class ErasureStore
{
    /// <summary>Nobody begins to charge for these tokens while they are being erased; whoever has begun is seen.</summary>
    public static void Keep(Sql sql, IReadOnlyList<string> tokens)
    {
        foreach (var token in sql.IsShared ? tokens : []) sql.Lock("select id from tokens where id = $1", row => row.Text(0), [token]);
    }

    public static void Erase(Sql sql, StoredRow row, Subject subject, string pseudonym, AuditHash hasher)
    {
        switch (row.Table.Name)
        {
            case "holds": EraseHold(sql, row, subject, pseudonym); break;
            case "transfers":
                sql.Run("update transfers set id = $2, giver = $3, taker = $4 where id = $1", row.Text("id"), New("id"), New("giver"), New("taker"));
                break;
            case "accounts":
                sql.Run("update accounts set account = $3 where account = $1 and currency = $2", row.Text("account"), row.Text("currency"), New("account"));
                break;
            case "entries":
                sql.Run("update entries set account = $4, source = $5 where account = $1 and currency = $2 and sequence = $3", row.Text("account"), row.Text("currency"), row.Number("sequence"), New("account"), New("source"));
                break;
            case "audit": EraseEvent(sql, row, hasher); break;
            case "usage_records":
                sql.Run("update usage_records set caller = null, labels = null, payer = $3 where source = $1 and id = $2", row.Text("source"), row.Text("id"), Named("payer"));
                break;
            case "price_periods":
                sql.Run("update price_periods set subject = $4 where subject = $1 and price = $2 and ends = $3", row.Text("subject"), row.Text("price"), row.Number("ends"), pseudonym);
                break;
            case "usage_outbox":
                sql.Run("update usage_outbox set subject = $4, error = null where destination = $1 and source = $2 and id = $3", row.Text("destination"), row.Text("source"), row.Text("id"), Named("subject"));
                break;
            case "usage_dead_letters":
                sql.Run("update usage_dead_letters set subject = $4, error = '' where destination = $1 and source = $2 and id = $3", row.Text("destination"), row.Text("source"), row.Text("id"), Named("subject"));
                break;
            case "answers": sql.Run("delete from answers where hold = $1", row.Text("hold")); break;
            case "retry_keys": sql.Run("delete from retry_keys where key = $1", row.Text("key")); break;
            case "callers": sql.Run("delete from callers where name = $1", row.Text("name")); break;
            case "caller_keys": sql.Run("delete from caller_keys where id = $1", row.Text("id")); break;
            case "caller_signers": sql.Run("delete from caller_signers where signer = $1", row.Text("signer")); break;
            case "approvals": sql.Run("delete from approvals where id = $1", row.Text("id")); break;
            case "incidents": sql.Run("delete from incidents where scope = $1", row.Text("scope")); break;
            case "grants": sql.Run("delete from grants where caller = $1 and id = $2", row.Text("caller"), row.Text("id")); break;
            case "breakers": sql.Run("delete from breakers where breaker = $1 and who = $2", row.Text("breaker"), row.Text("who")); break;
            case "reputations": sql.Run("delete from reputations where caller = $1 and day = $2", row.Text("caller"), row.Number("day")); break;
            case "notices": sql.Run("delete from notices where id = $1", row.Text("id")); break;
            case "tokens": sql.Run("delete from tokens where id = $1", row.Text("id")); break;
            case "purchases":
                sql.Run("update purchases set token = $2, replaced = null, session = null, intent = null, mandate = null, owner = null where id = $1", row.Text("id"), Named("token"));
                break;
            case "token_handovers": sql.Run("delete from token_handovers where id = $1", row.Text("id")); break;
            case "token_freezes": sql.Run("delete from token_freezes where account = $1 and cause = $2", row.Text("account"), row.Text("cause")); break;
            case "mandates": sql.Run("delete from mandates where id = $1", row.Text("id")); break;
            case "invoices":
                sql.Run("update invoices set caller = $2, moves = $3, reference = null, url = null, error = null where id = $1", row.Text("id"), Named("caller"), New("moves"));
                break;
            case "billing_customers": sql.Run("delete from billing_customers where caller = $1", row.Text("caller")); break;
            case "plan_spans":
                sql.Run("update plan_spans set caller = $3 where caller = $1 and since = $2", row.Text("caller"), row.Number("since"), Named("caller"));
                break;
            default: throw new InvalidOperationException($"Nobody has said how {row.Table.Name} is erased.");
        }

        string? Named(string column) => subject.Is(row.Text(column)) ? pseudonym : row.Text(column);

        string New(string column) => subject.Replace(row.Text(column)!, pseudonym);
    }

    private static void EraseHold(Sql sql, StoredRow row, Subject subject, string pseudonym)
    {
        var payer = row.Text("payer")!;
        var replaced = subject.Replace(payer, pseudonym);
        sql.Run("""
            update holds set id = $2, payer = $3, legs = $4, caller = null, request = '', terms = null, broadcast = null, note = null where id = $1
            """, row.Text("id"), subject.Replace(row.Text("id")!, pseudonym), replaced == payer && subject.Is(payer) ? pseudonym : replaced, subject.Replace(row.Text("legs")!, pseudonym));
    }

    /// <summary>The seal stays in the chain; without the salt nothing can be guessed against it.</summary>
    private static void EraseEvent(Sql sql, StoredRow row, AuditHash hasher)
    {
        var (node, sequence, created) = (row.Text("node")!, row.Number("sequence"), row.Number("created"));
        var found = sql.First("""
            select node, sequence, created, kind, correlation, reason, operation, caller, payer, address, request, method, amount, reference, detail, times, salt, erased, hash, agent, on_behalf_of
            from audit where created = $1 and node = $2 and sequence = $3
            """, AuditStore.Read, created, node, sequence)!;
        if (found.Salt is null) return; // erased before, or of a version that could not
        sql.Run("""
            update audit set salt = null, erased = $4, caller = null, payer = null, address = null, request = null, reference = null, detail = null, agent = null, on_behalf_of = null
            where created = $1 and node = $2 and sequence = $3
            """, created, node, sequence, hasher.Seal(found.Salt, found.Event));
    }
}
