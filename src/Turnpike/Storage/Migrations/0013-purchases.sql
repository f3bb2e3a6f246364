-- Tokens that were bought or topped up, from the order to whatever became of the payment.
create table purchases (
    id text not null primary key,
    session text,
    operation text not null,
    price bigint not null,
    budget bigint not null,
    currency text not null,
    calls bigint,
    valid_seconds bigint,
    token text not null,
    topup bigint not null,
    replaced text,
    intent text,
    status text not null,
    shown bigint not null,
    created bigint not null,
    changed bigint not null
);
create unique index purchases_session on purchases (session);
create index purchases_intent on purchases (intent);

-- What Stripe told us, once each; what it told of a payment before we knew that payment is found by its intent.
create table stripe_events (
    id text not null primary key,
    type text not null,
    intent text,
    amount bigint,
    created bigint not null,
    done bigint not null
);
create index stripe_events_intent on stripe_events (intent);
