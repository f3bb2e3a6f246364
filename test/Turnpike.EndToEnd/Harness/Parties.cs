using System.Security.Cryptography;
using Turnpike.Demo;
using Turnpike.Protocols.Evm;

namespace Turnpike.EndToEnd.Harness;

/// <summary>Who pays whom in one story, with keys of its own: stories on one chain share neither balances nor a signer's numbers.</summary>
internal sealed record Parties(TestAccount Payer, TestAccount Merchant, TestAccount Settler)
{
    /// <summary>The payer has a thousand dollars, where there is a chain.</summary>
    public static async Task<Parties> FreshAsync(Chain chain)
    {
        var parties = new Parties(Account(), Account(), Account());
        if (chain.Current is not { } live) return parties;
        await live.MintAsync(parties.Payer, 1_000_000_000UL, default);
        await live.GiveGasAsync(parties.Settler, default);
        return parties;
    }

    public static TestAccount Account()
    {
        var key = RandomNumberGenerator.GetBytes(32);
        return new TestAccount(Secp256k1.AddressOf(key).ToString(), Hex.Encode(key));
    }
}
