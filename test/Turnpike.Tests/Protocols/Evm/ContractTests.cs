using Turnpike.Protocols.Evm;

namespace Turnpike.Tests.Protocols.Evm;

public sealed class ContractTests
{
    private static byte[] Signature => EvmVectors.Bytes("eip712", "TransferWithAuthorization_USDC_BaseSepolia", "signature");

    [Fact]
    public void Call_data_equals_the_vectors()
    {
        var authorization = EvmVectors.Authorization();
        Hex.Encode(Erc3009.TransferWithAuthorization(authorization, Signature)).ShouldBe(EvmVectors.Text("calldata", "transferWithAuthorization_vrs"));
        Hex.Encode(Erc3009.TransferWithAuthorizationBytes(authorization, Signature)).ShouldBe(EvmVectors.Text("calldata", "transferWithAuthorization_bytes"));
        Hex.Encode(Erc3009.AuthorizationState(authorization.From, authorization.Nonce)).ShouldBe(EvmVectors.Text("calldata", "authorizationState"));
        var digest = EvmVectors.Bytes("eip712", "TransferWithAuthorization_USDC_BaseSepolia", "digest");
        Hex.Encode(Erc1271.IsValidSignature(digest, Signature)).ShouldBe(EvmVectors.Text("calldata", "erc1271_isValidSignature"));
    }

    [Fact]
    public void A_signature_of_another_length_goes_through_the_bytes_overload() =>
        Hex.Encode(Erc3009.TransferWithAuthorization(EvmVectors.Authorization(), new byte[66]))[..10].ShouldBe("0xcf092995");

    [Fact]
    public void Selectors_and_topics_equal_the_vectors()
    {
        foreach (var row in EvmVectors.At("selectors").EnumerateObject())
            Hex.Encode(Abi.Selector(row.Name)).ShouldBe(row.Value.GetString(), row.Name);
        Erc3009.TransferTopic.ShouldBe(EvmVectors.Text("topics", "Transfer"));
        Erc3009.AuthorizationUsedTopic.ShouldBe(EvmVectors.Text("topics", "AuthorizationUsed"));
        Hex.Encode(Keccak.Hash("AuthorizationUsed(address,bytes32)"u8)).ShouldBe(Erc3009.AuthorizationUsedTopic);
        Hex.Encode(Erc3009.DomainSeparator()).ShouldBe("0x3644e515");
    }

    [Fact]
    public void A_wrapper_is_split_into_factory_call_and_inner_signature()
    {
        Erc6492.TrySplit(EvmVectors.Bytes("erc6492", "wrapped"), out var factory, out var call, out var inner).ShouldBeTrue();
        factory.ShouldBe(EvmVectors.AddressAt("erc6492", "factory"));
        Hex.Encode(call).ShouldBe(EvmVectors.Text("erc6492", "factoryCalldata"));
        Hex.Encode(inner).ShouldBe(EvmVectors.Text("erc6492", "inner"));
    }

    [Fact]
    public void A_damaged_wrapper_is_never_split_and_never_throws()
    {
        var wrapped = EvmVectors.Bytes("erc6492", "wrapped");
        var magic = wrapped[^32..];
        Erc6492.TrySplit(Signature, out _, out _, out _).ShouldBeFalse();
        for (var length = 0; length < 160; length++) Erc6492.TrySplit([.. wrapped[..length], .. magic], out _, out _, out _).ShouldBeFalse();
        foreach (var head in new[] { 0, 32, 64 })
        {
            var damaged = wrapped.ToArray();
            damaged.AsSpan(head, 32).Fill(0xFF);
            Erc6492.TrySplit(damaged, out _, out _, out _).ShouldBeFalse();
        }
    }

    [Fact]
    public void Results_decode_and_garbage_is_null()
    {
        byte[] usdc = [.. Abi.Word(32UL), .. Abi.Tail("USD₮0"u8)];
        Abi.DecodeString(usdc).ShouldBe("USD₮0");
        Abi.DecodeString(usdc[..63]).ShouldBeNull();
        Abi.DecodeString([]).ShouldBeNull();
        Abi.DecodeString([.. Abi.Word(32UL), .. Abi.Tail([0xC3, 0x28])]).ShouldBeNull();
        Abi.DecodeString([.. Abi.Word(UInt256.MaxValue), .. Abi.Tail([1])]).ShouldBeNull();
        Abi.DecodeBool(Abi.Word(1UL)).ShouldBe(true);
        Abi.DecodeBool(Abi.Word(0UL)).ShouldBe(false);
        Abi.DecodeBool(Abi.Word(2UL)).ShouldBeNull();
        Abi.DecodeUInt(Abi.Word(7UL)).ShouldBe((UInt256)7UL);
        Abi.DecodeUInt(new byte[31]).ShouldBeNull();
    }

    [Fact]
    public void Only_the_exact_magic_word_is_a_yes_of_a_contract_wallet()
    {
        byte[] yes = [0x16, 0x26, 0xBA, 0x7E, .. new byte[28]];
        Erc1271.IsAccepted(yes).ShouldBeTrue();
        Erc1271.IsAccepted([.. yes[..31], 1]).ShouldBeFalse();
        Erc1271.IsAccepted(yes[..4]).ShouldBeFalse();
        Erc1271.IsAccepted(new byte[32]).ShouldBeFalse();
        Erc1271.IsAccepted([]).ShouldBeFalse();
    }

    [Fact]
    public void Only_the_authorized_transfer_counts_as_its_event()
    {
        var authorization = EvmVectors.Authorization();
        string[] topics = [Erc3009.TransferTopic, Erc3009.Topic(authorization.From), Erc3009.Topic(authorization.To)];
        var data = Hex.Encode(Abi.Word(authorization.Value));
        Erc3009.IsTransferOf(authorization, topics, data).ShouldBeTrue();
        Erc3009.IsTransferOf(authorization, topics, Hex.Encode(Abi.Word(999UL))).ShouldBeFalse();
        Erc3009.IsTransferOf(authorization, [topics[0], topics[2], topics[1]], data).ShouldBeFalse();
        Erc3009.IsTransferOf(authorization, [Erc3009.AuthorizationUsedTopic, .. topics[1..]], data).ShouldBeFalse();
        Erc3009.IsTransferOf(authorization, topics, "0x").ShouldBeFalse();
    }

    [Theory]
    [InlineData("execution reverted: FiatTokenV2: authorization is expired", "invalid_exact_evm_payload_authorization_valid_before")]
    [InlineData("FiatTokenV2: authorization is not yet valid", "invalid_exact_evm_payload_authorization_valid_after")]
    [InlineData("FiatTokenV2: authorization is used or canceled", "invalid_exact_evm_nonce_already_used")]
    [InlineData("ERC20: transfer amount exceeds balance", "invalid_exact_evm_insufficient_balance")]
    [InlineData("FiatTokenV2: invalid signature", "invalid_exact_evm_signature")]
    [InlineData("out of gas", "invalid_exact_evm_transaction_failed")]
    [InlineData(null, "invalid_exact_evm_transaction_failed")]
    public void A_revert_text_has_its_code(string? text, string code) => RevertReason.CodeOf(text).ShouldBe(code);

    [Fact]
    public void Revert_data_gives_its_text()
    {
        byte[] data = [0x08, 0xC3, 0x79, 0xA0, .. Abi.Word(32UL), .. Abi.Tail("paused"u8)];
        RevertReason.Text(data).ShouldBe("paused");
        RevertReason.Text([1, 2, 3]).ShouldBeNull();
    }
}
