using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Protocols.Evm;

namespace Turnpike.Admin.Support;

/// <summary>Finds payments by what their payers can tell: the correlation of an answer, a transaction, a wallet as it shows itself.</summary>
internal static class PaymentSearch
{
    /// <summary>By hold, receipt, correlation, or the rail's name for the money; of several the newest.</summary>
    public static async ValueTask<HoldState?> FindAsync(ILedger ledger, IAuditTrail audit, string id, CancellationToken ct)
    {
        if ((await ledger.FindAsync(id, ct) ?? await ledger.FindByReceiptAsync(id, ct)) is { } state) return state;
        var correlation = id.StartsWith("c_", StringComparison.Ordinal) ? id : (await audit.ReadAsync(new AuditFilter(Reference: id.StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? id.ToLowerInvariant() : id, Most: 1), ct)).FirstOrDefault()?.Event.Correlation;
        return correlation is null ? null : (await ledger.ListAsync(new HoldFilter(Correlation: correlation, Most: 1), ct)).FirstOrDefault();
    }

    /// <summary>As filtered; a wallet's bare address stands for its account on every chain that is configured.</summary>
    public static async ValueTask<IReadOnlyList<HoldState>> ListAsync(ILedger ledger, ServiceCatalog catalog, HoldFilter filter, CancellationToken ct)
    {
        var found = new List<HoldState>();
        foreach (var payer in Accounts(filter.Payer, catalog)) found.AddRange(await ledger.ListAsync(filter with { Payer = payer }, ct));
        return [.. found.OrderByDescending(state => state.Sequence).Take(filter.Most)];
    }

    private static IEnumerable<string?> Accounts(string? payer, ServiceCatalog catalog)
    {
        if (payer is null || !Address.TryParse(payer[(payer.LastIndexOf(':') + 1)..], out var address)) return [payer];
        if (payer.Contains(':', StringComparison.Ordinal)) return [payer.ToLowerInvariant()];
        return (catalog.Settings.Get<PaymentSettings>()?.Chains ?? []).Select(chain => $"{chain.Network}:{address.ToLowerHex()}").Distinct();
    }
}
