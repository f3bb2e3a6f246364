using Turnpike.Catalog;
using Turnpike.Ledger;

namespace Turnpike.Pricing;

/// <summary>What a quantity of one unit costs, in millionths of the currency's smallest unit, so that nothing is rounded before the sum is.</summary>
internal abstract record Rate
{
    /// <summary>Millionths in a smallest unit.</summary>
    public const long Scale = 1_000_000;

    /// <summary>Over which its tiers count, for each caller; null: each call begins anew.</summary>
    public Period? Over { get; init; }

    /// <summary>So many cost nothing: of each call, or of each period.</summary>
    public long Free { get; init; }

    /// <summary>The rate for a question of so many tokens, all kinds of input together.</summary>
    public virtual Rate For(long input) => this;

    /// <summary>What so many come to from the beginning.</summary>
    public Int128 Of(long count) => count <= Free ? 0 : Priced(count - Free);

    /// <summary>The rate in words.</summary>
    public abstract string Told(string currency);

    /// <summary>What so many come to that are not free.</summary>
    protected abstract Int128 Priced(long count);

    /// <summary>The last one of each tier but the last.</summary>
    protected virtual IEnumerable<long> Edges => [];

    /// <summary>The least that so many cost wherever in a period they come: what a stream may be cut by.</summary>
    public Int128 Least(long count) => Over is null ? Of(count) : Free > 0 ? 0 : LeastOf(count);

    protected virtual Int128 LeastOf(long count) => 0;

    /// <summary>
    /// What so many more come to after others in the same period. What was paid for these already counts: it never falls below it, and
    /// nothing is given back where a volume has become cheaper.
    /// </summary>
    /// <param name="due">The most that those before came to.</param>
    public Int128 More(long before, long count, Int128 due) => Int128.Max(0, Of(checked(before + count)) - (this is Volume ? due : Of(before)));

    /// <summary>The most that up to so many can come to: by volume fewer may cost more than many, and in a period it depends on what came before.</summary>
    public Int128 Most(long count)
    {
        var most = Of(count);
        long[] edges = [.. Edges.Select(edge => edge + Free), .. Free > 0 ? new[] { Free } : []];
        foreach (var edge in edges) most = Int128.Max(most, Of(Math.Min(edge, count)));
        if (Over is null) return most;
        // It only changes its slope where a tier ends, before or after what is added.
        foreach (var before in edges.SelectMany(edge => new[] { edge, edge + 1, edge - count, edge - count + 1 }).Where(b => b >= 0))
            foreach (var more in edges.Select(edge => edge - before).Where(m => m > 0 && m < count).Append(count))
                most = Int128.Max(most, Of(checked(before + more)) - Of(before));
        return most;
    }

    private string Beside => $"{(Free > 0 ? $", {Free} free" : "")}{(Over is { } period ? $", over {period.Text}" : "")}";

    /// <summary>A price for each so many, begun ones counting by their part.</summary>
    /// <param name="Units">Smallest units of money for <paramref name="Per"/> of the unit.</param>
    /// <param name="Per">A divisor of a million.</param>
    internal sealed record Flat(long Units, long Per) : Rate
    {
        /// <summary>What it is instead for long questions; longer ones, and dearer, come later.</summary>
        public IReadOnlyList<LongRate> Long { get; init; } = [];

        public override Rate For(long input)
        {
            for (var i = Long.Count - 1; i >= 0; i--)
                if (input > Long[i].Above) return Long[i].Rate;
            return this;
        }

        protected override Int128 Priced(long count) => (Int128)count * Units * (Scale / Per);

        protected override Int128 LeastOf(long count) => Of(count);

        public override string Told(string currency) => $"{new Money(Units, currency)} for {(Per == 1 ? "each" : $"{Per}")}{Beside}{string.Concat(Long.Select(longer => $"; {new Money(longer.Rate.Units, currency)} above {longer.Above} tokens in"))}";
    }

    /// <summary>Each tier's price for what falls into that tier.</summary>
    internal sealed record Graduated(IReadOnlyList<Tier> Tiers) : Rate
    {
        protected override Int128 Priced(long count)
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

        public override string Told(string currency) => $"graduated, {Tiers.Count} tiers{Beside}";

        protected override Int128 LeastOf(long count) => Tiers.Select(tier => tier.Each.Of(count)).Min();

        protected override IEnumerable<long> Edges => Tiers.SkipLast(1).Select(tier => tier.UpTo);
    }

    /// <summary>The price of the tier the whole quantity falls into, for all of it.</summary>
    internal sealed record Volume(IReadOnlyList<Tier> Tiers) : Rate
    {
        protected override Int128 Priced(long count)
        {
            if (count == 0) return 0;
            foreach (var tier in Tiers)
                if (count <= tier.UpTo) return tier.Each.Of(count) + (Int128)tier.Entry * Scale;
            return Tiers[^1].Each.Of(count);
        }

        public override string Told(string currency) => $"by volume, {Tiers.Count} tiers{Beside}";

        protected override IEnumerable<long> Edges => Tiers.SkipLast(1).Select(tier => tier.UpTo);
    }

    /// <summary>Whole packages: a begun one is a whole one.</summary>
    internal sealed record Package(long Size, long Units) : Rate
    {
        protected override Int128 Priced(long count) => ((Int128)count + Size - 1) / Size * Units * Scale;

        public override string Told(string currency) => $"{new Money(Units, currency)} for a package of {Size}{Beside}";
    }
}

/// <summary>A step of a price.</summary>
/// <param name="UpTo">The last one in it.</param>
/// <param name="Entry">What entering the tier costs at once, in smallest units.</param>
internal sealed record Tier(long UpTo, Rate.Flat Each, long Entry);

/// <summary>A rate for questions of more tokens than so many: for all of the call, not for what is above alone.</summary>
internal sealed record LongRate(long Above, Rate.Flat Rate);
