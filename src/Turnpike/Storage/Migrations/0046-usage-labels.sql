-- Of a record of use: the model that was asked for, what the upstream told where that is not what is charged, and what meters group by beside names (JSON, by label).
alter table usage_records add column asked text;
alter table usage_records add column reported text;
alter table usage_records add column labels text;

-- The rates each document had: what a call is explained by after they have changed.
create table price_tables (
    version text not null,
    operation text not null,
    price text not null,
    since bigint not null,
    primary key (version, operation)
) without rowid;
