-- What callers owe for a period, one row for each currency. Lines and the movements behind it are JSON; amounts are smallest units.
create table invoices (
    id text not null primary key,
    caller text not null,
    currency text not null,
    period_start bigint not null,
    period_end bigint not null,
    number bigint,
    status text not null,
    lines text not null,
    moves text not null,
    total bigint not null,
    carried bigint not null,
    charged bigint not null,
    tax bigint not null,
    credited bigint not null,
    due_seconds bigint not null,
    grace_seconds bigint not null,
    booked bigint not null,
    opened bigint,
    due bigint,
    ended bigint,
    reference text,
    stripe_invoice text,
    stripe_account text,
    url text,
    error text,
    looked bigint not null,
    created bigint not null,
    changed bigint not null
) without rowid;
create unique index invoices_period on invoices (caller, currency, period_end);
create index invoices_status on invoices (status, due);
create index invoices_stripe on invoices (stripe_invoice);

-- What was taken back of an invoice after it was sent.
create table credit_notes (
    id text not null primary key,
    invoice text not null,
    amount bigint not null,
    currency text not null,
    reason text not null,
    paid_out bigint not null,
    done bigint not null,
    reference text,
    error text,
    created bigint not null
) without rowid;
create index credit_notes_invoice on credit_notes (invoice, created);

-- Which plan with a fee a caller had, and when: the fee is for the time it was had.
create table plan_spans (
    caller text not null,
    since bigint not null,
    plan text not null,
    fee bigint not null,
    currency text not null,
    until bigint,
    primary key (caller, since)
) without rowid;

-- Who pays invoices: what stands on them, and the customer they are at Stripe.
create table billing_customers (
    caller text not null primary key,
    facts text not null,
    stripe_customer text,
    stripe_account text,
    changed bigint not null
) without rowid;
