namespace Turnpike.Ledger;

/// <summary>The books were asked for what no correct caller asks (capture above the ceiling, a settled hold released): a bug, nothing was changed.</summary>


/// <summary>The hold is no longer this incarnation's: its lease lapsed, and another node has given the money back. Nothing changed.</summary>
internal sealed class HoldLostException(string id) : LedgerException($"Hold {id} was given back by another node.");
