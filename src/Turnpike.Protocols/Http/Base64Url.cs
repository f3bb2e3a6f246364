using System.Buffers;
using Platform = System.Buffers.Text.Base64Url;

namespace Turnpike.Protocols.Http;

/// <summary>Base64url without padding (RFC 4648 §5), as every payment header carries its JSON.</summary>
public static class Base64Url
{
    private static readonly SearchValues<char> Alphabet =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    public static string Encode(ReadOnlySpan<byte> bytes) => Platform.EncodeToString(bytes);

    /// <summary>Encodes into <paramref name="target"/>; it must hold <c>(4n + 2) / 3</c> characters.</summary>
    public static int Encode(ReadOnlySpan<byte> bytes, Span<char> target) => Platform.EncodeToChars(bytes, target);

    /// <summary>Decodes the one canonical spelling: no padding, no foreign alphabet, no space, no stray bits; null otherwise.</summary>
    public static byte[]? Decode(ReadOnlySpan<char> text)
    {
        if (text.ContainsAnyExcept(Alphabet) || text.Length % 4 == 1) return null;
        var bytes = new byte[text.Length * 3 / 4];
        if (Platform.DecodeFromChars(text, bytes, out _, out var written) != OperationStatus.Done || written != bytes.Length) return null;
        // Two spellings of the same bytes would be two credentials to whoever compares text.
        var spare = text.Length % 4;
        if (spare == 0) return bytes;
        Span<char> tail = stackalloc char[4];
        var kept = Platform.EncodeToChars(bytes.AsSpan(bytes.Length - (spare - 1)), tail);
        return tail[..kept].SequenceEqual(text[^spare..]) ? bytes : null;
    }

    /// <summary>Decodes what clients send in practice: also padded, also the standard alphabet; null if it is neither.</summary>
    public static byte[]? DecodeLenient(ReadOnlySpan<char> text)
    {
        var end = text.Length;
        while (end > 0 && text.Length - end < 2 && text[end - 1] == '=') end--;
        var plain = text[..end];
        if (!plain.ContainsAny('+', '/')) return Decode(plain);

        var mapped = ArrayPool<char>.Shared.Rent(plain.Length);
        plain.Replace(mapped, '+', '-');
        mapped.AsSpan(0, plain.Length).Replace('/', '_');
        var bytes = Decode(mapped.AsSpan(0, plain.Length));
        ArrayPool<char>.Shared.Return(mapped);
        return bytes;
    }
}
