-- What calls used, one row a call, and corrections as rows of their own. Quantities are JSON by unit.
create table usage_records (
    source text not null,
    id text not null,
    happened bigint not null,
    operation text not null,
    caller text,
    payer text,
    model text,
    origin text not null,
    charged text not null,
    observed text not null,
    cost bigint not null,
    currency text,
    receipt text,
    primary key (source, id)
) without rowid;
create index usage_records_time on usage_records (happened);
create index usage_records_payer on usage_records (payer, happened);
create index usage_records_receipt on usage_records (receipt);
