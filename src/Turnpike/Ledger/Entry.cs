namespace Turnpike.Ledger;

/// <summary>One line of the books; the lines of one source sum to zero. Never edited.</summary>
/// <param name="Units">Positive when the account receives.</param>
/// <param name="Source">The hold or transfer it comes from.</param>
/// <param name="Kind"><c>capture</c>, <c>reverse</c> or <c>transfer</c>.</param>
internal readonly record struct Entry(long Sequence, AccountKey Account, long Units, string Source, string Kind, DateTimeOffset Created);

/// <summary>An account in one currency.</summary>
internal readonly record struct AccountKey(string Account, string Currency);
