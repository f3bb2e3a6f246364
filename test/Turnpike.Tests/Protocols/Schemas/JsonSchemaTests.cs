using System.Diagnostics;
using System.Text.Json;
using Turnpike.Protocols.Schemas;

namespace Turnpike.Tests.Protocols.Schemas;

/// <summary>The bounded part of JSON Schema 2020-12.</summary>
public sealed class JsonSchemaTests
{
    [Theory]
    [InlineData("true", "1", "")]
    [InlineData("false", "1", " is not allowed")]
    [InlineData("""{"type":"integer"}""", "1.0", "")]
    [InlineData("""{"type":"integer"}""", "1.5", " is no integer")]
    [InlineData("""{"type":["string","null"]}""", "null", "")]
    [InlineData("""{"type":["string","null"]}""", "3", " is no string or null")]
    [InlineData("""{"enum":["csv","json",1]}""", "1.0", "")]
    [InlineData("""{"enum":["csv","json"]}""", "\"CSV\"", " is none of \"csv\", \"json\"")]
    [InlineData("""{"const":{"a":[1]}}""", """{"a":[1]}""", "")]
    [InlineData("""{"const":1}""", "true", " is not 1")]
    [InlineData("""{"minLength":2}""", "\"😀\"", " has to have at least 2 characters")]
    [InlineData("""{"maxLength":1}""", "\"😀\"", "")]
    [InlineData("""{"pattern":"^[a-z]+$"}""", "\"ab1\"", " does not match the pattern")]
    [InlineData("""{"minimum":0.1,"exclusiveMaximum":1}""", "1", " is not below 1")]
    [InlineData("""{"minimum":0.1}""", "0.1", "")]
    [InlineData("""{"maximum":5}""", "1e400", " is a number beyond what is compared")]
    [InlineData("""{"multipleOf":0.1}""", "0.3", "")]
    [InlineData("""{"multipleOf":0.1}""", "0.35", " is no multiple of 0.1")]
    [InlineData("""{"required":["a"],"properties":{"a":{"type":"string"}}}""", "{}", "/a is missing")]
    [InlineData("""{"properties":{"a/b":{"type":"string"}}}""", """{"a/b":1}""", "/a~1b is no string")]
    [InlineData("""{"properties":{"a":true},"additionalProperties":false}""", """{"a":1,"b":2}""", "/b is not allowed")]
    [InlineData("""{"patternProperties":{"^x-":{"type":"string"}},"additionalProperties":false}""", """{"x-a":"1"}""", "")]
    [InlineData("""{"patternProperties":{"^x-":{"type":"string"}}}""", """{"x-a":1}""", "/x-a is no string")]
    [InlineData("""{"propertyNames":{"maxLength":1}}""", """{"ab":1}""", "/ab has a name that is not allowed")]
    [InlineData("""{"maxProperties":1}""", """{"a":1,"b":1}""", " has to have at most 1 members")]
    [InlineData("""{"items":{"type":"string"},"minItems":1}""", """["a",1]""", "/1 is no string")]
    [InlineData("""{"prefixItems":[{"type":"string"}],"items":false}""", """["a",1]""", "/1 is not allowed")]
    [InlineData("""{"contains":{"const":1}}""", "[2]", " has none of the items it has to have")]
    [InlineData("""{"uniqueItems":true}""", "[1,1.0]", " has an item twice")]
    [InlineData("""{"allOf":[{"type":"string"},{"minLength":1}]}""", "\"\"", " has to have at least 1 characters")]
    [InlineData("""{"anyOf":[{"type":"string"},{"type":"null"}]}""", "1", " is none of what it may be")]
    [InlineData("""{"oneOf":[{"minimum":1},{"maximum":5}]}""", "3", " is not exactly one of what it may be")]
    [InlineData("""{"not":{"type":"string"}}""", "\"a\"", " is what it may not be")]
    [InlineData("""{"if":{"required":["a"]},"then":{"required":["b"]},"else":{"required":["c"]}}""", """{"a":1}""", "/b is missing")]
    [InlineData("""{"if":{"required":["a"]},"then":{"required":["b"]},"else":{"required":["c"]}}""", "{}", "/c is missing")]
    [InlineData("""{"$ref":"#/$defs/tree","$defs":{"tree":{"type":"object","properties":{"left":{"$ref":"#/$defs/tree"}}}}}""", """{"left":{"left":1}}""", "/left/left is no object")]
    [InlineData("""{"format":"date"}""", "\"2026-02-30\"", " is no date")]
    [InlineData("""{"format":"date-time"}""", "\"2026-02-28T12:00:00Z\"", "")]
    [InlineData("""{"format":"date-time"}""", "\"2026-02-28T12:00:00\"", " is no date-time")]
    [InlineData("""{"format":"uuid"}""", "\"x\"", " is no uuid")]
    [InlineData("""{"format":"ipv4"}""", "\"1.2.3\"", " is no ipv4")]
    public void A_value_is_told_what_is_wrong_with_it(string schema, string value, string wrong)
    {
        var read = JsonSchema.Parse(JsonDocument.Parse(schema).RootElement, out var errors);
        errors.ShouldBeEmpty();
        string.Join("; ", read!.Check(JsonDocument.Parse(value).RootElement).Select(v => $"{v.Pointer} {v.Message}")).ShouldBe(wrong);
    }

    [Theory]
    [InlineData("""{"unevaluatedProperties":false}""", "/unevaluatedProperties is not supported here")]
    [InlineData("""{"$dynamicRef":"#x"}""", "/$dynamicRef is not supported here")]
    [InlineData("""{"requred":["a"]}""", "/requred is not supported here")]
    [InlineData("""{"$ref":"https://elsewhere.example/s.json"}""", "/$ref refers to nothing; a reference is #/$defs/NAME, to a definition of the schema itself")]
    [InlineData("""{"$ref":"#/$defs/nothing"}""", "/$ref refers to nothing; a reference is #/$defs/NAME, to a definition of the schema itself")]
    [InlineData("""{"properties":{"a":{"pattern":"(?=a)b"}}}""", "/properties/a/pattern has a value that this keyword does not take")]
    [InlineData("""{"pattern":"("}""", "/pattern has a value that this keyword does not take")]
    [InlineData("""{"type":"text"}""", "/type has a value that this keyword does not take")]
    [InlineData("""{"format":"hostname-like"}""", "/format has a value that this keyword does not take")]
    [InlineData("""{"items":[{}]}""", "/items is no schema; a schema is a map, true or false")]
    [InlineData("""{"minLength":-1}""", "/minLength has a value that this keyword does not take")]
    [InlineData("""{"anyOf":[]}""", "/anyOf has a value that this keyword does not take")]
    public void What_is_not_supported_is_refused_when_it_is_read(string schema, string told)
    {
        JsonSchema.Parse(JsonDocument.Parse(schema).RootElement, out var errors).ShouldBeNull();
        string.Join("; ", errors.Select(e => $"{e.Pointer} {e.Message}")).ShouldBe(told);
    }

    [Fact]
    public void No_text_makes_a_pattern_slow()
    {
        var schema = JsonSchema.Parse(JsonDocument.Parse("""{"pattern":"^(a+)+$"}""").RootElement, out _)!;
        var value = JsonDocument.Parse($"\"{new string('a', 100_000)}!\"").RootElement;
        var watch = Stopwatch.StartNew();
        schema.Check(value).Count.ShouldBe(1);
        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public void A_reference_that_leads_nowhere_but_to_itself_ends()
    {
        var schema = JsonSchema.Parse(JsonDocument.Parse("""{"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/a"}}}""").RootElement, out _)!;
        schema.Check(JsonDocument.Parse("1").RootElement).ShouldHaveSingleItem().Message.ShouldBe("is nested too deeply");
    }

    /// <summary>Refused, as a whole: where a value that does not fit is the one that is wanted, one that was not checked would pass for it.</summary>
    [Theory]
    [InlineData("""{"not":{"$ref":"#/$defs/deep"},"$defs":{"deep":{"items":{"$ref":"#/$defs/deep"}}}}""")]
    [InlineData("""{"if":{"$ref":"#/$defs/deep"},"then":{"type":"string"},"$defs":{"deep":{"items":{"$ref":"#/$defs/deep"}}}}""")]
    [InlineData("""{"anyOf":[{"$ref":"#/$defs/deep"},{"type":"array"}],"$defs":{"deep":{"items":{"$ref":"#/$defs/deep"}}}}""")]
    public void What_is_nested_too_deeply_to_be_checked_passes_for_nothing(string schema) =>
        JsonSchema.Parse(JsonDocument.Parse(schema).RootElement, out _)!.Check(JsonDocument.Parse(new string('[', 200) + new string(']', 200), new JsonDocumentOptions { MaxDepth = 200 }).RootElement).ShouldHaveSingleItem().Message.ShouldBe("is nested too deeply");

    [Fact]
    public void At_most_ten_things_are_told() =>
        JsonSchema.Parse(JsonDocument.Parse("""{"items":{"type":"string"}}""").RootElement, out _)!.Check(JsonDocument.Parse($"[{string.Join(',', Enumerable.Repeat(1, 1000))}]").RootElement).Count.ShouldBe(10);
}
