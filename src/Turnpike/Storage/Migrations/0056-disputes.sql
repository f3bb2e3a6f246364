-- Payments whose buyers took them back through their banks, as Stripe last told.
create table disputes (
    id text not null primary key,
    intent text not null,
    amount bigint not null,
    currency text not null,
    status text not null,
    reason text,
    due bigint,
    submitted bigint,
    created bigint not null,
    changed bigint not null
) without rowid;
create index disputes_intent on disputes (intent);
