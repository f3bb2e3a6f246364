using System.Globalization;
using Turnpike.Catalog.Document;
using Turnpike.Ledger;

namespace Turnpike.Payments.Costs;

/// <summary><c>payments.costs</c>: what taking a payment costs the owner on each rail.</summary>
internal static class CostSection
{
    private static readonly Shape<string> PercentText = new ScalarShape<string>("a percentage such as 2.9%",
        (string t, out string? v) => Share(v = t) is null ? "is no percentage up to 100%; write 2.9%, at most two decimals" : null, @"^[0-9]{1,3}(\.[0-9]{1,2})?%$");

    private static readonly Key<Money> Fixed = new("fixed", Shapes.Money, "The fee of each payment.") { Default = "nothing", Example = "0.30 USD" };
    private static readonly Key<string> Percent = new("percent", PercentText, "The fee's share of the amount.") { Default = "nothing", Example = "2.9%" };
    private static readonly Key<Money> Gas = new("gas", Shapes.Money, "What settling one costs on the chain, about.") { Default = "nothing", Example = "0.002 USD" };
    private static readonly Key<Money> Minimum = new("minimum", Shapes.Money, "Less is not offered on this rail.") { Default = "none", Example = "0.50 USD" };

    private static readonly Shape<IReadOnlyList<KeyValuePair<string, RailCost>>> Shape = new NamedShape<RailCost>("costs by rail", "rail", Check, new MapShape<RailCost>([Fixed, Percent, Gas, Minimum], Build));

    public static readonly Key<IReadOnlyDictionary<string, RailCost>> Key = new("costs", new ConvertedShape<IReadOnlyList<KeyValuePair<string, RailCost>>, IReadOnlyDictionary<string, RailCost>>(Shape, all => all.ToDictionary(StringComparer.Ordinal)),
        "What taking a payment costs on each rail: by method (mpp.stripe), chain (eip155:8453), or both (x402.exact/eip155:8453). Offers are ordered by it after accept, and payments record what the others would have cost.")
    { Default = "orders of magnitude, only to order offers by", Example = "{ mpp.stripe: { fixed: 0.30 USD, percent: 2.9%, minimum: 0.50 USD } }" };

    private static RailCost? Build(MapValues m)
    {
        Key<Money>[] amounts = [Fixed, Gas, Minimum];
        if (amounts.Where(m.IsWritten).Select(key => m.Get(key).Currency).Distinct().Count() > 1) { m.At.Refuse("a rail's costs are in one currency"); return null; }
        return new RailCost(checked(m.Get(Fixed).Units + m.Get(Gas).Units), m.Get(Percent) is { } percent ? Share(percent)!.Value : 0) { Minimum = m.IsWritten(Minimum) ? m.Get(Minimum) : null };
    }

    private static string? Check(string rail) => IsChain(rail) || rail.Split('/') is [var method, .. var on] && IsMethod(method) && (on is [] || on is [var chain] && IsChain(chain)) ? null
        : $"'{Reading.Shown(rail)}' is no rail: a method ({string.Join(", ", Payable.Names.Where(n => n.Contains('.')))}, prepaid), a chain, or method/chain";

    /// <summary>One that takes payments itself: <c>x402</c> is a protocol, and its costs would be looked up by nobody.</summary>
    private static bool IsMethod(string name) => Payable.Names.Contains(name) && (name.Contains('.', StringComparison.Ordinal) || name == "prepaid");

    private static bool IsChain(string name) => name.StartsWith("eip155:", StringComparison.Ordinal) && name.Length is > 7 and <= 39 && !name.AsSpan(7).ContainsAnyExceptInRange('0', '9');

    private static long? Share(string text) =>
        text.EndsWith('%') && decimal.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var percent) && percent <= 100 && decimal.Round(percent, 2) == percent ? (long)(percent * 100) : null;
}
