-- Which node fills the gaps of a signer's numbers, for a while.
alter table signers add column filler text not null default '';
alter table signers add column until bigint not null default 0;

-- What may be shown once (numbers of signatures and proofs), where several nodes may be shown it.
create table shown (
    number blob not null primary key,
    expires bigint not null
) without rowid;
create index shown_expire on shown (expires);
