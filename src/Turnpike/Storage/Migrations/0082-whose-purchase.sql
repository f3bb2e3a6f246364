-- Whose the bought token is, where its buyer said so by a token it has, or by the wallet it paid from.
alter table purchases add column owner text;
