using Turnpike.Catalog;

namespace Turnpike.Access.Asking;

/// <summary>A decision somebody else takes: where, when, and what holds without an answer.</summary>
internal sealed record Ask(Uri Url, IReadOnlyList<AskAt> At, Secret Secret, TimeSpan Timeout, bool AllowOnFailure);

/// <summary>When somebody else is asked.</summary>
internal enum AskAt
{
    /// <summary>Before any terms.</summary>
    Access,

    /// <summary>When the price is known, before anybody is shown it.</summary>
    Price,

    /// <summary>When the money is there, before the answer leaves: a no withholds it, and the money is the payer's credit.</summary>
    Settled,
}
