using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Turnpike.Protocols.Signing;

namespace Turnpike.Tokens;

/// <summary>
/// The text of a prepaid token: <c>tp_&lt;id&gt;_&lt;HMAC of the id&gt;_&lt;crc32&gt;</c>. A typing error is told from the checksum and a
/// forgery from the HMAC, both before any look-up; the same text is shown again by recomputing it, so it is never stored.
/// </summary>
internal sealed class TokenText(IReadOnlyList<byte[]> secrets)
{
    private const string Prefix = "tp_";
    private const int IdLength = 26, MacLength = 27;

    /// <summary>Bytes of the MAC: 160 bits, 27 base64url characters.</summary>
    private const int MacBytes = 20;

    /// <summary>A fresh id, unguessable.</summary>
    public static string NewId() => Catalog.Ids.New("")[1..];

    /// <summary>The id of the token that takes another's place: always the same one. An id is no secret; the text's HMAC is.</summary>
    public static string IdAfter(string id) => IdOf("turnpike-token-after:" + id);

    /// <summary>The id of the token a receipt paid for: always the same one.</summary>
    public static string IdFor(string receipt) => IdOf("turnpike-token-for:" + receipt);

    private static string IdOf(string text)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(text));
        return string.Create(IdLength, hash, static (text, hash) => { for (var i = 0; i < text.Length; i++) text[i] = Catalog.Ids.Alphabet[hash[i] & 31]; });
    }

    /// <summary>The text for this id, under the current secret.</summary>
    public string Of(string id)
    {
        var body = Prefix + id + "_" + Mac(secrets[0], id);
        return body + "_" + Checksum(body);
    }

    /// <summary>What this text is: its id when it is ours, else how it is wrong.</summary>
    public TokenReading Read(string text)
    {
        if (text.Length != Prefix.Length + IdLength + 1 + MacLength + 1 + 8 || !text.StartsWith(Prefix, StringComparison.Ordinal)) return new(null, "it does not have the form of a token");
        var body = text[..^9];
        var (id, mac) = (body.Substring(Prefix.Length, IdLength), body[^MacLength..]);
        if (body[Prefix.Length + IdLength] != '_' || text[^9] != '_') return new(null, "it does not have the form of a token");
        if (!CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Checksum(body)), Encoding.UTF8.GetBytes(text[^8..]))) return new(null, "its checksum is wrong: a typing error?");
        foreach (var secret in secrets)
            if (CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Mac(secret, id)), Encoding.UTF8.GetBytes(mac))) return new(id, null);
        return new(null, "it was not issued here");
    }

    private static string Mac(byte[] secret, string id)
    {
        Span<byte> mac = stackalloc byte[KeyedHash.Length];
        KeyedHash.Hash(secret, Encoding.UTF8.GetBytes("turnpike-token:" + id), mac);
        return Base64Url.EncodeToString(mac[..MacBytes]);
    }

    /// <summary>What four zero bits make of each of the sixteen remainders.</summary>
    private static readonly uint[] Crc = [.. Enumerable.Range(0, 16).Select(static remainder =>
    {
        var crc = (uint)remainder;
        for (var bit = 0; bit < 4; bit++) crc = (crc & 1) != 0 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
        return crc;
    })];

    /// <summary>CRC-32 (IEEE 802.3), eight lower-case hex digits.</summary>
    private static string Checksum(string body)
    {
        var crc = 0xffffffffu;
        foreach (var value in Encoding.UTF8.GetBytes(body))
        {
            crc ^= value;
            crc = crc >> 4 ^ Crc[crc & 15];
            crc = crc >> 4 ^ Crc[crc & 15];
        }
        return (~crc).ToString("x8", System.Globalization.CultureInfo.InvariantCulture);
    }
}

/// <summary>An id, or a sentence saying what is wrong with the text.</summary>
internal readonly record struct TokenReading(string? Id, string? Error);
