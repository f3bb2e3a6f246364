using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Turnpike.Protocols.Http;

namespace Turnpike.Tests.Protocols.Http;

/// <summary>RFC 8785, as far as integers go, and what is refused instead of guessed.</summary>
public sealed class CanonicalJsonTests
{
    // RFC 8785 §3.2.3: the property-sorting sample, in the order the RFC gives.
    [Fact]
    public void Members_are_sorted_by_utf_16_code_units() =>
        CanonicalJson.ToText(
            """{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}""")
            .ShouldBe("{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u0080\":\"Control\",\"\u00f6\":\"Latin Small Letter O With Diaeresis\",\"\u20ac\":\"Euro Sign\",\"\ud83d\ude00\":\"Emoji: Grinning Face\",\"\ufb33\":\"Hebrew Letter Dalet With Dagesh\"}");

    // RFC 8785 §3.2.2: the string and the literals of the sample.
    [Fact]
    public void Strings_are_escaped_as_ecmascript_does() =>
        CanonicalJson.ToText("""{ "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false] }""")
            .ShouldBe("{\"literals\":[null,true,false],\"string\":\"\u20ac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");

    [Theory]
    [InlineData("{}", "{}")]
    [InlineData(" [ ] ", "[]")]
    [InlineData("""{"b":[3,{"z":1,"a":null}],"a":true,"€":"x","B":1}""", """{"B":1,"a":true,"b":[3,{"a":null,"z":1}],"€":"x"}""")]
    [InlineData("[56,{\"d\":true,\"10\":null,\"1\":[]}]", "[56,{\"1\":[],\"10\":null,\"d\":true}]")]
    [InlineData("[0,-0,-1,9007199254740991,-9007199254740991]", "[0,0,-1,9007199254740991,-9007199254740991]")]
    [InlineData("\"\\u007f\\u2028<>&\"", "\"\u007f\u2028<>&\"")]
    [InlineData("{\"\":\"\\b\\t\\n\\f\\r\\u0001\\u001f\"}", "{\"\":\"\\b\\t\\n\\f\\r\\u0001\\u001f\"}")]
    public void Other_values_have_one_form(string json, string canonical) => CanonicalJson.ToText(json).ShouldBe(canonical);

    [Theory]
    [InlineData("a fraction", "[0.1]")]
    [InlineData("a whole number with a fraction", "[1.0]")]
    [InlineData("an exponent", "[1e3]")]
    [InlineData("two to the fifty-third", "[9007199254740992]")]
    [InlineData("minus two to the fifty-third", "[-9007199254740992]")]
    [InlineData("a number beyond 64 bits", "[123456789012345678901234567890]")]
    [InlineData("a duplicate key", """{"a":1,"a":1}""")]
    [InlineData("a duplicate key, escaped", """{"a":1,"\u0061":2}""")]
    [InlineData("a lone surrogate", "[\"\\ud800\"]")]
    [InlineData("a lone surrogate in a key", "{\"\\udc00\":1}")]
    [InlineData("a comment", "[1/*x*/]")]
    [InlineData("a trailing comma", "[1,]")]
    [InlineData("two documents", "1 2")]
    [InlineData("nothing", "")]
    [InlineData("NaN", "[NaN]")]
    public void What_has_no_agreed_form_is_refused(string what, string json) => CanonicalJson.ToText(json).ShouldBeNull(what);

    [Fact]
    public void Depth_is_bounded()
    {
        static string Nested(int depth) => new string('[', depth) + new string(']', depth);

        CanonicalJson.ToText(Nested(CanonicalJson.MaxDepth)).ShouldBe(Nested(CanonicalJson.MaxDepth));
        CanonicalJson.ToText(Nested(CanonicalJson.MaxDepth + 1)).ShouldBeNull();
        CanonicalJson.ToText(Nested(5_000)).ShouldBeNull();
    }

    [Fact]
    public void Invalid_utf_8_is_refused() => CanonicalJson.ToBytes([(byte)'"', 0xc0, 0xae, (byte)'"']).ShouldBeNull();

    [Fact]
    public void Flat_objects_have_the_same_form_without_a_parser()
    {
        KeyValuePair<string, string> b = new("b", "\u20ac\n"), a = new("a", "\ud83d\ude00");

        Encoding.UTF8.GetString(CanonicalJson.ToBytes(b, a).ShouldNotBeNull()).ShouldBe("{\"a\":\"\ud83d\ude00\",\"b\":\"\u20ac\\n\"}");
        CanonicalJson.ToBytes(a, a).ShouldBeNull();
        CanonicalJson.ToBytes(new KeyValuePair<string, string>("a", "x\ud83d")).ShouldBeNull();
        CanonicalJson.ToBytes(new KeyValuePair<string, string>("\ude00\ud83d", "x")).ShouldBeNull();
    }

    [Fact]
    public void What_is_canonical_stays_as_it_is_and_nothing_throws()
    {
        string[] pieces = ["{", "}", "[", "]", ",", ":", "\"a\"", "\"b\"", "\"\\ud800\"", "\"\\u00e9\"", "1", "-0", "2.5", "null", "\"\"", " "];
        Prop.ForAll(Arb.From(Gen.Elements(pieces).ListOf().Select(string.Concat).Resize(12)), ArbMap.Default.ArbFor<string>(), (strung, text) =>
            {
                foreach (var json in new[] { strung, text, $"{{\"k\":[{strung}]}}", $"[\"{text}\"]" })
                {
                    if (CanonicalJson.ToText(json ?? "") is { } once && CanonicalJson.ToText(once) != once) return false;
                }
                return true;
            })
            .Check(Config.QuickThrowOnFailure.WithMaxTest(5_000).WithReplay(402, 8403));
    }
}
