-- A token that takes another's place spends the same account: nothing moves, and what becomes of that money becomes of both. Null: its own.
alter table tokens add column account text;
alter table tokens add column replaced_by text;
create index tokens_account on tokens (account) where account is not null;
