using System.Numerics;
using FsCheck;
using FsCheck.Fluent;
using Turnpike.Protocols.Evm;

namespace Turnpike.Tests.Protocols.Evm;

public sealed class ValueTests
{
    private static readonly Config Seeded = Config.QuickThrowOnFailure.WithReplay(8402, 8403);

    [Theory] // the examples of EIP-55
    [InlineData("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")]
    [InlineData("0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359")]
    [InlineData("0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB")]
    [InlineData("0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb")]
    public void An_address_is_shown_with_its_checksum_and_read_in_any_case(string checksummed)
    {
        foreach (var form in new[] { checksummed, checksummed.ToLowerInvariant(), "0x" + checksummed[2..].ToUpperInvariant() })
        {
            Address.TryParse(form, out var address).ShouldBeTrue();
            address.ToString().ShouldBe(checksummed);
            address.ToLowerHex().ShouldBe(checksummed.ToLowerInvariant());
            address.ShouldBe(new Address(address.ToArray()));
            Address.HasSoundChecksum(form).ShouldBeTrue();
        }
        var wrong = "0x" + string.Concat(checksummed[2..].Select(c => char.IsUpper(c) ? char.ToLowerInvariant(c) : char.ToUpperInvariant(c)));
        Address.TryParse(wrong, out _).ShouldBeTrue();
        Address.HasSoundChecksum(wrong).ShouldBeFalse();
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("0x")]
    [InlineData("5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")]
    [InlineData("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe")]
    [InlineData("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed00")]
    [InlineData("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeg")]
    [InlineData("0X5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")]
    [InlineData(" 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe")]
    public void What_is_no_address_is_refused(string? text) => Address.TryParse(text, out _).ShouldBeFalse();

    [Fact]
    public void Bytes_survive_hexadecimal() =>
        Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), bytes => Hex.Decode(Hex.Encode(bytes))!.SequenceEqual(bytes)).Check(Seeded);

    [Fact]
    public void Any_text_is_hexadecimal_or_null() =>
        Prop.ForAll(ArbMap.Default.ArbFor<string>(), text => Hex.Decode("0x" + text) is not { } bytes || bytes.Length * 2 == (text ?? "").Length).Check(Seeded);

    [Fact]
    public void Numbers_survive_text_and_words()
    {
        Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), bytes =>
        {
            var number = new BigInteger(bytes.Take(32).ToArray(), isUnsigned: true);
            UInt256.TryParse(number.ToString(), out var parsed).ShouldBeTrue();
            Span<byte> word = stackalloc byte[32];
            parsed.WriteBigEndian(word);
            return parsed.ToBigInteger() == number && parsed.ToString() == number.ToString() && UInt256.ReadBigEndian(word) == parsed;
        }).Check(Seeded);
    }

    [Fact]
    public void The_largest_number_is_read_and_the_next_is_not()
    {
        var largest = BigInteger.Pow(2, 256) - 1;
        UInt256.TryParse(largest.ToString(), out var value).ShouldBeTrue();
        value.ShouldBe(UInt256.MaxValue);
        UInt256.TryParse((largest + 1).ToString(), out _).ShouldBeFalse();
        UInt256.TryParse(new string('9', 78), out _).ShouldBeFalse();
        UInt256.TryParse(new string('1', 79), out _).ShouldBeFalse();
    }

    [Theory]
    [InlineData("")]
    [InlineData("-1")]
    [InlineData("+1")]
    [InlineData(" 1")]
    [InlineData("1 ")]
    [InlineData("01")]
    [InlineData("1.0")]
    [InlineData("1e3")]
    [InlineData("0x1")]
    [InlineData("１")]
    public void What_is_no_canonical_decimal_is_refused(string text) => UInt256.TryParse(text, out _).ShouldBeFalse();

    [Fact]
    public void Numbers_are_ordered_across_their_halves()
    {
        var big = new UInt256(1, 0);
        (big > UInt128.MaxValue).ShouldBeTrue();
        (big < UInt256.MaxValue).ShouldBeTrue();
        (big >= new UInt256(1, 0)).ShouldBeTrue();
        big.TryToInt64(out _).ShouldBeFalse();
        new UInt256(0, 42).TryToInt64(out var small).ShouldBeTrue();
        small.ShouldBe(42);
    }

    [Fact]
    public void Known_assets_are_found_by_symbol_and_by_contract()
    {
        var asset = KnownAssets.Find(8453, "usdc").ShouldNotBeNull();
        asset.ShouldBe(KnownAssets.Find(8453, Address.Parse("0x833589fcd6edb6e08f4c7c32d4f71b54bda02913")));
        (asset.Name, asset.Version, asset.Decimals, asset.Currency).ShouldBe(("USD Coin", "2", 6, "USD"));
        KnownAssets.Find(8453, "DOGE").ShouldBeNull();
        KnownAssets.All.Count.ShouldBe(29);
    }

    [Fact]
    public void Known_assets_give_the_domain_separators_of_the_vectors()
    {
        foreach (var (chain, vector) in new[] { (8453UL, "TransferWithAuthorization_USDC_Base"), (84532UL, "TransferWithAuthorization_USDC_BaseSepolia") })
        {
            var asset = KnownAssets.Find(chain, "USDC")!;
            Hex.Encode(Eip712.DomainSeparator(asset.Name, asset.Version, chain, asset.Address)).ShouldBe(EvmVectors.Text("eip712", vector, "domainSeparator"));
        }
    }

    [Fact]
    public void Networks_have_two_names()
    {
        KnownNetworks.NameOf("eip155:84532").ShouldBe("base-sepolia");
        KnownNetworks.Caip2Of("base").ShouldBe("eip155:8453");
        KnownNetworks.Caip2Of("eip155:31337").ShouldBe("eip155:31337");
        KnownNetworks.Caip2Of("nowhere").ShouldBeNull();
        KnownNetworks.TryChainId("polygon", out var polygon).ShouldBeTrue();
        polygon.ShouldBe(137UL);
        KnownNetworks.TryChainId("eip155:31337", out var local).ShouldBeTrue();
        local.ShouldBe(31337UL);
        foreach (var bad in new[] { null, "", "solana", "eip155:", "eip155:01", "eip155:-1", "eip155:1x", "EIP155:1" })
            KnownNetworks.TryChainId(bad, out _).ShouldBeFalse(bad);
    }
}
