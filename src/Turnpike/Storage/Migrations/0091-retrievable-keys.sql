-- The text of a key that may be shown again, in an envelope that a secret of the configuration opens; null: it was told once.
alter table caller_keys add column sealed blob;
