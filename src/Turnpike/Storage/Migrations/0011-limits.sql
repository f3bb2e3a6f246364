-- All an account was ever raised by: a period's allowance is raised to, never by.
alter table accounts add column raised bigint not null default 0;
