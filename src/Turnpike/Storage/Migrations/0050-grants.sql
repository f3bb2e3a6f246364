-- What callers were granted: rules here, money in accounts.
create table grants (
    caller text not null,
    id text not null,
    kind text not null,
    amount bigint not null,
    currency text not null,
    priority bigint not null,
    expires bigint,
    note text,
    created bigint not null,
    primary key (caller, id)
) without rowid;
create index grants_expire on grants (expires) where expires is not null;
