-- A key is looked for by its hash alone, at every call that is not remembered: all that is known of it stands there.
create table caller_keys_by_hash (
    hash blob not null primary key,
    id text not null unique,
    caller text not null,
    hint text not null,
    rules text not null,
    expires bigint,
    revoked bigint,
    created bigint not null,
    sealed blob
) without rowid;
insert into caller_keys_by_hash (hash, id, caller, hint, rules, expires, revoked, created, sealed)
    select hash, id, caller, hint, rules, expires, revoked, created, sealed from caller_keys order by hash;
drop table caller_keys;
alter table caller_keys_by_hash rename to caller_keys;
create index caller_keys_caller on caller_keys (caller, id);
