using System.Text;
using Turnpike.Protocols.Evm;

namespace Turnpike.Tests.Protocols.Evm;

public sealed class KeccakTests
{
    [Theory]
    [InlineData("", "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470")]
    [InlineData("abc", "0x4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45")]
    [InlineData("The quick brown fox jumps over the lazy dog", "0x4d741b6f1eb29cb2a9b9911c82f56fa8d73b04959d3d9d222895df6c0b28aa15")]
    [InlineData("Transfer(address,address,uint256)", "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef")]
    public void Known_texts_have_their_known_hash(string text, string hash) =>
        Hex.Encode(Keccak.Hash(Encoding.ASCII.GetBytes(text))).ShouldBe(hash);

    [Fact]
    public void Every_length_around_the_block_agrees_with_a_plain_sponge()
    {
        for (var length = 0; length < 420; length++)
        {
            var data = new byte[length];
            for (var i = 0; i < length; i++) data[i] = (byte)(i * 31 + length);
            Keccak.Hash(data).ShouldBe(PlainSponge(data), $"length {length}");
        }
    }

    [Fact]
    public void The_span_form_allocates_nothing()
    {
        var data = new byte[300];
        var hash = new byte[32];
        Keccak.Hash(data, hash);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) Keccak.Hash(data, hash);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
    }

    /// <summary>FIPS 202 §3.2 written from its formulas, round constants and offsets included, with Keccak's own padding.</summary>
    private static byte[] PlainSponge(byte[] data)
    {
        var padded = new byte[(data.Length / 136 + 1) * 136];
        data.CopyTo(padded, 0);
        padded[data.Length] ^= 0x01;
        padded[^1] ^= 0x80;
        var lanes = new ulong[5, 5];
        for (var block = 0; block < padded.Length; block += 136)
        {
            for (var i = 0; i < 17; i++) lanes[i % 5, i / 5] ^= BitConverter.ToUInt64(padded, block + 8 * i);
            var register = 1;
            for (var round = 0; round < 24; round++) Round(lanes, ref register);
        }
        return [.. Enumerable.Range(0, 4).SelectMany(i => BitConverter.GetBytes(lanes[i % 5, i / 5]))];
    }

    private static void Round(ulong[,] a, ref int register)
    {
        var c = Enumerable.Range(0, 5).Select(x => a[x, 0] ^ a[x, 1] ^ a[x, 2] ^ a[x, 3] ^ a[x, 4]).ToArray();
        for (var x = 0; x < 5; x++)
            for (var y = 0; y < 5; y++) a[x, y] ^= c[(x + 4) % 5] ^ ulong.RotateLeft(c[(x + 1) % 5], 1);
        var (px, py, current) = (1, 0, a[1, 0]);
        for (var t = 0; t < 24; t++)
        {
            (px, py) = (py, (2 * px + 3 * py) % 5);
            (current, a[px, py]) = (a[px, py], ulong.RotateLeft(current, (t + 1) * (t + 2) / 2 % 64));
        }
        for (var y = 0; y < 5; y++)
        {
            var row = Enumerable.Range(0, 5).Select(x => a[x, y]).ToArray();
            for (var x = 0; x < 5; x++) a[x, y] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5]);
        }
        for (var j = 0; j < 7; j++)
        {
            if ((register & 1) == 1) a[0, 0] ^= 1UL << ((1 << j) - 1);
            register = (register << 1) ^ (register >> 7) * 0x171;
        }
    }
}
