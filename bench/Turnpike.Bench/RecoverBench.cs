using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Turnpike.Protocols.Evm;
using Turnpike.Protocols.X402;

namespace Turnpike.Bench;

/// <summary>x402 verification without a chain (header to verdict) against raw signature recovery, alternating in one run. Target: 0.70.</summary>
internal static class RecoverBench
{
    private const int Rounds = 7;
    private const int PerRound = 4_000;
    private const long Now = 1_740_672_200;

    public static void Run()
    {
        var requirement = new PaymentRequirements
        {
            Scheme = ExactEvm.Scheme,
            Network = "eip155:84532",
            Amount = "1000",
            Asset = "0x036CbD53842c5426634e7929541eC2318f3dCF7e",
            PayTo = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
            MaxTimeoutSeconds = 300,
            Extra = JsonDocument.Parse("""{"name":"USDC","version":"2"}""").RootElement,
        };
        var terms = ExactEvmTerms.Create(requirement, out _)!;
        var (header, digest, signature) = Payment(requirement, terms);

        Verify(header, terms, PerRound);
        Recover(digest, signature, PerRound);
        var verifying = new List<long>();
        var recovering = new List<long>();
        for (var round = 0; round < Rounds; round++)
        {
            recovering.Add(Time(() => Recover(digest, signature, PerRound)));
            verifying.Add(Time(() => Verify(header, terms, PerRound)));
        }
        var before = GC.GetAllocatedBytesForCurrentThread();
        Verify(header, terms, PerRound);
        var bytes = (GC.GetAllocatedBytesForCurrentThread() - before) / PerRound;

        var (raw, full) = (Rate(recovering), Rate(verifying));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"x402 verify {full:N0}/s, raw recover {raw:N0}/s ({(Secp256k1.IsNative ? "libsecp256k1" : "managed")}): ratio {full / (double)raw:F2} (target 0.70), {bytes} B per verification"));
        Table.AtLeast("x402 verification / raw signature recovery", full / (double)raw, 0.7);
    }

    private static (string Header, byte[] Digest, byte[] Signature) Payment(PaymentRequirements requirement, ExactEvmTerms terms)
    {
        var key = Keccak.Hash("a key for measuring"u8);
        var nonce = Keccak.Hash("a nonce for measuring"u8);
        var authorization = new Authorization(Secp256k1.AddressOf(key), terms.PayTo, terms.Amount, 0UL, (ulong)(Now + 300), nonce);
        var payload = ExactEvm.Sign(authorization, terms.DomainSeparator, key);
        var payment = new PaymentPayload
        {
            X402Version = 2,
            Resource = new ResourceInfo { Url = "https://api.example.com/forecast", Description = "A forecast", MimeType = "application/json" },
            Accepted = requirement,
            Payload = payload.ToJson(),
        };
        return (X402Header.Encode(payment), Eip712.Digest(terms.DomainSeparator, Eip712.TransferWithAuthorization(authorization)), payload.Signature);
    }

    private static void Verify(string header, ExactEvmTerms terms, int times)
    {
        for (var i = 0; i < times; i++)
            if (!ExactEvm.VerifyLocally(X402Header.Decode(header).Payment!, terms, Now).IsValid) throw new InvalidOperationException("A good payment was refused.");
    }

    private static void Recover(byte[] digest, byte[] signature, int times)
    {
        for (var i = 0; i < times; i++)
            if (!Secp256k1.TryRecover(digest, signature, out _)) throw new InvalidOperationException("A good signature was refused.");
    }

    private static long Time(Action work)
    {
        var start = Stopwatch.GetTimestamp();
        work();
        return Stopwatch.GetTimestamp() - start;
    }

    /// <summary>Per second in the median round: neighbours on the machine disturb single rounds.</summary>
    private static long Rate(List<long> ticks)
    {
        ticks.Sort();
        return PerRound * Stopwatch.Frequency / ticks[ticks.Count / 2];
    }
}
