-- How often the same was refused, when it is told once; null: once.
alter table audit add column times bigint;

-- Ends of chains, signed from time to time: what AuditCheckpoint says.
create table audit_checkpoints (
    node text not null,
    sequence bigint not null,
    created bigint not null,
    hash blob not null,
    signed text not null,
    primary key (node, sequence)
);
