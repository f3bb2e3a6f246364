-- How far somebody is in the tiers of a price that counts over a period: what was used in it, and the most it came to (a number of any size, as text).
create table price_periods (
    subject text not null,
    price text not null,
    ends bigint not null,
    used bigint not null,
    due text not null,
    primary key (subject, price, ends)
) without rowid;

-- What one call took of such a period, and what it is charged: written before its money, so that a crash between charges exactly that.
create table price_takes (
    receipt text not null,
    unit text not null,
    price text not null,
    ends bigint not null,
    earlier bigint not null,
    quantity bigint not null,
    due text not null,
    charge bigint not null,
    happened bigint not null,
    primary key (receipt, unit)
) without rowid;
create index price_takes_time on price_takes (happened);
