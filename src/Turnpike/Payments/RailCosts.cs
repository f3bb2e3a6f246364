using System.Collections.Frozen;
using Turnpike.Ledger;

namespace Turnpike.Payments;

/// <summary>
/// What taking an amount really costs the owner on each rail: fixed fee, share and gas, in billionths of the amount's money. A table of
/// orders of magnitude, good enough to order offers by; whole numbers only.
/// </summary>
internal sealed class RailCosts
{
    private static readonly Cost Unknown = new(Money.Nano, 0), Layer1 = new(500_000_000, 0), Layer2 = new(2_000_000, 0);

    private static readonly FrozenDictionary<string, Cost> ByMethod = new Dictionary<string, Cost>
    {
        ["prepaid"] = new(0, 0),
        ["mpp.stripe"] = new(300_000_000, 290),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly FrozenDictionary<string, Cost> ByNetwork = new Dictionary<string, Cost>
    {
        ["eip155:1"] = Layer1,
        ["eip155:11155111"] = Layer1,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The cost of taking <paramref name="amount"/> this way, in billionths; it only means something beside others.</summary>
    public long Of(Offer offer, Money amount)
    {
        var cost = ByMethod.TryGetValue(offer.Method, out var known) ? known
            : offer.Network is { } network ? ByNetwork.GetValueOrDefault(network, Layer2)
            : Unknown;
        var share = (Int128)amount.Units * cost.PerTenThousand / 10_000;
        return (long)Int128.Min(long.MaxValue, share + cost.Fixed);
    }

    /// <summary>A fee per payment in billionths, and so many ten-thousandths of the amount.</summary>
    private readonly record struct Cost(long Fixed, int PerTenThousand);
}
