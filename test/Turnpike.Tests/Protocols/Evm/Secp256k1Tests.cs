using System.Security.Cryptography;
using FsCheck;
using FsCheck.Fluent;
using Turnpike.Protocols.Evm;

namespace Turnpike.Tests.Protocols.Evm;

public sealed class Secp256k1Tests
{
    private const string Vector = "TransferWithAuthorization_USDC_BaseSepolia";

    private static readonly Config Seeded = Config.QuickThrowOnFailure.WithReplay(8402, 8403);

    private static byte[] Digest => EvmVectors.Bytes("eip712", Vector, "digest");

    private static byte[] Signature => EvmVectors.Bytes("eip712", Vector, "signature");

    private static bool[] Backends => Secp256k1.IsNative ? [true, false] : [false];

    [Fact]
    public void Every_golden_signature_gives_its_signer_on_each_backend()
    {
        foreach (var native in Backends)
        {
            foreach (var vector in EvmVectors.At("eip712").EnumerateObject())
            {
                var digest = Hex.Decode(vector.Value.GetProperty("digest").GetString())!;
                var signature = Hex.Decode(vector.Value.GetProperty("signature").GetString())!;
                Secp256k1.Recover(digest, signature, native, out var signer).ShouldBe(SignatureCheck.Ok, vector.Name);
                signer.ToString().ShouldBe(vector.Value.GetProperty("signer").GetString());
            }
        }
    }

    [Fact]
    public void Signing_is_deterministic_and_equals_the_golden_signature_on_each_backend()
    {
        foreach (var native in Backends)
            Hex.Encode(Secp256k1.Sign(Digest, EvmVectors.PayerKey, native)).ShouldBe(Hex.Encode(Signature));
    }

    [Fact]
    public void A_private_key_has_its_published_address_on_each_backend()
    {
        foreach (var native in Backends)
        {
            Secp256k1.AddressOf(EvmVectors.PayerKey, native).ShouldBe(EvmVectors.AddressAt("accounts", "payer", "address"));
            Secp256k1.AddressOf(EvmVectors.FacilitatorKey, native).ShouldBe(EvmVectors.AddressAt("accounts", "facilitator", "address"));
        }
    }

    [Fact]
    public void Both_backends_sign_and_recover_alike_on_random_keys()
    {
        Prop.ForAll(ArbMap.Default.ArbFor<NonEmptyString>(), ArbMap.Default.ArbFor<int>(), (text, salt) =>
        {
            var key = SHA256.HashData([.. BitConverter.GetBytes(salt), .. System.Text.Encoding.Unicode.GetBytes(text.Get)]);
            var hash = Keccak.Hash(key);
            var managed = Secp256k1.Sign(hash, key, native: false);
            var signature = Secp256k1.Sign(hash, key);
            var signer = Secp256k1.AddressOf(key);
            return signature.SequenceEqual(managed)
                && Secp256k1.AddressOf(key, native: false) == signer
                && Secp256k1.Recover(hash, signature, out var one) == SignatureCheck.Ok && one == signer
                && Secp256k1.Recover(hash, signature, native: false, out var two) == SignatureCheck.Ok && two == signer;
        }).Check(Seeded.WithMaxTest(25));
    }

    [Fact]
    public void Both_backends_agree_about_arbitrary_r_and_s()
    {
        Prop.ForAll(ArbMap.Default.ArbFor<int>(), seed =>
        {
            var noise = SHA512.HashData(BitConverter.GetBytes(seed));
            noise[32] &= 0x7F;
            byte[] signature = [.. noise, (byte)(27 + (seed & 1))];
            var hash = SHA256.HashData(noise);
            var one = Secp256k1.Recover(hash, signature, out var signer);
            var two = Secp256k1.Recover(hash, signature, native: false, out var other);
            return one == two && signer == other;
        }).Check(Seeded.WithMaxTest(25));
    }

    [Fact]
    public void A_high_s_signature_is_refused() =>
        Secp256k1.Recover(Digest, EvmVectors.Bytes("negative", "highS_flippedV"), out _).ShouldBe(SignatureCheck.HighS);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(26)]
    [InlineData(29)]
    [InlineData(31)]
    [InlineData(255)]
    public void A_v_other_than_27_or_28_is_refused(byte v) =>
        Secp256k1.Recover(Digest, [.. Signature[..64], v], out _).ShouldBe(SignatureCheck.BadV);

    [Fact]
    public void A_compact_signature_of_64_bytes_is_refused()
    {
        Secp256k1.Recover(Digest, EvmVectors.Bytes("negative", "compactEip2098"), out _).ShouldBe(SignatureCheck.BadLength);
        Secp256k1.Recover(Digest, [], out _).ShouldBe(SignatureCheck.BadLength);
        Secp256k1.Recover(Digest, [.. Signature, 0], out _).ShouldBe(SignatureCheck.BadLength);
    }

    [Theory]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141")]
    [InlineData("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF")]
    public void An_r_or_s_outside_the_group_is_refused(string scalar)
    {
        var bad = Convert.FromHexString(scalar);
        Secp256k1.Recover(Digest, [.. bad, .. Signature[32..]], out _).ShouldBe(SignatureCheck.OutOfRange);
        Secp256k1.Recover(Digest, [.. Signature[..32], .. bad, 27], out _).ShouldBe(SignatureCheck.OutOfRange);
    }

    [Fact]
    public void An_r_off_the_curve_is_not_recoverable()
    {
        // x = 5: 5^3 + 7 = 132 is no square modulo the field's prime.
        byte[] r = [.. new byte[31], 5];
        foreach (var native in Backends)
            Secp256k1.Recover(Digest, [.. r, .. Signature[32..]], native, out _).ShouldBe(SignatureCheck.NotRecoverable);
    }

    [Fact]
    public void A_key_of_zero_or_beyond_the_order_is_refused()
    {
        Should.Throw<ArgumentException>(() => Secp256k1.Sign(Digest, new byte[32]));
        Should.Throw<ArgumentException>(() => Secp256k1.AddressOf(Enumerable.Repeat((byte)255, 32).ToArray()));
        Should.Throw<ArgumentException>(() => Secp256k1.Sign(Digest, new byte[31]));
    }

    [Fact]
    public void Native_recovery_allocates_nothing()
    {
        Assert.SkipUnless(Secp256k1.IsNative, "libsecp256k1 is not on this machine");
        var (digest, signature) = (Digest, Signature);
        Secp256k1.TryRecover(digest, signature, out _).ShouldBeTrue();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 20; i++) Secp256k1.TryRecover(digest, signature, out _);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
    }

    [Fact]
    public void Many_threads_may_recover_at_once()
    {
        var (digest, signature, payer) = (Digest, Signature, EvmVectors.AddressAt("accounts", "payer", "address"));
        var wrong = 0;
        Parallel.For(0, 200, _ =>
        {
            if (!Secp256k1.TryRecover(digest, signature, out var signer) || signer != payer) Interlocked.Increment(ref wrong);
        });
        wrong.ShouldBe(0);
    }
}
