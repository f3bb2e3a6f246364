-- What each writer wrote last, set in every one of its transactions: after a commit nobody answered it tells whether that one is
-- there. A file has one writer, which does not need to ask.
create table writers (
    writer text not null primary key,
    mark text not null
) without rowid;

-- Numbers of holds and entries, handed out by the batch, so that they are nobody's hot row. In a file they are in counters.
-- postgres: create sequence numbers increment by 8192;
