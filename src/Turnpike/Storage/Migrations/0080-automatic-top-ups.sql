-- What buyers agreed to: that their token is topped up by itself, with these terms. One that was asked for and never paid has no account's consent yet.
create table mandates (
    id text not null primary key,
    account text not null,
    purchase text not null,
    operation text not null,
    price bigint not null,
    budget bigint not null,
    currency text not null,
    calls bigint,
    valid_seconds bigint,
    below bigint not null,
    monthly bigint not null,
    customer text,
    card text,
    status text not null,
    why text,
    told bigint not null,
    pending text,
    sent bigint,
    tries bigint not null,
    due bigint not null,
    since bigint not null,
    created bigint not null,
    changed bigint not null
);
create unique index mandates_purchase on mandates (purchase);
create index mandates_account on mandates (account);
create index mandates_asked on mandates (id) where status = 'asked';
create index mandates_active on mandates (id) where status = 'active';
create index mandates_pending on mandates (id) where pending is not null;

-- The mandate an order was made under; none: its buyer made it.
alter table purchases add column mandate text;
create index purchases_mandate on purchases (mandate) where mandate is not null;
