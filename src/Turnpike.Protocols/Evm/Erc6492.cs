namespace Turnpike.Protocols.Evm;

/// <summary>The wrapper around the signature of a wallet that is not deployed yet (ERC-6492).</summary>
public static class Erc6492
{
    private static readonly byte[] Magic = Convert.FromHexString("6492649264926492649264926492649264926492649264926492649264926492");

    /// <summary>True when a signature ends in the magic bytes, whether or not the wrapper is sound.</summary>
    public static bool IsWrapped(ReadOnlySpan<byte> signature) => signature.EndsWith(Magic);

    /// <summary>Splits factory, factory call data and inner signature; false when it is no sound wrapper.</summary>
    public static bool TrySplit(ReadOnlySpan<byte> signature, out Address factory, out byte[] factoryCallData, out byte[] inner)
    {
        (factory, factoryCallData, inner) = (default, [], []);
        if (!IsWrapped(signature)) return false;
        var body = signature[..^Magic.Length];
        if (body.Length < 3 * 32 || body[..12].ContainsAnyExcept((byte)0)) return false;
        if (!Abi.TryBytesAt(body, 1, out var call) || !Abi.TryBytesAt(body, 2, out var own)) return false;
        (factory, factoryCallData, inner) = (new Address(body[12..32]), call.ToArray(), own.ToArray());
        return true;
    }
}
