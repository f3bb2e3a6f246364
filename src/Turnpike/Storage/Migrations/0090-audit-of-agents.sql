-- Which agent sent it, and for whom the caller acted; null: nobody said.
alter table audit add column agent text;
alter table audit add column on_behalf_of text;
