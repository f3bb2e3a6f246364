namespace Turnpike.Catalog;

/// <summary>What a caller did here in the last <see cref="Days"/> days, counted from the trail.</summary>
/// <param name="Paid">Payments that were settled; what a plan includes is none.</param>
/// <param name="Disputed">Payments that its payers took back.</param>
/// <param name="Denied">Calls that were refused by its own fault, 402 aside.</param>
/// <param name="Tripped">Breakers that opened for it.</param>
internal sealed record Reputation(long Paid, long Disputed, long Denied, long Tripped)
{
    public const int Days = 90;

    public static readonly Reputation None = new(0, 0, 0, 0);
}

/// <summary>What a reputation has to be; null: anything.</summary>
internal sealed record ReputationBounds(long? PaidAtLeast, long? DisputedAtMost, long? DeniedAtMost, long? TrippedAtMost)
{
    /// <summary>Nobody who says nothing of who it is has one.</summary>
    public bool Hold(Call call) => call is { Caller: not null, Reputation: { } known }
        && (PaidAtLeast is not { } paid || known.Paid >= paid)
        && (DisputedAtMost is not { } disputed || known.Disputed <= disputed)
        && (DeniedAtMost is not { } denied || known.Denied <= denied)
        && (TrippedAtMost is not { } tripped || known.Tripped <= tripped);
}
