using System.Globalization;

namespace Turnpike.Bench;

/// <summary>What was measured, beside what is wanted.</summary>
internal static class Table
{
    private static readonly List<(string What, string Measured, string Wanted, string Verdict)> Rows = [];

    /// <summary>A value that should not be below its target.</summary>
    public static void AtLeast(string what, double measured, double wanted) => Add(what, Text(measured) + "×", "≥ " + Text(wanted) + "×", measured >= wanted);

    /// <summary>A count that should not be below its target.</summary>
    public static void AtLeast(string what, long measured, long wanted, string unit) =>
        Add(what, measured.ToString("N0", CultureInfo.InvariantCulture) + unit, "≥ " + wanted.ToString("N0", CultureInfo.InvariantCulture) + unit, measured >= wanted);

    /// <summary>A value that should not be above its target.</summary>
    public static void AtMost(string what, double measured, double wanted, string unit) => Add(what, Text(measured) + unit, "≤ " + Text(wanted) + unit, measured <= wanted);

    public static void Skipped(string what, string why) => Rows.Add((what, "-", "-", why));

    public static void Print()
    {
        if (Rows.Count == 0) return;
        var width = Rows.Max(r => r.What.Length);
        Console.WriteLine();
        foreach (var row in Rows) Console.WriteLine($"{row.What.PadRight(width)}  {row.Measured,10}  {row.Wanted,10}  {row.Verdict}");
    }

    private static void Add(string what, string measured, string wanted, bool passed) => Rows.Add((what, measured, wanted, passed ? "pass" : "MISS"));

    private static string Text(double value) => value.ToString("F2", CultureInfo.InvariantCulture);
}
