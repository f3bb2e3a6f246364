using System.Security.Cryptography;
using Turnpike.Audit;

namespace Turnpike.Tests.Audit;

public sealed class Sha256Tests
{
    [Fact]
    public void It_is_the_runtimes_for_every_length_and_one_after_the_other()
    {
        var hasher = new Sha256();
        for (var length = 0; length < 1_000; length++)
        {
            var bytes = RandomNumberGenerator.GetBytes(length);
            hasher.Hash(bytes).ShouldBe(SHA256.HashData(bytes));
        }
    }
}
