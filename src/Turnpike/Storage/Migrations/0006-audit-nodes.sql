-- A chain per node: nodes share a database, not a lock. One key serves order, pages and time ranges; within a node time never goes
-- back. What came before belongs to node 1.
alter table audit rename to audit_before;

create table audit (
    node text not null,
    sequence bigint not null,
    created bigint not null,
    kind text not null,
    correlation text not null,
    reason text,
    operation text,
    caller text,
    payer text,
    address text,
    request text,
    method text,
    amount text,
    reference text,
    detail text,
    salt blob,
    erased blob,
    hash blob not null,
    primary key (created, node, sequence)
);

insert into audit (node, sequence, created, kind, correlation, reason, operation, caller, payer, address, request, method, amount, reference, detail, hash)
select '1', sequence, created, kind, correlation, reason, operation, caller, payer, address, request, method, amount, reference, detail, hash
from audit_before order by sequence;

drop table audit_before;
create index audit_correlation on audit (correlation);

alter table audit_head rename to audit_head_before;

create table audit_head (
    node text not null primary key,
    sequence bigint not null,
    created bigint not null,
    hash blob not null
);

insert into audit_head (node, sequence, created, hash)
select '1', sequence, coalesce((select max(created) from audit), 0), hash from audit_head_before;

drop table audit_head_before;
