-- Which release each node is, and since when its configuration is in force there.
alter table nodes add column version text not null default '';
alter table nodes add column since bigint not null default 0;
