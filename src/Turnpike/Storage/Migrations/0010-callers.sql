-- Callers that the configuration does not name; facts are JSON, nothing is searched in them.
create table callers (
    name text not null primary key,
    status text not null,
    facts text not null,
    created bigint not null,
    changed bigint not null
) without rowid;

-- Their keys, as hashes under a key of the installation; rules are JSON.
create table caller_keys (
    id text not null primary key,
    caller text not null,
    hash blob not null unique,
    hint text not null,
    rules text not null,
    expires bigint,
    revoked bigint,
    created bigint not null
);
create index caller_keys_caller on caller_keys (caller, id);
