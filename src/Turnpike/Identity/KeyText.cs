using System.Security.Cryptography;
using System.Text;

namespace Turnpike.Identity;

/// <summary>
/// The text of a key we make: <c>tpk_</c>, 32 base62 characters (190 random bits) and a CRC-32 in six more, so that scanners find
/// it, a double-click selects it, and a typing error is told before anything is looked up. Only its hash is kept.
/// </summary>
internal static class KeyText
{
    public const string Prefix = "tpk_";
    private const int Random = 32, Check = 6;

    /// <summary>How long such a text is.</summary>
    public const int Length = 4 + Random + Check;

    private const string Base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    public static string New()
    {
        var body = Prefix + RandomNumberGenerator.GetString(Base62, Random);
        return body + Checksum(body);
    }

    /// <summary>False for what begins like one of ours and is none: a typing error, or a guess.</summary>
    public static bool IsSound(ReadOnlySpan<char> text) =>
        !text.StartsWith(Prefix, StringComparison.Ordinal) || text.Length == Length && text[^Check..].SequenceEqual(Checksum(text[..^Check]));

    /// <summary>Enough for its owner to know it again, too little to guess the rest.</summary>
    public static string Hint(string text) => text.StartsWith(Prefix, StringComparison.Ordinal) ? text[..(Prefix.Length + 4)] + "…" : "imported";

    /// <summary>CRC-32 (IEEE 802.3) in base62, leading zeros kept, as code hosts write theirs.</summary>
    private static string Checksum(ReadOnlySpan<char> body)
    {
        var crc = 0xffffffffu;
        Span<byte> bytes = stackalloc byte[Encoding.UTF8.GetMaxByteCount(Prefix.Length + Random)];
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
