-- Organisations that turnpike.yaml does not name, and what their callers may spend together.
create table organisations (
    name text not null primary key,
    facts text not null,
    created bigint not null,
    changed bigint not null
) without rowid;
