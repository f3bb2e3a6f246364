-- Breakers that are open for a caller, an address or a task.
create table breakers (
    breaker text not null,
    who text not null,
    evidence text not null,
    since bigint not null,
    until bigint not null,
    primary key (breaker, who)
) without rowid;
