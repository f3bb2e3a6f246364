using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace Turnpike.Plans;

/// <summary>What a plan opens beside amounts, by name: a switch (<c>true</c>, <c>false</c>), a whole number, or a word.</summary>
internal sealed class Entitlements(IReadOnlyList<KeyValuePair<string, string>> all)
{
    public static readonly Entitlements None = new([]);

    private readonly FrozenSet<string> given = all.Where(e => e.Value != "false").Select(e => e.Key).ToFrozenSet(StringComparer.Ordinal);

    public IReadOnlyList<KeyValuePair<string, string>> All => all;

    public bool Has(string name) => given.Contains(name);

    /// <summary>As the upstream is told them: a dictionary of RFC 9651, <c>export, seats=5, region="eu"</c>. Null: none.</summary>
    public string? Header { get; } = all.Any(e => e.Value != "false") ? Write(all) : null;

    /// <summary>Null for a name that may stand in that header, else why not.</summary>
    public static string? CheckName(string name) =>
        name.Length is > 0 and <= 64 && char.IsAsciiLetterLower(name[0]) && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '_') ? null : "a name is 1 to 64 lower-case letters, digits, '-' and '_', a letter first";

    /// <summary>Null for a value that may, else why not.</summary>
    public static string? CheckValue(string value) =>
        value.Length is > 0 and <= 200 && value.All(c => c is >= ' ' and <= '~' and not ('"' or '\\')) ? null : "is no value; write true, false, a whole number, or a word of printable ASCII";

    private static string Write(IReadOnlyList<KeyValuePair<string, string>> all)
    {
        var text = new StringBuilder();
        foreach (var (name, value) in all)
        {
            if (value == "false") continue;
            if (text.Length > 0) text.Append(", ");
            text.Append(name);
            if (value == "true") continue;
            if (long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < 1_000_000_000_000_000) text.Append('=').Append(number);
            else text.Append("=\"").Append(value).Append('"');
        }
        return text.ToString();
    }
}
