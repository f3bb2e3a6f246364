-- Where a chain begins since its older part was dropped; signed, so that nobody can shorten a trail unnoticed.
create table audit_starts (
    node text not null primary key,
    sequence bigint not null,
    created bigint not null,
    hash blob not null,
    signed text not null
) without rowid;
