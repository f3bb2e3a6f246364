-- All an account was ever raised by: a period's allowance is raised to, never by.
alter table accounts add column raised bigint not null default 0;

-- What the owner has switched off.
create table incidents (
    scope text not null primary key,
    mode text not null,
    reason text not null,
    since bigint not null
);
