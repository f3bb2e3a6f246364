using System.Runtime.CompilerServices;
using System.Text.Json;
using Turnpike.Protocols.Evm;

namespace Turnpike.Tests.Protocols.Evm;

/// <summary>The golden values of Vectors/x402.json.</summary>
internal static class EvmVectors
{
    public static JsonElement Root { get; } = Load();

    public static byte[] PayerKey => Bytes("accounts", "payer", "key");

    public static byte[] FacilitatorKey => Bytes("accounts", "facilitator", "key");

    public static JsonElement At(params string[] path) => path.Aggregate(Root, static (element, name) => element.GetProperty(name));

    public static string Text(params string[] path) => At(path).GetString()!;

    public static byte[] Bytes(params string[] path) => Hex.Decode(Text(path)).ShouldNotBeNull();

    public static Address AddressAt(params string[] path) => Address.Parse(Text(path));

    /// <summary>The authorization every TransferWithAuthorization vector signs.</summary>
    public static Authorization Authorization(string vector = "TransferWithAuthorization_USDC_BaseSepolia") => new(
        AddressAt("eip712", vector, "message", "from"),
        AddressAt("eip712", vector, "message", "to"),
        Number("eip712", vector, "message", "value"),
        Number("eip712", vector, "message", "validAfter"),
        Number("eip712", vector, "message", "validBefore"),
        Bytes("eip712", vector, "message", "nonce"));

    private static UInt256 Number(params string[] path)
    {
        UInt256.TryParse(Text(path), out var number).ShouldBeTrue();
        return number;
    }

    private static JsonElement Load([CallerFilePath] string here = "")
    {
        var path = Path.Combine(Path.GetDirectoryName(here)!, "..", "..", "Vectors", "x402.json");
        return JsonDocument.Parse(File.ReadAllBytes(path)).RootElement;
    }
}
