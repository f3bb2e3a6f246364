-- Caps of a token, whose it is, how much of it was given away and paid onto it later, and what it belongs to: a standing grant, or one token of its series.
alter table tokens add column caps text;
alter table tokens add column owner text;
alter table tokens add column parent text;
alter table tokens add column series text;
alter table tokens add column gift bigint not null default 0;
alter table tokens add column added bigint not null default 0;
update tokens set gift = coalesce((select t.units from transfers t where t.id = 'issue:' || tokens.id || ':gift'), 0);
update tokens set gift = gift + coalesce((select sum(t.units) from transfers t where t.id >= 'topup:' and t.id < 'topup;' and t.giver = 'external:promotion' and t.taker = 'token:' || tokens.id), 0)
where id in (select substr(t.taker, 7) from transfers t where t.id >= 'topup:' and t.id < 'topup;' and t.giver = 'external:promotion');
update tokens set added = coalesce((select sum(t.units) from transfers t where t.id >= 'topup:' and t.id < 'topup;' and t.currency = tokens.currency and t.taker = 'token:' || tokens.id), 0)
where id in (select substr(t.taker, 7) from transfers t where t.id >= 'topup:' and t.id < 'topup;');
create index tokens_parent on tokens (parent, expires) where parent is not null;
