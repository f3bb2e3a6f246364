using System.Text;
using Turnpike.Protocols.Evm;

namespace Turnpike.Tests.Protocols.Evm;

public sealed class TransactionTests
{
    private static Eip1559Transaction Golden => new()
    {
        ChainId = 84532,
        Nonce = 7,
        MaxPriorityFeePerGas = 1_000_000UL,
        MaxFeePerGas = 1_500_000_000UL,
        GasLimit = 120_000,
        To = EvmVectors.AddressAt("transaction", "to"),
        Data = EvmVectors.Bytes("transaction", "data"),
    };

    [Fact]
    public void A_known_transaction_has_its_signing_hash_raw_bytes_and_hash()
    {
        var raw = Golden.Sign(EvmVectors.FacilitatorKey);
        Hex.Encode(Golden.SigningHash()).ShouldBe(EvmVectors.Text("transaction", "signingHash"));
        Hex.Encode(raw).ShouldBe(EvmVectors.Text("transaction", "raw"));
        Hex.Encode(Eip1559Transaction.Hash(raw)).ShouldBe(EvmVectors.Text("transaction", "hash"));
    }

    [Fact]
    public void A_transaction_without_recipient_creates_a_contract() =>
        // the empty string (0x80) stands where the address was
        Hex.Encode((Golden with { To = null, Data = [] }).Sign(EvmVectors.FacilitatorKey)).ShouldContain("8301d4c0808080c0");

    [Theory]
    [InlineData("dog", "0x83646f67")]
    [InlineData("", "0x80")]
    [InlineData("\u000f", "0x0f")]
    [InlineData("Lorem ipsum dolor sit amet, consectetur adipisicing elit",
        "0xb8384c6f72656d20697073756d20646f6c6f722073697420616d65742c20636f6e7365637465747572206164697069736963696e6720656c6974")]
    public void Byte_strings_are_encoded_as_the_yellow_paper_shows(string text, string encoded) =>
        Hex.Encode(Rlp.Encode(Encoding.ASCII.GetBytes(text))).ShouldBe(encoded);

    [Theory]
    [InlineData(0UL, "0x80")]
    [InlineData(15UL, "0x0f")]
    [InlineData(127UL, "0x7f")]
    [InlineData(128UL, "0x8180")]
    [InlineData(1024UL, "0x820400")]
    public void Numbers_have_no_leading_zeros(ulong number, string encoded) => Hex.Encode(Rlp.Encode(number)).ShouldBe(encoded);

    [Fact]
    public void Lists_nest_and_grow_a_length_of_their_own()
    {
        Hex.Encode(Rlp.EncodeList(Rlp.Encode("cat"u8), Rlp.Encode("dog"u8))).ShouldBe("0xc88363617483646f67");
        Hex.Encode(Rlp.EncodeList(Rlp.EncodeList(), Rlp.EncodeList(Rlp.EncodeList()))).ShouldBe("0xc3c0c1c0");
        Hex.Encode(Rlp.EncodeList(Rlp.Encode(new byte[1024])))[..14].ShouldBe("0xf90403b90400");
    }
}
