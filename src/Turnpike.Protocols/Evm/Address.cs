namespace Turnpike.Protocols.Evm;

/// <summary>Twenty bytes that name an account.</summary>
public readonly record struct Address(UInt128 High, uint Low)
{
    public static bool TryParse(string? text, out Address address)
    {
        address = default;
        if (text is not { Length: 42 } || !text.StartsWith("0x", StringComparison.Ordinal)) return false;
        if (!UInt128.TryParse(text.AsSpan(2, 32), System.Globalization.NumberStyles.AllowHexSpecifier, null, out var high)) return false;
        if (!uint.TryParse(text.AsSpan(34), System.Globalization.NumberStyles.AllowHexSpecifier, null, out var low)) return false;
        address = new Address(high, low);
        return true;
    }

    public string ToLowerHex() => $"0x{High:x32}{Low:x8}";

    public override string ToString() => ToLowerHex();
}
