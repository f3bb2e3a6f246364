-- Names callers give to payments whose proof is a name already: Idempotency-Keys and payment identifiers, by payer.
create table retry_keys (
    key text not null primary key,
    hold text not null,
    request text not null,
    created bigint not null
) without rowid;
create index retry_keys_created on retry_keys (created);

-- Where a chain begins since its older part was dropped; signed, so that nobody can shorten a trail unnoticed.
create table audit_starts (
    node text not null primary key,
    sequence bigint not null,
    created bigint not null,
    hash blob not null,
    signed text not null
) without rowid;
