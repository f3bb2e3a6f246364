namespace Turnpike.Ledger;

/// <summary>The books were asked for what no correct caller asks (capture above the ceiling, a settled hold released): a bug, nothing was changed.</summary>
internal class LedgerException(string message) : Exception(message);
