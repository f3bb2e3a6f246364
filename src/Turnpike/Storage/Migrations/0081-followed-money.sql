-- Money that was moved between tokens of one owner, written before it moves: what is taken back or disputed is followed by it.
create table token_handovers (
    id text not null primary key,
    giver text not null,
    taker text not null,
    created bigint not null
);
create index token_handovers_giver on token_handovers (giver, created);
insert into token_handovers (id, giver, taker, created) select id, giver, taker, created from transfers where id >= 'handover:' and id < 'handover;';

-- What froze a token without its operator: it is thawed when the last of them is over.
create table token_freezes (
    account text not null,
    cause text not null,
    primary key (account, cause)
);
create index token_freezes_cause on token_freezes (cause);
