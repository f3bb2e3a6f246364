namespace Turnpike.Ledger;

/// <summary>A hold in the books, and how it differs from the database.</summary>
internal sealed class BookedHold(HoldState state, bool stored)
{
    public HoldState State { get; set; } = state;

    /// <summary>True when the database has a row of it.</summary>
    public bool Stored { get; set; } = stored;

    public bool Changed { get; set; }

    /// <summary>True when a released hold was taken up again: then every column may differ.</summary>
    public bool Retaken { get; set; }
}
