using System.Collections.Immutable;

namespace Turnpike.Demo;

/// <summary>The accounts every local chain of this kind begins with. Their keys are public: whoever sends them real money gives it away.</summary>
internal static class TestAccounts
{
    /// <summary>Signs the gateway's settlements.</summary>
    public static TestAccount Settler { get; } = new("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");

    /// <summary>Pays for calls.</summary>
    public static TestAccount Payer { get; } = new("0x70997970C51812dc3A010C7d01b50e0d17dc79C8", "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d");

    /// <summary>Is paid.</summary>
    public static TestAccount Merchant { get; } = new("0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC", "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a");

    /// <summary>Mints the dollars at the start, so that the others' nonces begin at zero.</summary>
    public static TestAccount Minter { get; } = new("0xa0Ee7A142d267C1f36714E4a8F75612F20a79720", "0x2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6");

    /// <summary>Those who begin with dollars.</summary>
    public static ImmutableArray<TestAccount> Funded { get; } =
    [
        Payer,
        new("0x90F79bf6EB2c4f870365E785982E1f101E93b906", "0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6"),
        new("0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65", "0x47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a"),
        new("0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc", "0x8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba"),
    ];
}

/// <summary>An account whose key everybody knows.</summary>
internal sealed record TestAccount(string Address, string Key);
