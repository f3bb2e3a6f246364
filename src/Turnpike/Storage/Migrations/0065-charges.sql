-- What Stripe tells of a charge finds the call it paid for.
create index holds_charge on holds (reference) where method = 'mpp.stripe';
