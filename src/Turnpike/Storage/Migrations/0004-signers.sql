-- The next transaction number of each settling account, handed out once.
create table signers (
    chain bigint not null,
    signer text not null,
    next bigint not null,
    primary key (chain, signer)
);
