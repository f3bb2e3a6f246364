-- Who has to sign every request that presents a token; names of signers, separated by spaces.
alter table tokens add column bound_to text;
