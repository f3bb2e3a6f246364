-- What a call cost the owner, where the operation says so: beside what its payer paid.
alter table usage_records add column expense bigint;
alter table usage_records add column expense_currency text;
