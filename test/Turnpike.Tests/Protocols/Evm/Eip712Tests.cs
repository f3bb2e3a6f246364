using Turnpike.Protocols.Evm;

namespace Turnpike.Tests.Protocols.Evm;

public sealed class Eip712Tests
{
    [Fact]
    public void The_type_hash_is_the_one_of_the_standard() =>
        Hex.Encode(Eip712.TransferWithAuthorizationTypeHash).ShouldBe("0x7c7c6cdb67a18743f49ec6fa9b35f50d52ed05cbed4cc592e13b44501c1a2267");

    [Fact]
    public void Every_vector_with_a_contract_has_its_domain_separator()
    {
        foreach (var vector in EvmVectors.At("eip712").EnumerateObject())
        {
            var domain = vector.Value.GetProperty("domain");
            if (!domain.TryGetProperty("verifyingContract", out var contract)) continue;
            var version = domain.TryGetProperty("version", out var text) ? text.GetString() : null;
            var separator = Eip712.DomainSeparator(
                domain.GetProperty("name").GetString()!, version, domain.GetProperty("chainId").GetUInt64(), Address.Parse(contract.GetString()!));
            Hex.Encode(separator).ShouldBe(vector.Value.GetProperty("domainSeparator").GetString(), vector.Name);
        }
    }

    [Theory]
    [InlineData("TransferWithAuthorization_USDC_BaseSepolia")]
    [InlineData("TransferWithAuthorization_USDC_Base")]
    public void An_authorization_has_its_struct_hash_and_digest(string vector)
    {
        var authorization = EvmVectors.Authorization(vector);
        var separator = EvmVectors.Bytes("eip712", vector, "domainSeparator");
        Hex.Encode(Eip712.TransferWithAuthorization(authorization)).ShouldBe(EvmVectors.Text("eip712", vector, "structHash"));
        Hex.Encode(Eip712.Digest(separator, Eip712.TransferWithAuthorization(authorization))).ShouldBe(EvmVectors.Text("eip712", vector, "digest"));

        Span<byte> digest = stackalloc byte[32];
        Eip712.Digest(separator, authorization, digest);
        Hex.Encode(digest).ShouldBe(EvmVectors.Text("eip712", vector, "digest"));
    }

    [Fact]
    public void A_digest_under_a_kept_separator_allocates_nothing()
    {
        var authorization = EvmVectors.Authorization();
        var separator = new byte[32];
        var digest = new byte[32];
        Eip712.Digest(separator, authorization, digest);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 50; i++) Eip712.Digest(separator, authorization, digest);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
    }
}
