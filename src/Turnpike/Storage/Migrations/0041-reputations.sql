-- What callers did, day by day, counted from the trail; and how far the trail of each node has been counted.
create table reputations (
    caller text not null,
    day bigint not null,
    paid bigint not null,
    disputed bigint not null,
    denied bigint not null,
    tripped bigint not null,
    primary key (caller, day)
) without rowid;

create table reputation_places (
    node text not null primary key,
    created bigint not null,
    sequence bigint not null
) without rowid;
