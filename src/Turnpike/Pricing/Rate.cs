using Turnpike.Ledger;

namespace Turnpike.Pricing;

/// <summary>What a quantity of one unit costs, in millionths of the currency's smallest unit, so that nothing is rounded before the sum is.</summary>
internal abstract record Rate
{
    /// <summary>Millionths in a smallest unit.</summary>
    public const long Scale = 1_000_000;

    public abstract Int128 Of(long count);

    /// <summary>The rate in words.</summary>
    public abstract string Told(string currency);

    /// <summary>A price for each so many, begun ones counting by their part.</summary>
    /// <param name="Units">Smallest units of money for <paramref name="Per"/> of the unit.</param>
    /// <param name="Per">A divisor of a million.</param>
    internal sealed record Flat(long Units, long Per) : Rate
    {
        public override Int128 Of(long count) => (Int128)count * Units * (Scale / Per);

        public override string Told(string currency) => $"{new Money(Units, currency)} for {(Per == 1 ? "each" : $"{Per}")}";
    }

    /// <summary>Each tier's price for what falls into that tier.</summary>
    internal sealed record Graduated(IReadOnlyList<Tier> Tiers) : Rate
    {
        public override Int128 Of(long count)
        {
            Int128 sum = 0;
            long from = 0;
            foreach (var tier in Tiers)
            {
                if (count <= from) break;
                var inside = Math.Min(count, tier.UpTo) - from;
                sum += tier.Each.Of(inside) + (Int128)tier.Entry * Scale;
                from = tier.UpTo;
            }
            return sum;
        }

        public override string Told(string currency) => $"graduated, {Tiers.Count} tiers";
    }

    /// <summary>The price of the tier the whole quantity falls into, for all of it.</summary>
    internal sealed record Volume(IReadOnlyList<Tier> Tiers) : Rate
    {
        public override Int128 Of(long count)
        {
            if (count == 0) return 0;
            foreach (var tier in Tiers)
                if (count <= tier.UpTo) return tier.Each.Of(count) + (Int128)tier.Entry * Scale;
            return Tiers[^1].Each.Of(count);
        }

        public override string Told(string currency) => $"by volume, {Tiers.Count} tiers";
    }

    /// <summary>Whole packages: a begun one is a whole one.</summary>
    internal sealed record Package(long Size, long Units) : Rate
    {
        public override Int128 Of(long count) => ((Int128)count + Size - 1) / Size * Units * Scale;

        public override string Told(string currency) => $"{new Money(Units, currency)} for a package of {Size}";
    }
}

/// <summary>A step of a price.</summary>
/// <param name="UpTo">The last one in it.</param>
/// <param name="Entry">What entering the tier costs at once, in smallest units.</param>
internal sealed record Tier(long UpTo, Rate.Flat Each, long Entry);
