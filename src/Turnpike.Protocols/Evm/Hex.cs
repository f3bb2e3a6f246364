namespace Turnpike.Protocols.Evm;

/// <summary>Ethereum's hexadecimal: <c>0x</c> and an even number of digits, written in lower case, the digits read in any case.</summary>
public static class Hex
{
    /// <summary>Decodes <paramref name="text"/> when it names exactly <c>destination.Length</c> bytes; the <c>0x</c> is required.</summary>
    public static bool TryDecode(ReadOnlySpan<char> text, Span<byte> destination) =>
        Digits(text, out var digits)
        && digits.Length == destination.Length * 2
        && Convert.FromHexString(digits, destination, out _, out _) == System.Buffers.OperationStatus.Done;

    /// <summary>The bytes of <c>0x…</c>, or null when it is not even-length hexadecimal with its prefix.</summary>
    public static byte[]? Decode(string? text)
    {
        if (text is null || !Digits(text, out var digits) || digits.Length % 2 != 0) return null;
        var bytes = new byte[digits.Length / 2];
        return Convert.FromHexString(digits, bytes, out _, out _) == System.Buffers.OperationStatus.Done ? bytes : null;
    }

    /// <summary><c>0x</c> and lower-case digits.</summary>
    public static string Encode(ReadOnlySpan<byte> bytes) =>
        string.Create(2 + bytes.Length * 2, bytes, static (chars, source) =>
        {
            chars[0] = '0';
            chars[1] = 'x';
            Convert.TryToHexStringLower(source, chars[2..], out _);
        });

    private static bool Digits(ReadOnlySpan<char> text, out ReadOnlySpan<char> digits)
    {
        var prefixed = text.StartsWith("0x", StringComparison.Ordinal);
        digits = prefixed ? text[2..] : default;
        return prefixed;
    }
}
