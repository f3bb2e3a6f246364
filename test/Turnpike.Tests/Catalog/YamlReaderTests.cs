using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Turnpike.Catalog.Document;

namespace Turnpike.Tests.Catalog;

/// <summary>Whatever text comes, it is read or refused; nothing is thrown and nothing grows without bound.</summary>
public sealed class YamlReaderTests
{
    private static readonly string[] Scraps =
    [
        "gateway:", "services:", "payments:", "operations:", "price: 0.01 USD", "match: GET /x", "upstream: http://x", "\n", "\n  ", "\n    ", "- ", "? ", ": ", "{", "}", "[", "]", ",", "&a ", "*a", "!!str ", "!x ",
        "|\n", ">-\n", "'", "\"", "\\x41", "\\u", "#", "---\n", "...\n", "%YAML 1.2\n", "%TAG ! x\n", "\t", "\0", "\u0085", "\uFEFF", "\uD800", "${env:UPSTREAM}", "${", "}", "~", "null", "<<: ", "eip155:84532", "chains:", "@", "`",
    ];

    [Fact]
    public void Arbitrary_text_is_never_thrown_at()
    {
        var text = Gen.Elements(Scraps).ArrayOf().Select(string.Concat);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(2000).WithReplay(20261121, 7, 60), Prop.ForAll(Arb.From(text), t =>
        {
            var result = Documents.Load(t);
            return result.Catalog is not null == (result.Errors.Count == 0) && result.Errors.All(e => e.Line >= 1 && e.Column >= 1);
        }));
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(500).WithReplay(20261121, 9, 60), Prop.ForAll<string>(t => Documents.Load(t ?? "") is not null));
    }

    [Fact]
    public void A_sound_document_with_one_character_changed_is_read_or_refused()
    {
        var sound = File.ReadAllText(Documents.FromRoot("turnpike.example.yaml"));
        for (var i = 0; i < sound.Length; i += 31)
            foreach (var c in "{:\"\t&")
                Documents.Load(string.Concat(sound.AsSpan(0, i), [c], sound.AsSpan(i + 1))).ShouldNotBeNull();
    }

    [Theory]
    [InlineData('[')]
    [InlineData('{')]
    public void A_deep_document_is_refused_before_the_stack_ends(char open) =>
        Documents.Load(new string(open, 100_000)).Errors.ShouldHaveSingleItem().Message.ShouldBe("the document is nested deeper than 48");

    [Fact]
    public void Billion_laughs_are_not_laughed()
    {
        var text = new StringBuilder("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for (var i = 1; i < 30; i++) text.Append($"a{i}: &a{i} [{string.Join(", ", Enumerable.Repeat($"*a{i - 1}", 9))}]\n");
        Documents.Load(text.ToString()).Errors.Select(e => e.Message).ShouldBe(["the document is too large when its aliases are written out"]);
    }

    [Fact]
    public void An_anchor_within_itself_is_refused() =>
        Documents.Load("gateway: &g { tls: *g }").Errors.ShouldContain(e => e.Message == "'*g' names nothing that is complete before it");

    [Fact]
    public void An_alias_stands_for_what_was_written_before()
    {
        var limits = Documents.Sound(Documents.With("limits: { unpaid: &l { amount: 7 requests, per: 1h }, invalid-proofs: *l }")).Settings.Get<Turnpike.Limits.LimitSettings>().ShouldNotBeNull();
        limits.InvalidProofs.Amount.ShouldBe(7);
        limits.InvalidProofs.Per.ShouldBe(TimeSpan.FromHours(1));
    }

    [Fact]
    public void A_document_above_four_mebibytes_is_refused() =>
        Documents.Load("#" + new string('x', YamlReader.MostBytes)).Errors.ShouldHaveSingleItem().Message.ShouldBe("the document is larger than 4 MiB");

    [Fact]
    public void Bad_yaml_is_told_with_its_line()
    {
        var error = Documents.Load("gateway:\n  url: \"unclosed\n").Errors.ShouldHaveSingleItem();
        error.Line.ShouldBe(2);
        error.Message.ShouldStartWith("this is not YAML: ");
    }

    [Theory]
    [InlineData("")]
    [InlineData("# nothing yet\n")]
    [InlineData("---\n")]
    public void An_empty_document_sells_nothing(string text) => Documents.Sound(text).Services.ShouldBeEmpty();
}
