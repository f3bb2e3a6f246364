-- Who signs requests in the name of a caller that the configuration does not name: whoever signs is one caller.
create table caller_signers (
    signer text not null primary key,
    caller text not null
) without rowid;
create index caller_signers_caller on caller_signers (caller, signer);
