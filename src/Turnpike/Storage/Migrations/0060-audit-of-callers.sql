-- Of the trail only what a caller's reputation is counted from, so that counting reads nothing else.
create index audit_reputation on audit (node, sequence) where caller is not null and kind in ('payment.settled', 'call.refused', 'breaker.tripped') or kind = 'purchase.reversed';
