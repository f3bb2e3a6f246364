-- A caller looks at what it used, whoever paid.
create index usage_records_caller on usage_records (caller, happened);
