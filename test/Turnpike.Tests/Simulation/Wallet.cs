using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Turnpike.Protocols.Evm;
using Turnpike.Protocols.Mpp;
using Turnpike.Protocols.X402;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Simulation;

/// <summary>What a payer signs with: an account on the chain, cards, and the authorizations given away so far.</summary>
internal sealed class Wallet(World world, int number)
{
    private static readonly byte[][] Keys = [.. Enumerable.Range(0, 8).Select(i => SHA256.HashData(Encoding.UTF8.GetBytes($"payer {i}")))];
    private static readonly Address[] Addresses = [.. Keys.Select(key => Secp256k1.AddressOf(key))];
    private int cards;

    public Address Address => Addresses[number];

    public string Account => $"eip155:84532:{Address.ToLowerHex()}";

    /// <summary>The authorization made last, for those who want to cancel or to send it themselves.</summary>
    public (Authorization Authorization, byte[] Signature) Last { get; private set; }

    /// <summary>x402's header for the terms of a 402.</summary>
    public (string, string?) X402(Told terms)
    {
        var wanted = X402Header.DecodeTerms(terms.Headers["PAYMENT-REQUIRED"].ToString()).ShouldNotBeNull();
        var accepted = wanted.Accepts[0];
        var nonce = new byte[32];
        world.Scheduler.Random.NextBytes(nonce);
        Sign(accepted.Amount, accepted.PayTo, nonce);
        var payment = new PaymentPayload { X402Version = 2, Accepted = accepted, Payload = new ExactEvmPayload(Last.Authorization, Last.Signature).ToJson(), Resource = wanted.Resource, Extensions = wanted.Extensions };
        return ("PAYMENT-SIGNATURE", X402Header.Encode(payment));
    }

    /// <summary>MPP's header, by an authorization under the challenge's own nonce.</summary>
    public (string, string?) MppEvm(Told terms)
    {
        var challenge = ChallengeOf(terms, "evm");
        var request = challenge.ReadRequest().ShouldNotBeNull();
        Sign(request.GetProperty("amount").GetString()!, request.GetProperty("recipient").GetString()!, EvmCharge.ChallengeHash(challenge.Id, challenge.Realm));
        var (signed, signature) = Last;
        var payload = $$"""{"type":"authorization","from":"{{signed.From}}","to":"{{signed.To}}","value":"{{signed.Value}}","validAfter":"0","validBefore":"{{signed.ValidBefore}}","nonce":"{{Hex.Encode(signed.Nonce)}}","signature":"{{Hex.Encode(signature)}}"}""";
        return ("Authorization", new MppCredential { Challenge = challenge, Payload = JsonDocument.Parse(payload).RootElement }.Encode());
    }

    /// <summary>MPP's header, by a Shared Payment Token; some cards do not pay.</summary>
    public (string, string?) Stripe(Told terms)
    {
        var pays = !world.Scheduler.Chance(world.Script is null ? 15 : 0);
        var card = $"spt_{(pays ? "card" : "declined")}_{number}_{cards++}";
        world.Stripe.Grant(card, pays);
        return ("Authorization", new MppCredential { Challenge = ChallengeOf(terms, "stripe"), Payload = JsonDocument.Parse($$"""{"spt":"{{card}}"}""").RootElement }.Encode());
    }

    private static Challenge ChallengeOf(Told terms, string method) =>
        terms.Headers.WWWAuthenticate.Select(line => Challenge.Parse(line, out _)).First(challenge => challenge?.Method == method)!;

    private void Sign(string amount, string payTo, byte[] nonce)
    {
        UInt256.TryParse(amount, out var value).ShouldBeTrue();
        var authorization = new Authorization(Address, Address.Parse(payTo), value, 0, (ulong)world.Scheduler.Now.ToUnixTimeSeconds() + 300, nonce);
        Last = (authorization, ExactEvm.Sign(authorization, Eip712.DomainSeparator("USDC", "2", 84532, world.Chain.Token.Address), Keys[number]).Signature);
    }
}
