using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Turnpike.Protocols.Evm;
using Turnpike.Protocols.Signatures;
using Turnpike.Protocols.Signing;

namespace Turnpike.Bench;

/// <summary>
/// What is signed, at first sight, against the bare verification of the same signature by the same library: a token, requests by RFC 9421
/// under both kinds of key that agents use and under a wallet, and a proof of possession. Processor time, in turns of a hundred; the median.
/// </summary>
internal static class FirstSightBench
{
    private const int Rounds = 9, PerRound = 1_000, PerTurn = 100;
    private const double Most = 1.3;
    private const string Agent = "\"https://agent.example.com\"", Authority = "api.example.com", Target = "/companies/search?q=gateway&page=2";

    public static void Run()
    {
        using var curve = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var point = curve.ExportParameters(false).Q;
        var jwk = $$"""{"kty":"EC","crv":"P-256","x":"{{Base64Url.EncodeToString(point.X)}}","y":"{{Base64Url.EncodeToString(point.Y)}}"}""";
        Tokens(curve, PublicKey.ReadSet(Encoding.UTF8.GetBytes($$"""{"keys":[{{jwk}}]}"""), 8)!);
        Requests("a request signed by ES256 (Web Bot Auth)", "web-bot-auth", PublicKey.Read(Json(jwk))!, bytes => curve.SignData(bytes, HashAlgorithmName.SHA256), (signed, signature) => curve.VerifyData(signed, signature, HashAlgorithmName.SHA256));
        if (Ed25519.IsAvailable) Edwards();
        Proofs(curve, jwk);
        Wallets();
    }

    private static void Tokens(ECDsa curve, IReadOnlyList<PublicKey> set)
    {
        var tokens = Enumerable.Range(0, PerRound).Select(i => Compact(curve, """{"alg":"ES256","typ":"at+jwt"}""", $$"""{"iss":"https://login.example.com","sub":"agent-{{i}}","aud":"https://api.example.com","exp":2000000000,"iat":1700000000,"scope":"read write"}""")).ToList();
        Compare("a token", tokens, t => curve.VerifyData(t.Signed, t.Signature, HashAlgorithmName.SHA256),
            t => Jwt.Read(t.Text) is { } token && token.Claim("iss") is not null && token.Moment("exp") is not null && token.Texts("aud") is not null && set.Any(token.IsSignedBy));
    }

    /// <summary>The key of a proof comes with it, so that reading it is part of the raw work, too.</summary>
    private static void Proofs(ECDsa curve, string jwk)
    {
        var parameters = curve.ExportParameters(false);
        var proofs = Enumerable.Range(0, PerRound).Select(i => Compact(curve, $$"""{"typ":"dpop+jwt","alg":"ES256","jwk":{{jwk}}}""", $$"""{"jti":"proof-{{i}}","htm":"GET","htu":"https://api.example.com/companies","iat":1700000000}""")).ToList();
        Compare("a proof of possession (DPoP)", proofs,
            p =>
            {
                using var key = ECDsa.Create(parameters);
                return key.VerifyData(p.Signed, p.Signature, HashAlgorithmName.SHA256);
            },
            p => Jwt.Read(p.Text) is { Type: "dpop+jwt" } proof && proof.Header.TryGetProperty("jwk", out var own) && PublicKey.Read(own) is { } key && proof.IsSignedBy(key) && proof.Claim("htm") == "GET" && proof.Claim("htu") is not null && proof.Moment("iat") is not null && proof.Claim("jti") is not null);
    }

    private static void Wallets()
    {
        var secret = RandomNumberGenerator.GetBytes(32);
        var address = Secp256k1.AddressOf(secret);
        byte[] Digest(byte[] text) => Keccak.Hash([.. Encoding.ASCII.GetBytes($"\u0019Ethereum Signed Message:\n{text.Length}"), .. text]);
        Requests("a request signed by a wallet (ERC-8128)", "erc8128", null, text => Secp256k1.Sign(Digest(text), secret), (signed, signature) => Secp256k1.TryRecover(Digest(signed), signature, out var signer) && signer == address);
    }

    private static void Edwards()
    {
        using var pair = EdwardsPair.Create();
        var key = PublicKey.Read(Json($$"""{"kty":"OKP","crv":"Ed25519","x":"{{Base64Url.EncodeToString(pair.Public)}}"}"""))!;
        Requests("a request signed by Ed25519 (Web Bot Auth)", "web-bot-auth", key, pair.Sign, (signed, signature) => Ed25519.Verify(pair.Public, signed, signature));
    }

    private static void Requests(string what, string tag, PublicKey? key, Func<byte[], byte[]> sign, Func<byte[], byte[], bool> raw)
    {
        var requests = Enumerable.Range(0, PerRound).Select(i =>
        {
            var input = $"(\"@method\" \"@authority\" \"@path\" \"@query\" \"signature-agent\");created=1700000000;expires=1700000060;keyid=\"agent-key\";nonce=\"n-{i}\";tag=\"{tag}\"";
            var text = $"\"@method\": GET\n\"@authority\": {Authority}\n\"@path\": {Target[..Target.IndexOf('?', StringComparison.Ordinal)]}\n\"@query\": {Target[Target.IndexOf('?', StringComparison.Ordinal)..]}\n\"signature-agent\": {Agent}\n\"@signature-params\": {input}";
            var (bytes, signature) = (Encoding.ASCII.GetBytes(text), sign(Encoding.ASCII.GetBytes(text)));
            var headers = new Dictionary<string, IReadOnlyList<string>> { ["signature-input"] = ["sig1=" + input], ["signature"] = [$"sig1=:{Convert.ToBase64String(signature)}:"], ["signature-agent"] = [Agent] };
            return (Message: new SignedMessage("GET", "https", Authority, Target, name => headers.TryGetValue(name, out var lines) ? lines : []), Signed: bytes, Signature: signature);
        }).ToList();
        Compare(what, requests, r => raw(r.Signed, r.Signature), r => MessageSignature.Read(r.Message) is [{ IsMalformed: false, Created: not null, Expires: not null, KeyId: not null, Nonce: not null, Tag: not null, Base: { } text } one]
            && one.Covers("@method") && one.Covers("@authority") && one.Covers("@path") && one.Covers("@query") && one.Covers("signature-agent") && SignatureAgent.Read(r.Message.Headers("signature-agent")[0]) is [_]
            && (key is null ? raw(text, one.Signature) : one.IsSignedBy(key)));
    }

    private static void Compare<T>(string what, List<T> all, Func<T, bool> raw, Func<T, bool> whole)
    {
        List<double> first = [], second = [];
        Run(all, raw);
        Run(all, whole); // for the compiler
        foreach (var some in Enumerable.Repeat(all, Rounds).SelectMany(a => a.Chunk(PerTurn)))
        {
            // There and back, so that what comes first has no advantage.
            var (one, two) = (Run(some, raw), Run(some, whole));
            second.Add(two + Run(some, whole));
            first.Add(one + Run(some, raw));
        }
        var (bare, full) = (Median(first) / PerTurn / 2, Median(second) / PerTurn / 2);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"guards: {what} takes {full:F1} µs of processor at first sight, its signature alone {bare:F1} µs"));
        Table.AtMost($"{what} at first sight / its signature alone", full / bare, Most, "×");
    }

    private static double Run<T>(IReadOnlyList<T> all, Func<T, bool> work)
    {
        var start = Environment.CpuUsage.TotalTime;
        foreach (var one in all)
            if (!work(one)) throw new InvalidOperationException("What is good was not believed.");
        return (Environment.CpuUsage.TotalTime - start).TotalMicroseconds;
    }

    private static (string Text, byte[] Signed, byte[] Signature) Compact(ECDsa key, string header, string claims)
    {
        var text = $"{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header))}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims))}";
        var signature = key.SignData(Encoding.UTF8.GetBytes(text), HashAlgorithmName.SHA256);
        return ($"{text}.{Base64Url.EncodeToString(signature)}", Encoding.UTF8.GetBytes(text), signature);
    }

    private static System.Text.Json.JsonElement Json(string text) => System.Text.Json.JsonDocument.Parse(text).RootElement;

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
