-- Calls of nobody in particular, and those that nobody pays for, are looked for by time alone.
drop index usage_records_payer;
create index usage_records_payer on usage_records (payer, happened) where payer is not null;
drop index usage_records_caller;
create index usage_records_caller on usage_records (caller, happened) where caller is not null;
