using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Turnpike.Protocols.Evm;
using Turnpike.Protocols.X402;
using Turnpike.Tests.Payments;
using Turnpike.Tests.Payments.Evm;

namespace Turnpike.Tests.Simulation.Outside;

/// <summary>
/// Somebody who settles for us. What it is asked is lost before or after its effect, done late or twice; it says no and settles all the
/// same, or says nothing that can be understood. Some repeat their yes when asked again, others say that the authorization is used.
/// </summary>
/// <param name="manner">How this one is, of four.</param>
internal sealed class SimulatedFacilitator(World world, int manner) : HttpMessageHandler
{
    private const string Network = "eip155:84532";
    private readonly HashSet<string> done = [], sent = [];

    public static Uri Url { get; } = new("http://127.0.0.1:4021");

    /// <summary>The owner has a node besides, and looks for what became of a payment.</summary>
    public bool IsWatched => manner < 2;

    private bool Remembers => manner % 2 == 0;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var path = request.RequestUri!.AbsolutePath;
        if (request.Content is null) return Internet.Json($$"""{"kinds":[{"x402Version":2,"scheme":"exact","network":"{{Network}}"}]}""");
        var asked = JsonSerializer.Deserialize(await request.Content.ReadAsByteArrayAsync(cancellationToken), X402Json.Wire.VerifyRequest).ShouldNotBeNull();
        var proof = ExactEvmPayload.Parse(asked.PaymentPayload.Payload, out _).ShouldNotBeNull();
        var trouble = world.Scheduler.Chance(world.Weather.Facilitator) ? world.Scheduler.Random.Next(1, 9) : -1;
        return path.EndsWith("/verify", StringComparison.Ordinal) ? Verify(proof, trouble) : Settle(proof, trouble);
    }

    private HttpResponseMessage Verify(ExactEvmPayload proof, int trouble)
    {
        if (trouble is 1 or 2) throw Lost("a question to the facilitator");
        if (trouble == 3) return new HttpResponseMessage(HttpStatusCode.BadGateway) { Content = new StringContent("<html>") };
        var no = trouble == 4 ? ErrorCodes.InsufficientBalance : Objection(proof);
        return Internet.Json(no is null ? $$"""{"isValid":true,"payer":"{{proof.Authorization.From}}"}""" : $$"""{"isValid":false,"invalidReason":"{{no}}"}""");
    }

    private HttpResponseMessage Settle(ExactEvmPayload proof, int trouble)
    {
        switch (trouble)
        {
            case 1: throw Lost("an order to settle");
            case 2: Do(proof); throw Lost("word of a settlement");
            case 3:
                world.Later(world.Scheduler.Between(100, 120_000), "an order to settle arrives late", () => Do(proof));
                throw Lost("word of an order that arrives late");
            case 4: return Said(false, ErrorCodes.InsufficientBalance, "", proof);
            case 5: Do(proof); return Said(false, ErrorCodes.InsufficientBalance, "", proof);
            case 6:
                world.Later(world.Scheduler.Between(100, 120_000), "the facilitator settles after its no", () => Do(proof));
                return Said(false, ErrorCodes.UnexpectedSettleError, "", proof);
            case 7: Do(proof); break; // and once more: somebody between us sent it twice
            case 8: Do(proof); return new HttpResponseMessage(HttpStatusCode.InternalServerError) { Content = new StringContent("<html>") };
        }
        return Do(proof);
    }

    /// <summary>Settles, or says why not.</summary>
    private HttpResponseMessage Do(ExactEvmPayload proof)
    {
        var key = KeyOf(proof);
        if (done.Contains(key) && Remembers) return Said(true, null, HashOf(key), proof);
        if (Objection(proof) is { } no) return Said(false, no, "", proof);
        if (!world.Chain.Mining)
        {
            if (sent.Add(key)) Wait(proof);
            return Said(false, ErrorCodes.SettlementPending, HashOf(key), proof);
        }
        world.Chain.SettleByOther(proof.Authorization, proof.Signature, HashOf(key));
        done.Add(key);
        world.Say("the facilitator settles");
        return Said(true, null, HashOf(key), proof);
    }

    /// <summary>Sent while the chain stands still: it comes into a block when that moves on.</summary>
    private void Wait(ExactEvmPayload proof) => world.Later(TimeSpan.FromSeconds(7), null, () =>
    {
        if (world.Chain.Mining) Do(proof);
        else Wait(proof);
    });

    private string? Objection(ExactEvmPayload proof)
    {
        var (signed, token) = (proof.Authorization, world.Chain.Token);
        if (token.Used.Contains(KeyOf(proof))) return ErrorCodes.NonceAlreadyUsed;
        if (signed.ValidBefore.Low <= (ulong)world.Scheduler.Now.ToUnixTimeSeconds()) return ErrorCodes.ValidBefore;
        return token.Balances.GetValueOrDefault(signed.From) < signed.Value.Low ? ErrorCodes.InsufficientBalance : null;
    }

    private HttpResponseMessage Said(bool yes, string? why, string hash, ExactEvmPayload proof)
    {
        world.Say($"the facilitator says {(yes ? "that it is settled" : why)}");
        return Internet.Json(JsonSerializer.Serialize(new { success = yes, errorReason = why, transaction = hash, network = Network, payer = proof.Authorization.From.ToString() }));
    }

    private static string KeyOf(ExactEvmPayload proof) => FakeToken.Key(proof.Authorization.From, proof.Authorization.Nonce);

    private static string HashOf(string key) => Hex.Encode(SHA256.HashData(Encoding.UTF8.GetBytes(key)));

    private HttpRequestException Lost(string what)
    {
        world.Say($"{what} is lost");
        return new HttpRequestException(HttpRequestError.ConnectionError, "lost");
    }
}
