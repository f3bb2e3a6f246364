-- Use that somebody else is still to be told of, written with the record itself. In the order of the queue; what was tried and is to
-- be tried again keeps its subject's later events back.
create table usage_outbox (
    destination text not null,
    queued bigint not null,
    source text not null,
    id text not null,
    subject text not null,
    tries bigint not null,
    first bigint,
    due bigint not null,
    error text,
    primary key (destination, queued, source, id)
) without rowid;
create index usage_outbox_late on usage_outbox (destination, subject, due) where tries > 0;

-- What a receiver refused, or was tried for too long: kept until somebody has it sent again.
create table usage_dead_letters (
    destination text not null,
    source text not null,
    id text not null,
    subject text not null,
    tries bigint not null,
    error text not null,
    died bigint not null,
    primary key (destination, source, id)
) without rowid;

-- Who sends to a destination at the moment, and how far its file is known to be right.
create table usage_exports (
    destination text not null primary key,
    holder text not null,
    until bigint not null,
    file text,
    length bigint not null
) without rowid;
