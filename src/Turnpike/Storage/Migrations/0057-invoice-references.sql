-- A payment that goes back finds its invoice.
create index invoices_reference on invoices (reference);
