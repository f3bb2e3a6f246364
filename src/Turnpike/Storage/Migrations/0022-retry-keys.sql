-- Names callers give to payments whose proof is a name already: Idempotency-Keys and payment identifiers, by payer.
create table retry_keys (
    key text not null primary key,
    hold text not null,
    request text not null,
    created bigint not null
) without rowid;
create index retry_keys_created on retry_keys (created);
