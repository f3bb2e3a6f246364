using System.Security.Cryptography;
using System.Text;

namespace Turnpike.Identity;

/// <summary>
/// The text of a key we make: <c>tpk_</c> or a word of the owner's, 32 base62 characters (190 random bits) and a CRC-32 in six more, so
/// that scanners find it, a double-click selects it, and a typing error is told before anything is looked up. Only its hash is kept.
/// </summary>
internal static class KeyText
{
    public const string Prefix = "tpk_";
    private const int Random = 32, Check = 6, MostPrefix = 17;

    /// <summary>How long such a text is behind what it begins with.</summary>
    public const int Rest = Random + Check;

    private const string Base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    public static string New(string prefix = Prefix)
    {
        var body = prefix + RandomNumberGenerator.GetString(Base62, Random);
        return body + Checksum(body);
    }

    /// <summary>False for what begins like one of ours and is none: a typing error, or a guess.</summary>
    public static bool IsSound(ReadOnlySpan<char> text, string prefix = Prefix) =>
        !text.StartsWith(prefix, StringComparison.Ordinal) || text.Length == prefix.Length + Rest && text[^Check..].SequenceEqual(Checksum(text[..^Check]));

    /// <summary>Enough for its owner to know it again, too little to guess the rest.</summary>
    public static string Hint(string text) => text[..(text.IndexOf('_', StringComparison.Ordinal) + 5)] + "…";

    /// <summary>Null for a word that keys may begin with, else why not.</summary>
    public static string? CheckPrefix(string word) =>
        word.Length is < 2 or >= MostPrefix || !char.IsAsciiLetterLower(word[0]) || !word.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c)) ? "is 2 to 16 lower-case letters and digits, a letter first"
        : word == "tp" ? "is what prepaid tokens begin with" : null;

    /// <summary>CRC-32 (IEEE 802.3) in base62, leading zeros kept, as code hosts write theirs.</summary>
    private static string Checksum(ReadOnlySpan<char> body)
    {
        var crc = 0xffffffffu;
        Span<byte> bytes = stackalloc byte[Encoding.UTF8.GetMaxByteCount(MostPrefix + Random)];
        foreach (var value in bytes[..Encoding.UTF8.GetBytes(body, bytes)])
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++) crc = (crc & 1) != 0 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
        }
        Span<char> text = stackalloc char[Check];
        var rest = ~crc;
        for (var i = Check - 1; i >= 0; i--, rest /= 62) text[i] = Base62[(int)(rest % 62)];
        return text.ToString();
    }
}
