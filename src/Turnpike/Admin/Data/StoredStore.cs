namespace Turnpike.Admin.Data;

/// <summary>
/// Every table that may be about somebody. docs/operate.md shows this list, and a test compares it with the schema, so that a new
/// table is either here or said to name nobody.
/// </summary>
internal static class StoredStore
{
    public static readonly StoredTable Holds = new("holds", "pseudonym for payer and accounts; request, caller, proof and note are emptied",
        "select id, status, binding, receipt, correlation, operation, payer, caller, method, price_version, request, terms, expires, legs, observed, captured, reference, broadcast, rail_amount, note, incarnation, created, changed, outcome, sequence from holds",
        StoredTable.Of("id:t* status:t binding:t receipt:t correlation:t operation:t payer:t! caller:t! method:t price_version:t request:t- terms:t* expires:n legs:t* observed:n captured:n reference:t- broadcast:t- rail_amount:t note:t- incarnation:t created:n changed:n outcome:n sequence:n"));

    public static readonly StoredTable Transfers = new("transfers", "pseudonym",
        "select id, giver, taker, units, currency, reason, correlation, created from transfers",
        StoredTable.Of("id:t* giver:t* taker:t* units:n currency:t reason:t correlation:t created:n"));

    public static readonly StoredTable Accounts = new("accounts", "pseudonym",
        "select account, currency, posted, held, raised from accounts",
        StoredTable.Of("account:t* currency:t posted:n held:n raised:n"));

    public static readonly StoredTable Entries = new("entries", "pseudonym",
        "select account, currency, sequence, units, source, kind, created from entries",
        StoredTable.Of("account:t* currency:t sequence:n units:n source:t* kind:t created:n"));

    public static readonly StoredTable Audit = new("audit", "salt and these fields are destroyed; the chain still verifies",
        "select node, sequence, created, kind, correlation, reason, operation, caller, payer, address, request, method, amount, reference, detail, times, salt, erased, hash, agent, on_behalf_of from audit",
        StoredTable.Of("node:t sequence:n created:n kind:t correlation:t reason:t operation:t caller:t! payer:t! address:t! request:t- method:t amount:t reference:t* detail:t* times:n salt:b erased:b hash:b agent:t! on_behalf_of:t!"));

    public static readonly StoredTable Usage = new("usage_records", "pseudonym for the payer; caller and labels are emptied",
        "select source, id, happened, operation, caller, payer, model, origin, charged, observed, cost, currency, receipt, expense, expense_currency, asked, reported, labels from usage_records",
        StoredTable.Of("source:t id:t happened:n operation:t caller:t! payer:t! model:t origin:t charged:t observed:t cost:n currency:t receipt:t expense:n expense_currency:t asked:t reported:t labels:t-"));

    public static readonly StoredTable Answers = new("answers", "deleted",
        "select hold, expires, status, headers, length(body) from answers",
        StoredTable.Of("hold:t* expires:n status:n headers:t- body:n"));

    public static readonly StoredTable RetryKeys = new("retry_keys", "deleted",
        "select key, hold, request, created from retry_keys",
        StoredTable.Of("key:t* hold:t* request:t created:n"));

    public static readonly StoredTable Callers = new("callers", "deleted",
        "select name, status, facts, created, changed from callers",
        StoredTable.Of("name:t! status:t facts:t- created:n changed:n"));

    public static readonly StoredTable Keys = new("caller_keys", "deleted",
        "select id, caller, hint, rules, expires, revoked, created from caller_keys",
        StoredTable.Of("id:t caller:t! hint:t- rules:t- expires:n revoked:n created:n"));

    public static readonly StoredTable CallerSigners = new("caller_signers", "deleted",
        "select signer, caller from caller_signers",
        StoredTable.Of("signer:t! caller:t!"));

    public static readonly StoredTable Approvals = new("approvals", "deleted",
        "select id, caller, operation, amount, currency, status, created, until from approvals",
        StoredTable.Of("id:t caller:t! operation:t amount:n currency:t status:t created:n until:n"));

    public static readonly StoredTable Incidents = new("incidents", "deleted",
        "select scope, mode, reason, since from incidents",
        StoredTable.Of("scope:t* mode:t reason:t- since:n"));

    public static readonly StoredTable Grants = new("grants", "deleted",
        "select caller, id, kind, amount, currency, priority, expires, note, created from grants",
        StoredTable.Of("caller:t! id:t kind:t amount:n currency:t priority:n expires:n note:t- created:n"));

    public static readonly StoredTable Breakers = new("breakers", "deleted",
        "select breaker, who, evidence, since, until from breakers",
        StoredTable.Of("breaker:t who:t! evidence:t- since:n until:n"));

    public static readonly StoredTable Reputations = new("reputations", "deleted",
        "select caller, day, paid, disputed, denied, tripped from reputations",
        StoredTable.Of("caller:t! day:n paid:n disputed:n denied:n tripped:n"));

    public static readonly StoredTable Notices = new("notices", "deleted",
        "select id, queued, caller, payer, address, body, tries, due from notices",
        StoredTable.Of("id:t queued:n caller:t! payer:t! address:t! body:t- tries:n due:n"));

    public static readonly StoredTable Tokens = new("tokens", "deleted",
        "select id, budget, currency, calls, per_call, operations, rate_amount, rate_seconds, expires, status, note, created, bound_to, account, replaced_by, caps, owner, parent, series, gift, added from tokens",
        StoredTable.Of("id:t! budget:n currency:t calls:n per_call:n operations:t rate_amount:n rate_seconds:n expires:n status:t note:t- created:n bound_to:t* account:t* replaced_by:t caps:t owner:t! parent:t! series:t gift:n added:n"));

    public static readonly StoredTable Purchases = new("purchases", "pseudonym for the token; session, intent and mandate are emptied",
        "select id, session, operation, price, budget, currency, calls, valid_seconds, token, topup, replaced, intent, status, shown, created, changed, mandate, owner from purchases",
        StoredTable.Of("id:t session:t- operation:t price:n budget:n currency:t calls:n valid_seconds:n token:t! topup:n replaced:t! intent:t- status:t shown:n created:n changed:n mandate:t- owner:t!"));

    public static readonly StoredTable Mandates = new("mandates", "deleted",
        "select id, account, purchase, operation, price, budget, currency, calls, valid_seconds, below, monthly, customer, card, status, why, told, pending, sent, tries, due, since, created, changed from mandates",
        StoredTable.Of("id:t account:t! purchase:t operation:t price:n budget:n currency:t calls:n valid_seconds:n below:n monthly:n customer:t- card:t- status:t why:t told:n pending:t sent:n tries:n due:n since:n created:n changed:n"));

    public static readonly StoredTable Handovers = new("token_handovers", "deleted",
        "select id, giver, taker, created from token_handovers",
        StoredTable.Of("id:t* giver:t! taker:t! created:n"));

    public static readonly StoredTable Freezes = new("token_freezes", "deleted",
        "select account, cause from token_freezes",
        StoredTable.Of("account:t! cause:t"));

    public static readonly StoredTable Outbox = new("usage_outbox", "pseudonym",
        "select destination, queued, source, id, subject, tries, first, due, error from usage_outbox",
        StoredTable.Of("destination:t queued:n source:t id:t subject:t! tries:n first:n due:n error:t-"));

    public static readonly StoredTable DeadLetters = new("usage_dead_letters", "pseudonym",
        "select destination, source, id, subject, tries, error, died from usage_dead_letters",
        StoredTable.Of("destination:t source:t id:t subject:t! tries:n error:t- died:n"));

    public static readonly StoredTable Periods = new("price_periods", "pseudonym",
        "select subject, price, ends, used, due from price_periods",
        StoredTable.Of("subject:t! price:t ends:n used:n due:t"));

    public static readonly StoredTable Invoices = new("invoices", "pseudonym; who says it was paid, and its page, are emptied",
        "select id, caller, currency, period_start, period_end, number, status, lines, moves, total, carried, charged, tax, credited, due_seconds, grace_seconds, booked, opened, due, ended, reference, stripe_invoice, stripe_account, url, error, looked, created, changed from invoices",
        StoredTable.Of("id:t caller:t! currency:t period_start:n period_end:n number:n status:t lines:t moves:t* total:n carried:n charged:n tax:n credited:n due_seconds:n grace_seconds:n booked:n opened:n due:n ended:n reference:t- stripe_invoice:t stripe_account:t url:t- error:t- looked:n created:n changed:n"));

    public static readonly StoredTable Customers = new("billing_customers", "deleted",
        "select caller, facts, stripe_customer, stripe_account, changed from billing_customers",
        StoredTable.Of("caller:t! facts:t- stripe_customer:t- stripe_account:t changed:n"));

    public static readonly StoredTable Spans = new("plan_spans", "pseudonym",
        "select caller, since, plan, fee, currency, until from plan_spans",
        StoredTable.Of("caller:t! since:n plan:t fee:n currency:t until:n"));

    /// <summary>Holds first: what they lead to is found by them.</summary>
    public static IReadOnlyList<StoredTable> All { get; } = [Holds, Transfers, Accounts, Entries, Audit, Usage, Periods, Outbox, DeadLetters, Answers, RetryKeys, Callers, Keys, CallerSigners, Approvals, Incidents, Breakers, Reputations, Notices, Grants, Tokens, Handovers, Freezes, Purchases, Mandates, Invoices, Customers, Spans];

    /// <summary>Tables that name nobody: our own keys, counters, places of chains, and what Stripe told of an intent, by id. Organisations are no people.</summary>
    public static IReadOnlyList<string> NamesNobody { get; } =
        ["migrations", "counters", "audit_head", "audit_checkpoints", "audit_starts", "installation", "signers", "nodes", "revisions", "writers", "stripe_events", "usage_exports", "shown", "reputation_places", "price_takes", "price_tables", "credit_notes", "disputes", "organisations"];

    /// <summary>Columns that are not shown: what proves a key, and an answer's bytes, which its length stands for.</summary>
    public static IReadOnlyList<string> NotShown { get; } = ["caller_keys.hash", "caller_keys.sealed", "tokens.sequence"];
}
