-- Every decision, hash-chained: docs of AuditHash say over what.
create table audit (
    sequence integer primary key,
    created bigint not null,
    kind text not null,
    correlation text not null,
    reason text,
    operation text,
    caller text,
    payer text,
    address text,
    request text,
    method text,
    amount text,
    reference text,
    detail text,
    hash blob not null
);
create index audit_correlation on audit (correlation);

-- The last link, so that cutting off the tail is noticed.
create table audit_head (
    id integer primary key,
    sequence bigint not null,
    hash blob not null
);
