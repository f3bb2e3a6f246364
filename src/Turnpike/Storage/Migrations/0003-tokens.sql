-- Prepaid tokens as they were issued; what is left of them is in accounts. Their text is recomputed, never stored.
create table tokens (
    sequence integer primary key,
    id text not null unique,
    budget bigint not null,
    currency text not null,
    calls bigint,
    per_call bigint,
    operations text not null,
    rate_amount bigint,
    rate_seconds bigint,
    expires bigint,
    status text not null,
    note text,
    created bigint not null
);

-- Answers kept for paid retries, outside the money.
create table answers (
    hold text not null primary key,
    expires bigint not null,
    status integer not null,
    headers text not null,
    body blob not null
);
create index answers_expire on answers (expires);

-- Keys this installation made for itself.
create table installation (
    name text not null primary key,
    value blob not null
);
