using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Turnpike.Demo;
using Turnpike.Protocols.Evm;

namespace Turnpike.EndToEnd.Harness;

/// <summary>
/// A payer of x402's <c>exact</c> scheme in this process, for tests that need many proofs or wrong ones. It says what the stock
/// client says; the stock client itself is judged elsewhere.
/// </summary>
internal static class ExactSigner
{
    /// <summary>The value of PAYMENT-SIGNATURE for the first offer in a PAYMENT-REQUIRED header.</summary>
    /// <param name="change">Changes what is signed.</param>
    /// <param name="tamper">Changes the payload after it was signed.</param>
    public static string Pay(string required, TestAccount payer, Func<Authorization, Authorization>? change = null, Action<JsonNode>? tamper = null)
    {
        var terms = Encoded.Read(required);
        var offer = terms["accepts"]![0]!;
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var authorization = new Authorization(
            Address.Parse(payer.Address),
            Address.Parse(offer["payTo"]!.GetValue<string>()),
            ulong.Parse(offer["amount"]!.GetValue<string>(), CultureInfo.InvariantCulture),
            0UL,
            (ulong)now + 300,
            RandomNumberGenerator.GetBytes(32));
        authorization = change?.Invoke(authorization) ?? authorization;
        var payload = new JsonObject
        {
            ["x402Version"] = 2,
            ["resource"] = terms["resource"]!.DeepClone(),
            ["accepted"] = offer.DeepClone(),
            ["payload"] = new JsonObject { ["signature"] = Hex.Encode(Sign(authorization, payer)), ["authorization"] = Json(authorization) },
        };
        if (terms["extensions"] is { } extensions) payload["extensions"] = extensions.DeepClone();
        tamper?.Invoke(payload);
        return Encoded.Write(payload);
    }

    /// <summary>The signature of an authorization of the local dollar, 65 bytes.</summary>
    public static byte[] Sign(Authorization authorization, TestAccount payer)
    {
        var domain = Eip712.DomainSeparator("USDC", "2", LocalChain.ChainId, LocalChain.Dollar);
        return Secp256k1.Sign(Eip712.Digest(domain, Eip712.TransferWithAuthorization(authorization)), Hex.Decode(payer.Key)!);
    }

    /// <summary>Somebody else broadcasts the authorization of a proof first: the money moves as signed, by another's transaction.</summary>
    public static Task BroadcastElsewhereAsync(LocalChain chain, string proof)
    {
        var (authorization, signature) = Read(proof);
        return chain.SendAsync(TestAccounts.Minter, LocalChain.Dollar, Erc3009.TransferWithAuthorization(authorization, signature), default);
    }

    /// <summary>The payer spends the nonce of a proof on another transfer: a double spend.</summary>
    public static Task SpendTwiceAsync(LocalChain chain, string proof, TestAccount payer)
    {
        var other = Read(proof).Authorization with { To = Address.Parse(TestAccounts.Minter.Address), Value = 1UL };
        return chain.SendAsync(TestAccounts.Minter, LocalChain.Dollar, Erc3009.TransferWithAuthorization(other, Sign(other, payer)), default);
    }

    private static (Authorization Authorization, byte[] Signature) Read(string proof)
    {
        var payload = Encoded.Read(proof)["payload"]!;
        var signed = payload["authorization"]!;
        ulong Number(string name) => ulong.Parse(signed[name]!.GetValue<string>(), CultureInfo.InvariantCulture);
        Address Account(string name) => Address.Parse(signed[name]!.GetValue<string>());
        var authorization = new Authorization(Account("from"), Account("to"), Number("value"), Number("validAfter"), Number("validBefore"), Hex.Decode(signed["nonce"]!.GetValue<string>())!);
        return (authorization, Hex.Decode(payload["signature"]!.GetValue<string>())!);
    }

    /// <summary>The other signature of the same message: s mirrored at the group's order, v flipped.</summary>
    public static byte[] Mirror(byte[] signature)
    {
        var order = new System.Numerics.BigInteger(Hex.Decode("0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")!, isUnsigned: true, isBigEndian: true);
        var s = order - new System.Numerics.BigInteger(signature.AsSpan(32, 32), isUnsigned: true, isBigEndian: true);
        var bytes = s.ToByteArray(isUnsigned: true, isBigEndian: true);
        return [.. signature[..32], .. new byte[32 - bytes.Length], .. bytes, (byte)(signature[64] == 27 ? 28 : 27)];
    }

    private static JsonObject Json(Authorization a) => new()
    {
        ["from"] = a.From.ToString(),
        ["to"] = a.To.ToString(),
        ["value"] = a.Value.ToString(),
        ["validAfter"] = a.ValidAfter.ToString(),
        ["validBefore"] = a.ValidBefore.ToString(),
        ["nonce"] = Hex.Encode(a.Nonce),
    };
}
