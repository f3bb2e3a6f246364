using Turnpike.Ledger;

namespace Turnpike.Access.Approvals;

/// <summary><c>step-up</c> of an operation: what costs more asks for more.</summary>
/// <param name="Above">Up to this much nothing more is asked.</param>
/// <param name="Valid">How long one yes holds, for this caller and operation.</param>
internal sealed record StepUp(Money? Above, StepUpRequirement Require, TimeSpan Valid)
{
    /// <summary>How many blocks have to hold a payment before it is forwarded.</summary>
    public int Confirmations { get; init; }

    /// <summary>More is asked of a payer nothing was ever taken from.</summary>
    public bool FirstPayment { get; init; }

    /// <summary>More is asked when a payer comes above so much in a day, this call included.</summary>
    public Money? DayAbove { get; init; }

    /// <summary>Nothing more is asked of anybody: what would have been is audited.</summary>
    public bool Shadow { get; init; }
}

/// <summary>What is asked for.</summary>
internal enum StepUpRequirement
{
    /// <summary>An operator says yes.</summary>
    Approval,

    /// <summary>A caller that has signed this very request.</summary>
    Identity,

    /// <summary>A payment that is final before anything is forwarded.</summary>
    Confirmations,
}

/// <summary>What an operator is asked, and has said.</summary>
internal sealed record Approval(string Id, string Caller, string Operation, Money Amount, ApprovalStatus Status, DateTimeOffset Created)
{
    /// <summary>What was said holds until then; null while nothing was.</summary>
    public DateTimeOffset? Until { get; init; }
}

/// <summary>Where a question stands.</summary>
internal enum ApprovalStatus
{
    Pending,
    Approved,
    Denied,
}
