namespace Turnpike.Catalog.Document;

/// <summary>"Did you mean": the known word that a mistyped one is nearest to.</summary>
internal static class Nearest
{
    /// <summary>Null when none is near: more than a third of its letters differ, or more than three.</summary>
    public static string? Of(string word, IEnumerable<string> known)
    {
        if (word.Length > 64) return null;
        var (best, distance) = known.Select(k => (k, Distance(word.ToLowerInvariant().Replace('_', '-'), k))).DefaultIfEmpty(("", int.MaxValue)).MinBy(p => p.Item2);
        return distance <= Math.Min(3, Math.Max(best.Length, 3) / 3) ? best : null;
    }

    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var corner = row[0]++;
            for (var j = 1; j <= b.Length; j++)
            {
                var cost = Math.Min(Math.Min(row[j] + 1, row[j - 1] + 1), corner + (a[i - 1] == b[j - 1] ? 0 : 1));
                (corner, row[j]) = (row[j], cost);
            }
        }
        return row[^1];
    }
}
