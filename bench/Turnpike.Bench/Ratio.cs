using System.Globalization;

namespace Turnpike.Bench;

/// <summary>
/// One rate to another, measured in turns of a second: the median of each turn's own ratio, and its standard error. Neighbours disturb
/// both of a turn alike; of long turns they disturb one.
/// </summary>
internal readonly record struct Ratio(double Median, double Error)
{
    /// <summary>Of a normal distribution the median's error is so much larger than the mean's.</summary>
    private const double OfMedian = 1.2533;

    public static Ratio Of(IReadOnlyList<double> mine, IReadOnlyList<double> other)
    {
        double[] ratios = [.. mine.Zip(other, (m, o) => m / o).Order()];
        var mean = ratios.Average();
        var deviation = Math.Sqrt(ratios.Sum(r => (r - mean) * (r - mean)) / Math.Max(1, ratios.Length - 1));
        return new(ratios[ratios.Length / 2], OfMedian * deviation / Math.Sqrt(ratios.Length));
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Median:F2}× ± {Error:F2}");
}
