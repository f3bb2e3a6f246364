using Turnpike.Protocols.Http;

namespace Turnpike.Tests.Protocols.Http;

/// <summary>The small readers and writers of header fields.</summary>
public sealed class FieldTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("Zg", "66")]
    [InlineData("Zm8", "666F")]
    [InlineData("Zm9v", "666F6F")]
    [InlineData("-_8", "FBFF")]
    public void Base64url_has_one_spelling(string text, string hex)
    {
        Base64Url.Encode(Convert.FromHexString(hex)).ShouldBe(text);
        Base64Url.Decode(text).ShouldBe(Convert.FromHexString(hex));
        Base64Url.DecodeLenient(text).ShouldBe(Convert.FromHexString(hex));
    }

    [Theory]
    [InlineData("padded", "Zg==", true)]
    [InlineData("padded with one", "Zm8=", true)]
    [InlineData("standard alphabet", "+/8=", true)]
    [InlineData("padded too far", "Zg===", false)]
    [InlineData("stray bits", "Zh", false)]
    [InlineData("stray bits of three", "Zm9", false)]
    [InlineData("one character", "Z", false)]
    [InlineData("a space", "Zm 9v", false)]
    [InlineData("a line end", "Zm9v\n", false)]
    [InlineData("padding inside", "Zg==Zg==", false)]
    [InlineData("url-escaped padding", "Zg%3D%3D", false)]
    [InlineData("outside ASCII", "Zm9\u00e9", false)]
    public void Other_spellings_are_refused_or_taken_leniently(string what, string text, bool leniently)
    {
        Base64Url.Decode(text).ShouldBeNull(what);
        (Base64Url.DecodeLenient(text) is not null).ShouldBe(leniently, what);
    }

    // RFC 9530 appendix B: the digest of {"hello": "world"} and a line feed.
    private const string Hello = "RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=";

    [Theory]
    [InlineData("sha-256=:" + Hello + ":")]
    [InlineData("sha-256=" + Hello)]
    [InlineData("SHA-256=RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg")]
    [InlineData("sha-512=:AAAA:, sha-256=:" + Hello + ":")]
    public void A_digest_matches_in_every_spelling(string digest)
    {
        ContentDigest.Matches(digest, "{\"hello\": \"world\"}\n"u8).ShouldBeTrue();
        ContentDigest.Matches(digest, "{\"hello\": \"world\"}"u8).ShouldBeFalse();
    }

    [Fact]
    public void A_digest_is_written_in_colon_form() =>
        ContentDigest.Compute("{\"hello\": \"world\"}\n"u8).ShouldBe("sha-256=:" + Hello + ":");

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("sha-256=")]
    [InlineData("sha-256=:")]
    [InlineData("sha-256=::")]
    [InlineData("sha-256=:AAAA:")]
    [InlineData("sha-512=:" + Hello + ":")]
    [InlineData("sha-256=:" + Hello)]
    [InlineData("sha-256=:" + Hello + ":, sha-256=:" + Hello + ":")]
    public void A_digest_that_is_none_or_ambiguous_matches_nothing(string? digest) =>
        ContentDigest.Matches(digest, "{\"hello\": \"world\"}\n"u8).ShouldBeFalse();

    [Theory]
    [InlineData("\"8e03978e-40d5\"", "8e03978e-40d5")]
    [InlineData(" 8e03978e-40d5 ", "8e03978e-40d5")]
    [InlineData("\"a \\\"b\\\" \\\\c\"", "a \"b\" \\c")]
    [InlineData("*/abc:def=", "*/abc:def=")]
    [InlineData(null, null)]
    [InlineData("", null)]
    [InlineData("\"\"", null)]
    [InlineData("\"a", null)]
    [InlineData("\"a\"b", null)]
    [InlineData("\"a\";p=1", null)]
    [InlineData("\"\\n\"", null)]
    [InlineData("a b", null)]
    [InlineData("a,b", null)]
    [InlineData("a\"b", null)]
    [InlineData("\u00e9", null)]
    [InlineData("\"\u00e9\"", null)]
    public void An_idempotency_key_is_a_string_or_a_bare_token(string? field, string? value) =>
        StructuredFields.ParseStringOrToken(field).ShouldBe(value);

    [Fact]
    public void An_item_has_a_longest_length()
    {
        var longest = new string('a', StructuredFields.MaxItemLength);

        StructuredFields.ParseStringOrToken(longest).ShouldBe(longest);
        StructuredFields.ParseStringOrToken($"\"{longest}\"").ShouldBe(longest);
        StructuredFields.ParseStringOrToken(longest + "a").ShouldBeNull();
        StructuredFields.ParseStringOrToken($"\"{longest}a\"").ShouldBeNull();
    }

    [Fact]
    public void Rate_limit_fields_are_lists_of_strings_with_integers()
    {
        StructuredFields.List(StructuredFields.String("minute", ("q", 60), ("w", 60)), StructuredFields.String("a\"b\\", ("r", 0)))
            .ShouldBe("\"minute\";q=60;w=60, \"a\\\"b\\\\\";r=0");
        Should.Throw<ArgumentException>(() => StructuredFields.String("a\r\n"));
    }

    [Theory]
    [InlineData("0", 0)]
    [InlineData("1", 1000)]
    [InlineData("0.", 0)]
    [InlineData("0.5", 500)]
    [InlineData("0.25", 250)]
    [InlineData("0.001", 1)]
    [InlineData("1.000", 1000)]
    [InlineData("1.001", null)]
    [InlineData("0.0001", null)]
    [InlineData("2", null)]
    [InlineData("-1", null)]
    [InlineData(".5", null)]
    [InlineData("0,5", null)]
    [InlineData("0.a", null)]
    [InlineData("", null)]
    public void A_q_value_is_whole_thousandths(string text, int? thousandths) => QValue.Parse(text).ShouldBe(thousandths);

    [Theory]
    [InlineData("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true)]
    [InlineData("text/html", true)]
    [InlineData("TEXT/HTML;level=1, application/json;q=0.9", true)]
    [InlineData("text/*, application/json;q=0.1", true)]
    [InlineData("application/json, text/html;q=0.9", false)]
    [InlineData("text/html, application/json", false)]
    [InlineData("text/html;q=0.5, application/problem+json;q=0.5", false)]
    [InlineData("text/html;q=0, */*", false)]
    [InlineData("*/*", false)]
    [InlineData("*/*, text/html", false)]
    [InlineData("application/json", false)]
    [InlineData("text/event-stream, application/json", false)]
    [InlineData("text/html;q=nonsense", false)]
    [InlineData("nonsense", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public void Only_who_wants_a_page_more_than_json_gets_one(string? accept, bool html) => Accept.PrefersHtml(accept).ShouldBe(html);
}
