using System.Security.Cryptography;
using System.Text;
using Turnpike.Protocols.Signing;

namespace Turnpike.Tests.Protocols.Signing;

public sealed class KeyedHashTests
{
    /// <summary>RFC 4231, test case 2.</summary>
    [Fact]
    public void It_is_HMAC_SHA_256() =>
        Convert.ToHexStringLower(Of("Jefe"u8.ToArray(), "what do ya want for nothing?"u8)).ShouldBe("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");

    [Fact]
    public void More_keys_than_are_kept_on_more_threads_than_there_are_cores_are_not_mixed_up()
    {
        byte[][] keys = [.. Enumerable.Range(0, 11).Select(i => Encoding.UTF8.GetBytes($"the secret with the number {i}"))];
        Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 8 }, thread =>
        {
            for (var i = 0; i < 2_000; i++)
            {
                var (key, message) = (keys[(i * 7 + i / 3 + thread) % keys.Length], Encoding.UTF8.GetBytes(new string('m', i % 200)));
                Of(key, message).ShouldBe(HMACSHA256.HashData(key, message));
            }
        });
    }

    private static byte[] Of(byte[] key, ReadOnlySpan<byte> message)
    {
        var mac = new byte[KeyedHash.Length];
        KeyedHash.Hash(key, message, mac);
        return mac;
    }
}
