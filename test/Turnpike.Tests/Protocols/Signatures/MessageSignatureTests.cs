using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Turnpike.Protocols.Signatures;
using Turnpike.Protocols.Signing;
using Turnpike.Tests.Catalog;

namespace Turnpike.Tests.Protocols.Signatures;

/// <summary>HTTP message signatures against the vectors of RFC 9421 and of the Web Bot Auth drafts.</summary>
public sealed class MessageSignatureTests
{
    private static readonly JsonNode Rfc = JsonNode.Parse(File.ReadAllText(Documents.FromRoot("test/Turnpike.Tests/Vectors/rfc9421.json")))!;
    private static readonly JsonNode Bots = JsonNode.Parse(File.ReadAllText(Documents.FromRoot("test/Turnpike.Tests/Vectors/web-bot-auth.json")))!;

    public static TheoryData<string> Cases => [.. Rfc["cases"]!.AsArray().Select(c => (string)c!["name"]!)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Appendix_b_2(string name)
    {
        var one = Rfc["cases"]!.AsArray().Single(c => (string)c!["name"]! == name)!;
        var signature = Read(one).ShouldHaveSingleItem();
        Encoding.ASCII.GetString(signature.Base.ShouldNotBeNull()).ShouldBe((string)one["base"]!);
        Verifies(signature, one).ShouldBeTrue();

        var changed = JsonNode.Parse(one.ToJsonString())!;
        changed["signature_input"] = ((string)changed["signature_input"]!).Replace("created=1618884473", "created=1618884474", StringComparison.Ordinal);
        Verifies(Read(changed).Single(), changed).ShouldBeFalse("another moment is another signature");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Web_bot_auth(int number)
    {
        var one = Bots[number]!;
        var headers = one["headers"]!.AsObject().ToDictionary(h => h.Key.ToLowerInvariant(), h => (IReadOnlyList<string>)[(string)h.Value!]);
        var signature = MessageSignature.Read(new SignedMessage("GET", "https", "example.com", "/", n => headers.GetValueOrDefault(n, []))).ShouldHaveSingleItem();
        Encoding.ASCII.GetString(signature.Base.ShouldNotBeNull()).ShouldBe((string)one["base"]!);
        var key = Key(signature.KeyId == "poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U" ? "test-key-ed25519" : "test-key-rsa-pss");
        key.Thumbprint.ShouldBe(signature.KeyId);
        signature.IsSignedBy(key).ShouldBeTrue();
        (signature.Tag, signature.Covers("@authority"), signature.Covers("signature-agent") || signature.CoversMember("signature-agent", "agent2")).ShouldBe(("web-bot-auth", true, true));
    }

    [Theory]
    [InlineData("@method", "GET")]
    [InlineData("@scheme", "https")]
    [InlineData("@authority", "example.com")]
    [InlineData("@path", "/a%20b/")]
    [InlineData("@query", "?x=1&y=a+b&z&y=c")]
    [InlineData("@target-uri", "https://example.com/a%20b/?x=1&y=a+b&z&y=c")]
    [InlineData("@request-target", "/a%20b/?x=1&y=a+b&z&y=c")]
    [InlineData("@query-param\";name=\"x", "1")]
    [InlineData("@query-param\";name=\"z", "")]
    [InlineData("two", "a, b")]
    [InlineData("empty", "")]
    [InlineData("dict\";key=\"a", "1")]
    [InlineData("dict\";key=\"b", "?1;x=1;y")]
    [InlineData("dict\";key=\"c", "(a b)")]
    [InlineData("two\";bs", ":YQ==:, :Yg==:")]
    public void Components_are_told_as_the_standard_tells_them(string component, string value) =>
        Base($"(\"{component}{(component.Contains(';', StringComparison.Ordinal) && !component.EndsWith(";bs", StringComparison.Ordinal) ? "\"" : component.EndsWith(";bs", StringComparison.Ordinal) ? "" : "\"")});created=1").ShouldStartWith($"\"{component}{(component.EndsWith(";bs", StringComparison.Ordinal) ? "" : "\"")}: {value}\n");

    [Theory]
    [InlineData("(\"missing\")", "a header that is not there")]
    [InlineData("(\"two\" \"two\")", "a component twice")]
    [InlineData("(\"Two\")", "a name in capitals")]
    [InlineData("(\"@nothing\")", "a derived component nobody knows")]
    [InlineData("(\"@query-param\";name=\"y\")", "a parameter that comes twice")]
    [InlineData("(\"@query-param\";name=\"q\")", "a parameter that is not there")]
    [InlineData("(\"@method\";req)", "another message's")]
    [InlineData("(\"two\";sf)", "a field whose type is not known")]
    [InlineData("(\"two\";tr)", "a trailer")]
    [InlineData("(\"dict\";key=\"z\")", "a member that is not there")]
    [InlineData("(\"@status\")", "a status of a request")]
    [InlineData("(two)", "a component that is no string")]
    [InlineData("(\"odd\")", "a value that is no plain ASCII")]
    public void What_cannot_be_told_without_doubt_verifies_under_no_key(string input, string why) => Base(input).ShouldBeNull(why);

    [Theory]
    [InlineData("sig=(\"two\")", "")]
    [InlineData("", "sig=:AA==:")]
    [InlineData("sig=(\"two\")", "other=:AA==:")]
    [InlineData("sig=(\"two\")", "sig=AA")]
    [InlineData("sig=(\"two\"", "sig=:AA==:")]
    [InlineData("sig=\"two\"", "sig=:AA==:")]
    [InlineData("sig=(\"two\"\"empty\")", "sig=:AA==:")]
    [InlineData("sig=(\"two\");created=1;created=2", "sig=:AA==:")]
    [InlineData("sig=(\"two\"), b=(), c=(), d=(), e=()", "sig=:AA==:, b=:AA==:, c=:AA==:, d=:AA==:, e=:AA==:")]
    public void Two_headers_that_do_not_belong_together_are_none(string input, string signature) => Read(input, signature).ShouldBeNull();

    [Fact]
    public void No_signature_is_no_signature() => Read("", "").ShouldNotBeNull().ShouldBeEmpty();

    [Theory]
    [InlineData("created=\"1\"")]
    [InlineData("keyid=abc")]
    [InlineData("expires=?1")]
    public void A_parameter_of_another_type_is_malformed(string parameter) => Read($"sig=();{parameter}", "sig=:AA==:")!.Single().IsMalformed.ShouldBeTrue();

    private static readonly Dictionary<string, IReadOnlyList<string>> Headers = new() { ["two"] = [" a ", "b"], ["empty"] = [""], ["dict"] = ["a=1, b;x=1;y", "c=(a b)"], ["odd"] = ["é"] };

    private static IReadOnlyList<MessageSignature>? Read(string input, string signature) => MessageSignature.Read(new SignedMessage("GET", "https", "Example.com:443", "/a%20b/?x=1&y=a+b&z&y=c",
        n => n == "signature-input" ? input.Length > 0 ? [input] : [] : n == "signature" ? signature.Length > 0 ? [signature] : [] : Headers.GetValueOrDefault(n, [])));

    private static string? Base(string input) => Read("sig=" + input, "sig=:AA==:")!.Single().Base is { } bytes ? Encoding.ASCII.GetString(bytes) : null;

    private static PublicKey Key(string name)
    {
        var jwk = JsonNode.Parse(Rfc["keys"]![name]!.ToJsonString())!.AsObject();
        foreach (var secret in new[] { "d", "p", "q", "dp", "dq", "qi", "kid" }) jwk.Remove(secret);
        return PublicKey.Read(JsonDocument.Parse(jwk.ToJsonString()).RootElement).ShouldNotBeNull();
    }

    private static bool Verifies(MessageSignature signature, JsonNode one) => (string)one["keyid"]! == "test-shared-secret" ? signature.IsSignedBy(Convert.FromBase64String((string)Rfc["shared_secret_b64"]!)) : signature.IsSignedBy(Key((string)one["keyid"]!));

    private static IReadOnlyList<MessageSignature> Read(JsonNode one)
    {
        var response = ((string)one["base"]!).Contains("@status", StringComparison.Ordinal);
        var message = Rfc[response ? "response" : "request"]!;
        var headers = message["headers"]!.AsArray().GroupBy(h => ((string)h![0]!).ToLowerInvariant()).ToDictionary(g => g.Key, g => (IReadOnlyList<string>)[.. g.Select(h => (string)h![1]!)]);
        (headers["signature-input"], headers["signature"]) = ([(string)one["signature_input"]!], [(string)one["signature"]!]);
        return MessageSignature.Read(new SignedMessage("POST", "https", "example.com", "/foo?param=Value&Pet=dog", n => headers.GetValueOrDefault(n, [])) { Status = response ? 200 : null }).ShouldNotBeNull();
    }
}
