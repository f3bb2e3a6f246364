using System.Text;
using System.Text.Json;
using Turnpike.Protocols.Http;

namespace Turnpike.Tests.Protocols.Http;

/// <summary>Places in JSON, and taking them out.</summary>
public sealed class JsonPathTests
{
    private const string Companies = """{"items":[{"name":"A","owner":{"n":1}},{"name":"B","owner":2}],"total":1.50,"owner":"x"}""";

    [Theory]
    [InlineData("$", Companies)]
    [InlineData("$.total", "1.50")]
    [InlineData("$['total']", "1.50")]
    [InlineData("$.items[*].name", "\"A\" \"B\"")]
    [InlineData("$.items[1].owner", "2")]
    [InlineData("$.items[0].owner.*", "1")]
    [InlineData("$.items.name", "")]
    [InlineData("$.nothing[*]", "")]
    [InlineData("$[\"items\"][0]['name']", "\"A\"")]
    public void A_path_names_places(string path, string found) =>
        string.Join(' ', JsonPath.Parse(path, out _).ShouldNotBeNull().Select(JsonDocument.Parse(Companies).RootElement).Select(e => e.GetRawText())).ShouldBe(found);

    [Theory]
    [InlineData("")]
    [InlineData("items")]
    [InlineData("$items")]
    [InlineData("$.")]
    [InlineData("$..owner")]
    [InlineData("$.items[")]
    [InlineData("$.items[-1]")]
    [InlineData("$.items[1:2]")]
    [InlineData("$.items[?(@.a)]")]
    [InlineData("$['a\\'b']")]
    [InlineData("$.a b")]
    public void What_would_decide_something_is_no_path(string path)
    {
        JsonPath.Parse(path, out var error).ShouldBeNull();
        error.ShouldNotBeNull();
    }

    [Theory]
    [InlineData("$.items[*].owner", JsonRemoval.Remove, """{"items":[{"name":"A"},{"name":"B"}],"total":1.50,"owner":"x"}""")]
    [InlineData("$.items[*].owner", JsonRemoval.Mask, """{"items":[{"name":"A","owner":"***"},{"name":"B","owner":"***"}],"total":1.50,"owner":"x"}""")]
    [InlineData("$.items[1].owner", JsonRemoval.Nothing, """{"items":[{"name":"A","owner":{"n":1}},{"name":"B","owner":null}],"total":1.50,"owner":"x"}""")]
    [InlineData("$.items[0]", JsonRemoval.Remove, """{"items":[{"name":"B","owner":2}],"total":1.50,"owner":"x"}""")]
    [InlineData("$.*", JsonRemoval.Remove, "{}")]
    [InlineData("$", JsonRemoval.Remove, "null")]
    [InlineData("$.items.owner", JsonRemoval.Remove, Companies)]
    public void Places_are_taken_out_and_the_rest_stays_as_it_was(string path, JsonRemoval how, string left) =>
        Text(JsonFilter.Apply(Encoding.UTF8.GetBytes(Companies), [(JsonPath.Parse(path, out _)!, how)])).ShouldBe(left);

    [Theory]
    [InlineData("""{"owner":1,"owner":2}""", "{}", "a name that comes twice goes twice")]
    [InlineData("""{"\u006fwner":1,"b":1e400}""", """{"b":1e400}""", "an escaped name is the same name")]
    [InlineData(""" { "a" : "\u00e9\n" , "owner":[{}] } """, """{"a":"\u00e9\n"}""", "text stays as it was written")]
    [InlineData("""{"owner ":1}""", """{"owner ":1}""", "another name")]
    public void No_spelling_gets_a_place_past_the_filter(string json, string left, string why) =>
        Text(JsonFilter.Apply(Encoding.UTF8.GetBytes(json), [(JsonPath.Parse("$.owner", out _)!, JsonRemoval.Remove)])).ShouldBe(left, why);

    [Theory]
    [InlineData("")]
    [InlineData("sunny")]
    [InlineData("{\"a\":1")]
    [InlineData("{\"a\":1} {\"owner\":2}")]
    [InlineData("{\"a\":1,}")]
    [InlineData("\u001e{\"a\":1}")]
    public void What_is_no_one_sound_document_is_not_shown(string json) =>
        JsonFilter.Apply(Encoding.UTF8.GetBytes(json), [(JsonPath.Parse("$.owner", out _)!, JsonRemoval.Remove)]).ShouldBeNull();

    [Fact]
    public void A_nest_without_end_is_not_shown() =>
        JsonFilter.Apply(Encoding.UTF8.GetBytes(new string('[', 100_000)), [(JsonPath.Parse("$.a", out _)!, JsonRemoval.Remove)]).ShouldBeNull();

    private static string? Text(byte[]? bytes) => bytes is null ? null : Encoding.UTF8.GetString(bytes);
}
