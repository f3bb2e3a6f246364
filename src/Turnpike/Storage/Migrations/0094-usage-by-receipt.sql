-- The record of a paid call bears its receipt as its id: the primary key finds it.
drop index usage_records_receipt;
