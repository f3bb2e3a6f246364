namespace Turnpike.Audit;

/// <summary>
/// One decision, as it will stand in the hash-chained trail. Never a credential, a secret or a body: digests and ids only.
/// The writer adds sequence, time and the chain.
/// </summary>
internal sealed record AuditEvent
{
    /// <summary>What happened: a constant of <see cref="AuditKinds"/>.</summary>
    public required string Kind { get; init; }

    /// <summary>Joins the first 402 with payment, delivery, settlement and refund.</summary>
    public required string Correlation { get; init; }

    /// <summary>The stable reason code of a refusal or release; null for a yes.</summary>
    public string? Reason { get; init; }

    public string? Operation { get; init; }

    public string? Caller { get; init; }

    /// <summary>The agent that sent it, as it signed or as somebody the owner believes says.</summary>
    public string? Agent { get; init; }

    /// <summary>For whom the caller acted, when that is somebody else.</summary>
    public string? OnBehalfOf { get; init; }

    public string? Payer { get; init; }

    public string? Address { get; init; }

    /// <summary>Method and canonical target.</summary>
    public string? Request { get; init; }

    public string? Method { get; init; }

    /// <summary>Decimal text and currency, <c>0.01 USD</c>.</summary>
    public string? Amount { get; init; }

    /// <summary>Hold id, transaction hash, receipt id: whatever names the thing decided on.</summary>
    public string? Reference { get; init; }

    /// <summary>Anything more, as a sentence.</summary>
    public string? Detail { get; init; }

    /// <summary>How often it happened, where refusals that said the same are told as one.</summary>
    public long Times { get; init; } = 1;
}

/// <summary>The kinds of event: a closed list, documented in docs/contract.md.</summary>
internal static class AuditKinds
{
    public const string Terms = "terms.given";
    public const string Refused = "call.refused";
    public const string Verified = "payment.verified";
    public const string Held = "payment.held";
    public const string Settled = "payment.settled";
    public const string Unknown = "payment.unknown";
    public const string Released = "payment.released";
    public const string Credited = "payment.credited";
    public const string Resolved = "payment.resolved";
    public const string RefundOrdered = "refund.ordered";
    public const string Refunded = "payment.refunded";
    public const string RefundFailed = "refund.failed";
    public const string Delivered = "call.delivered";
    public const string Undelivered = "call.undelivered";
    public const string Overrun = "usage.overrun";
    public const string ForeignModel = "usage.foreign-model";
    public const string Untold = "usage.untold";
    public const string Undeliverable = "usage.undeliverable";
    public const string UsageReplayed = "usage.replayed";
    public const string Replayed = "answer.replayed";
    public const string IncidentSet = "incident.set";
    public const string ApprovalAsked = "approval.asked";
    public const string ApprovalDecided = "approval.decided";
    public const string BreakerTripped = "breaker.tripped";
    public const string BreakerReset = "breaker.reset";
    public const string NoticeUndeliverable = "notice.undeliverable";
    public const string LimitShadowed = "limit.shadowed";

    public const string AccessShadowed = "access.shadowed";
    public const string DecisionMissing = "decision.missing";
    public const string LimitReset = "limit.reset";
    public const string Granted = "plan.granted";
    public const string BalanceGranted = "balance.granted";
    public const string BalanceExpired = "balance.expired";
    public const string BalanceTakenBack = "balance.taken-back";
    public const string SpendWarned = "spend.warned";
    public const string TokenIssued = "token.issued";
    public const string TokenFrozen = "token.frozen";
    public const string TokenThawed = "token.thawed";
    public const string TokenRevoked = "token.revoked";
    public const string TokenToppedUp = "token.topped-up";
    public const string TokenTransferred = "token.transferred";
    public const string TokenOwned = "token.owned";
    public const string TokenShown = "token.shown";
    public const string TokenRotated = "token.rotated";
    public const string TopUpAgreed = "topup.agreed";
    public const string TopUpCharging = "topup.charging";
    public const string TopUpPaid = "topup.paid";
    public const string TopUpPaused = "topup.paused";
    public const string TopUpResumed = "topup.resumed";
    public const string TopUpCapped = "topup.capped";
    public const string TopUpEnded = "topup.ended";
    public const string UpstreamPaying = "upstream.paying";
    public const string UpstreamPaid = "upstream.paid";
    public const string UpstreamUnknown = "upstream.unknown";
    public const string UpstreamReleased = "upstream.released";
    public const string UpstreamLost = "upstream.lost";
    public const string UpstreamRefused = "upstream.refused";
    public const string PurchaseReversed = "purchase.reversed";
    public const string InvoiceSent = "invoice.sent";
    public const string InvoicePaid = "invoice.paid";
    public const string InvoicePastDue = "invoice.past-due";
    public const string InvoiceVoided = "invoice.voided";
    public const string InvoiceGivenUp = "invoice.uncollectible";
    public const string InvoiceCredited = "invoice.credited";
    public const string DisputeOpened = "dispute.opened";
    public const string DisputeAnswered = "dispute.answered";
    public const string CallerChanged = "caller.changed";
    public const string OrganisationChanged = "organisation.changed";
    public const string KeyIssued = "key.issued";
    public const string KeyShown = "key.shown";
    public const string KeyLeaked = "key.leaked";
    public const string KeyRevoked = "key.revoked";
    public const string ConfigLoaded = "config.loaded";
    public const string ConfigRefused = "config.refused";
    public const string TrailDropped = "trail.dropped";
    public const string DataErased = "data.erased";
    public const string AdminDenied = "admin.denied";
}
