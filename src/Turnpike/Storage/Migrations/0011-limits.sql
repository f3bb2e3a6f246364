-- All an account was ever raised by: a period's allowance is raised to, never by.
alter table accounts add column raised bigint not null default 0;

-- What the owner has switched off.
create table incidents (
    scope text not null primary key,
    mode text not null,
    reason text not null,
    since bigint not null
);

-- Questions to operators: may this caller make calls of this size?
create table approvals (
    id text not null primary key,
    caller text not null,
    operation text not null,
    amount bigint not null,
    currency text not null,
    status text not null,
    created bigint not null,
    until bigint
);
create index approvals_caller on approvals (caller, operation);
