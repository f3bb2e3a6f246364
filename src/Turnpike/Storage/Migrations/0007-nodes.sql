-- Every process that serves on this database, by incarnation. Its lease runs by the database's clock; when it has lapsed, one other
-- becomes its heir and finishes what it left open. While it lives it is its own heir.
create table nodes (
    incarnation text not null primary key,
    node text not null,
    heir text not null,
    lease bigint not null,
    catalog text not null,
    started bigint not null
) without rowid;
create index nodes_heir on nodes (heir);

-- How often what nodes keep in memory has been changed, moved in the same transaction as the change.
create table revisions (
    name text not null primary key,
    number bigint not null
) without rowid;
