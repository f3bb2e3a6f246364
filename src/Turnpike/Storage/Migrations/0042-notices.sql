-- What operators' tools are still to be told.
create table notices (
    id text not null primary key,
    queued bigint not null,
    caller text,
    payer text,
    address text,
    body text not null,
    tries bigint not null,
    due bigint not null
) without rowid;
create index notices_due on notices (due);
