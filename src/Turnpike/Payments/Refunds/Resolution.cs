namespace Turnpike.Payments.Refunds;

/// <summary>How an operator ends a settlement nobody knows the outcome of.</summary>
/// <param name="Reference">The rail's name for the money, where it has it.</param>
/// <param name="Reason">The operator's own words, for the trail.</param>
internal sealed record Resolution(ResolvedAs As, string? Reference, string Reason)
{
    public static string Text(ResolvedAs how) => how switch { ResolvedAs.Settled => "settled", ResolvedAs.Released => "released", _ => "credited" };
}

/// <summary>What became of the money.</summary>
internal enum ResolvedAs
{
    /// <summary>The rail has paid. The answer never left, so the payer has it as credit.</summary>
    Settled,

    /// <summary>The rail has not paid and never will.</summary>
    Released,

    /// <summary>Nobody will ever know: the payer is believed, and has it as credit.</summary>
    Credited,
}
