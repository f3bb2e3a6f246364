-- Money: smallest units as whole numbers. Times: microseconds since 1970, UTC.

-- Reservations, and so replay protection, budget check, crash record and payment list in one.
create table holds (
    sequence integer primary key,
    id text not null unique,
    status text not null,
    binding text not null,
    receipt text not null unique,
    correlation text not null,
    operation text not null,
    payer text not null,
    caller text,
    method text not null,
    price_version text not null,
    request text not null,
    terms text,
    expires bigint,
    legs text not null,
    observed bigint not null,
    captured bigint not null,
    reference text,
    broadcast text,
    rail_amount text,
    note text,
    incarnation text not null,
    created bigint not null,
    changed bigint not null,
    outcome integer not null
);
create index holds_open on holds (sequence) where status in ('held', 'captured', 'unknown');
create index holds_undelivered on holds (sequence) where status <> 'released' and outcome = 0;
create index holds_payer on holds (payer, sequence);
create index holds_correlation on holds (correlation);

-- Immediate movements: top-ups, refunds, credit, corrections.
create table transfers (
    id text not null primary key,
    giver text not null,
    taker text not null,
    units bigint not null,
    currency text not null,
    reason text not null,
    correlation text,
    created bigint not null
) without rowid;

-- Balances of limited accounts only; everything else is the sum of its entries.
create table accounts (
    account text not null,
    currency text not null,
    posted bigint not null,
    held bigint not null,
    primary key (account, currency)
) without rowid;

-- Append-only. Every source's entries sum to zero per currency.
create table entries (
    account text not null,
    currency text not null,
    sequence bigint not null,
    units bigint not null,
    source text not null,
    kind text not null,
    created bigint not null,
    primary key (account, currency, sequence)
) without rowid;

-- The last numbers given out; one row each, moved once per batch.
create table counters (
    name text not null primary key,
    value bigint not null
) without rowid;
