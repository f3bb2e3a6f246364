using System.Security.Cryptography;
using System.Text;

namespace Turnpike.Catalog;

/// <summary>A resolved secret. It prints as stars, so that it cannot reach a log, a page or an error by accident.</summary>
internal readonly struct Secret(string value)
{
    public bool IsEmpty => string.IsNullOrEmpty(value);

    /// <summary>The text itself. Call it only where the secret is used.</summary>
    public string Reveal() => value ?? "";

    /// <summary>The key bytes: base64 where the text is base64 of at least 32 bytes, else its UTF-8.</summary>
    public byte[] Bytes()
    {
        var buffer = new byte[Reveal().Length];
        return Convert.TryFromBase64String(Reveal(), buffer, out var written) && written >= 32 ? buffer[..written] : Encoding.UTF8.GetBytes(Reveal());
    }

    /// <summary>Compares in constant time.</summary>
    public bool Matches(ReadOnlySpan<char> presented)
    {
        Span<byte> mine = stackalloc byte[32], theirs = stackalloc byte[32];
        SHA256.HashData(Encoding.UTF8.GetBytes(Reveal()), mine);
        SHA256.HashData(Encoding.UTF8.GetBytes(presented.ToString()), theirs);
        return CryptographicOperations.FixedTimeEquals(mine, theirs);
    }

    public override string ToString() => "***";
}
