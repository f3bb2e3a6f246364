using System.Globalization;
using System.Numerics;
using Turnpike.Catalog;
using Turnpike.Catalog.Document;
using Turnpike.Protocols.Evm;

namespace Turnpike.Payments;

/// <summary><c>payments.chains</c>: EVM chains by CAIP-2 name, each with its asset, who is paid, and who settles.</summary>
internal static class ChainSection
{
    private static readonly BigInteger Order = BigInteger.Parse("0FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141", NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    private static readonly Shape<Address> Account = new ScalarShape<Address>("an address, 0x and 40 hexadecimal digits",
        (string t, out Address v) => !Address.TryParse(t, out v) ? "is no address; write 0x and 40 hexadecimal digits"
            : v.IsZero ? "is the address nobody holds" : Address.HasSoundChecksum(t) ? null : "is mistyped: its capitals are not its checksum (EIP-55)", "^0x[0-9a-fA-F]{40}$");

    private static readonly Shape<string> CurrencyCode = new ScalarShape<string>("a currency such as USD", (string t, out string? v) => Ledger.Money.IsMoney(v = t) ? null : "is no currency; write three capitals, USD", "^[A-Z]{3}$");

    private static readonly Key<Address> Contract = new("address", Account, "The token contract.") { Required = true, Example = "\"0x036CbD53842c5426634e7929541eC2318f3dCF7e\"" };
    private static readonly Key<string> DomainName = new("name", Shapes.Text, "Its EIP-712 domain name: part of every signature.") { Required = true, Example = "USDC" };
    private static readonly Key<string> DomainVersion = new("version", Shapes.Text, "Its EIP-712 domain version.") { Required = true, Example = "\"2\"" };
    private static readonly Key<long> Decimals = new("decimals", Shapes.Integer(0, 36), "Decimals of one unit.") { Required = true, Example = "6" };
    private static readonly Key<string> Currency = new("currency", CurrencyCode, "What one unit is worth one of.") { Required = true, Example = "USD" };

    private static readonly Shape<AssetChoice> AssetShape = new ShortOrMapShape<AssetChoice>(
        new ConvertedShape<string, AssetChoice>(Shapes.Text, symbol => new AssetChoice(symbol, null)),
        new MapShape<AssetChoice>([Contract, DomainName, DomainVersion, Decimals, Currency],
            m => new AssetChoice(null, new AssetSettings(m.Get(Contract), m.Get(DomainName)!, m.Get(DomainVersion)!, (int)m.Get(Decimals), m.Get(Currency)!))));

    private static readonly Key<Uri> Rpc = new("rpc", Shapes.KeyedUrl, "The JSON-RPC node that verification and settlement ask.") { Default = "none; needed with settler-key", Example = "${env:CHAIN_RPC}" };
    private static readonly Key<AssetChoice> Asset = new("asset", AssetShape, "The token that is taken: the symbol of a built-in one, or all about it. It has EIP-3009.") { Required = true, Example = "USDC" };
    private static readonly Key<Address> PayTo = new("pay-to", Account, "Who is paid.") { Required = true, Example = "${env:PAY_TO}" };
    private static readonly Key<Secret> SettlerKey = new("settler-key", new SecretShape(check: CheckKey), "Private key that signs settlements here and pays their gas. Either this or facilitator.") { Default = "none", Example = "${env:SETTLER_KEY}" };
    private static readonly Key<Uri> Facilitator = new("facilitator", Shapes.Url, "A facilitator that verifies and settles instead.") { Default = "none", Example = "https://facilitator.example.com" };

    public static readonly Shape<IReadOnlyList<KeyValuePair<string, ChainSettings>>> Shape =
        new NamedShape<ChainSettings>("chains by CAIP-2 name", "chain", CheckName, new MapShape<ChainSettings>([Rpc, Asset, PayTo, SettlerKey, Facilitator], Build));

    private static readonly Key<Uri> Asked = new("rpc", Shapes.KeyedUrl, "The JSON-RPC node that tells what became of a payment whose answer was lost.") { Required = true, Example = "${env:CHAIN_RPC}" };

    /// <summary>The chains a wallet pays on: nobody is paid there, and nothing is settled from here.</summary>
    public static readonly Shape<IReadOnlyList<KeyValuePair<string, ChainSettings>>> OfWallet =
        new NamedShape<ChainSettings>("chains by CAIP-2 name", "chain", CheckName, new MapShape<ChainSettings>([Asset, Asked], m =>
            KnownNetworks.TryChainId(m.At.Name, out var id) && AssetOf(m, id) is { } asset ? new ChainSettings { Network = m.At.Name, ChainId = id, Rpc = m.Get(Asked), Asset = asset, PayTo = default } : null));

    private static string? CheckName(string name)
    {
        if (KnownNetworks.TryChainId(name, out var id)) return name == KnownNetworks.Caip2(id) ? null : $"is no CAIP-2 name; did you mean \"{KnownNetworks.Caip2(id)}\"?";
        return "is no EVM chain; write its CAIP-2 name, \"eip155:8453\"";
    }

    private static ChainSettings? Build(MapValues m)
    {
        if (!KnownNetworks.TryChainId(m.At.Name, out var chainId)) return null;
        var sound = true;
        if (m.IsWritten(SettlerKey) == m.IsWritten(Facilitator))
            sound = (m.IsWritten(Facilitator) ? m.Of(Facilitator) : m.At).Refuse("a chain has either settler-key (verify and settle here) or facilitator");
        if (m.IsWritten(SettlerKey) && !m.IsWritten(Rpc)) sound = m.At.Refuse("'rpc' is missing: with settler-key the chain is asked from here");
        if (AssetOf(m, chainId) is not { } asset || !sound) return null;
        return new ChainSettings
        {
            Network = m.At.Name,
            ChainId = chainId,
            Rpc = m.Get(Rpc),
            Asset = asset,
            PayTo = m.Get(PayTo),
            SettlerKey = m.IsWritten(SettlerKey) ? m.Get(SettlerKey) : null,
            Facilitator = m.Get(Facilitator),
        };
    }

    private static AssetSettings? AssetOf(MapValues m, ulong chainId)
    {
        var choice = m.Get(Asset)!;
        if (choice.Custom is { } custom) return custom;
        if (KnownAssets.Find(chainId, choice.Symbol!) is not { } known)
        {
            var here = KnownAssets.All.Where(a => a.ChainId == chainId).Select(a => a.Symbol).ToList();
            m.Of(Asset).Refuse($"no such asset is built in for {m.At.Name}; {(here.Count > 0 ? $"known: {string.Join(", ", here)}; or " : "")}write {{ address, name, version, decimals, currency }}");
            return null;
        }
        if (!known.HasEip3009)
        {
            m.Of(Asset).Refuse($"{known.Symbol} on {m.At.Name} has no EIP-3009, which payment by signature needs");
            return null;
        }
        return new AssetSettings(known.Address, known.Name, known.Version, known.Decimals, known.Currency);
    }

    public static string? CheckKey(string text)
    {
        var digits = text.StartsWith("0x", StringComparison.Ordinal) ? text[2..] : text;
        return digits.Length == 64 && digits.All(char.IsAsciiHexDigit) && BigInteger.Parse("0" + digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture) is var key && key > 0 && key < Order
            ? null : "is no private key; it is 32 bytes in hexadecimal";
    }

    /// <summary>A symbol to look up by chain, or the asset itself.</summary>
    private sealed record AssetChoice(string? Symbol, AssetSettings? Custom);
}
