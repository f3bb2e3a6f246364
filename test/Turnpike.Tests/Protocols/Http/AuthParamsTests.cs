using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Turnpike.Protocols.Http;

namespace Turnpike.Tests.Protocols.Http;

/// <summary>Authentication headers: lists of schemes, token68, quoted strings and their escapes.</summary>
public sealed class AuthParamsTests
{
    [Fact]
    public void Several_schemes_of_one_value_are_told_apart()
    {
        var schemes = AuthParams.Parse("""Negotiate, Bearer abc.DEF-_~+/==, Digest realm="a, b", nonce=xyz , Basic, Payment id="1",realm="r", , """, out _).ShouldNotBeNull();

        schemes.Select(s => s.Scheme).ShouldBe(["Negotiate", "Bearer", "Digest", "Basic", "Payment"]);
        schemes[1].Token68.ShouldBe("abc.DEF-_~+/==");
        schemes[2].Parameters["realm"].ShouldBe("a, b");
        schemes[2].Parameters["nonce"].ShouldBe("xyz");
        schemes[4].Parameters.Count.ShouldBe(2);
        schemes[4].Is("payment").ShouldBeTrue();
    }

    [Theory]
    [InlineData("a=\"\"", "")]
    [InlineData("a=\"x\\\"y\\\\z\"", "x\"y\\z")]
    [InlineData("a=\"\\q\\,\"", "q,")]
    [InlineData("a=\"\\u20ac\\u0041b\"", "\u20acAb")]
    [InlineData("a=\"\\\\u20ac\"", "\\u20ac")]
    [InlineData("a=\"\\u20a\"", "u20a")]
    [InlineData("a=\"\\u 123\"", "u 123")]
    [InlineData("a=\"\u00e9\t=,;\"", "\u00e9\t=,;")]
    [InlineData("a = token", "token")]
    [InlineData("a=e30=", "e30=")]
    public void A_value_is_unescaped(string parameter, string value) =>
        AuthParams.Parse("X " + parameter + ", b=1", out _).ShouldNotBeNull()[0].Parameters["a"].ShouldBe(value);

    [Theory]
    [InlineData("a duplicate", "X a=1, a=2")]
    [InlineData("a duplicate of another case", "X a=1, A=2")]
    [InlineData("an open quote", "X a=\"1")]
    [InlineData("an open escape", "X a=\"1\\")]
    [InlineData("a quote after text", "X a=1\"2\"")]
    [InlineData("text after a quote", "X a=\"1\"2")]
    [InlineData("an unescaped quote inside", "X a=\"for \"Premium\" use\"")]
    [InlineData("no value", "X b=1, a=")]
    [InlineData("no value before a comma", "X a=,b=1")]
    [InlineData("no name", "X =1")]
    [InlineData("CR LF in quotes", "X a=\"1\r\n2\"")]
    [InlineData("NUL in quotes", "X a=\"\0\"")]
    [InlineData("an escaped LF", "X a=\"\\\n\"")]
    [InlineData("a scheme that is no token", "\"X\" a=1")]
    [InlineData("a token with garbage behind", "Bearer abc def ghi")]
    [InlineData("a slash in the scheme", "a/b c=1")]
    public void A_malformed_value_is_refused_with_a_reason(string what, string value)
    {
        AuthParams.Parse(value, out var error).ShouldBeNull(what);
        error.ShouldNotBeNull(what);
    }

    [Fact]
    public void A_lone_name_with_an_equals_sign_is_a_token68() => AuthParams.Parse("X a=", out _).ShouldNotBeNull()[0].Token68.ShouldBe("a=");

    [Fact]
    public void Limits_are_kept()
    {
        AuthParams.Parse(new string('a', AuthParams.MaxLength + 1), out var error).ShouldBeNull();
        error.ShouldBe("the value is too long");
        AuthParams.Parse(string.Join(',', Enumerable.Range(0, 100).Select(i => $"s{i} x=1")), out _).ShouldBeNull();
        AuthParams.Parse("X " + string.Join(',', Enumerable.Range(0, 100).Select(i => $"p{i}=1")), out _).ShouldBeNull();
        AuthParams.Parse("X a=\"" + new string('\\', 12_000), out _).ShouldBeNull();
        AuthParams.Parse(null, out error).ShouldNotBeNull().ShouldBeEmpty();
        error.ShouldBeNull();
    }

    [Theory]
    [InlineData("\r")]
    [InlineData("\n")]
    [InlineData("\0")]
    [InlineData("\u007f")]
    [InlineData("\u0085")]
    public void Control_characters_are_not_written(string value) =>
        Should.Throw<ArgumentException>(() => AuthParams.AppendQuoted(new StringBuilder(), "a", "x" + value));

    [Fact]
    public void Whatever_is_written_is_read_back_and_nothing_throws()
    {
        Prop.ForAll(ArbMap.Default.ArbFor<string>(), text =>
            {
                text ??= "";
                AuthParams.Parse(text, out _);
                AuthParams.Parse("X a=\"" + text, out _);
                AuthParams.Parse("X " + text + ",b=\"" + text + "\"", out _);
                if (text.Any(c => c < ' ' || c is >= '\x7f' and < '\xa0')) return true;
                var written = AuthParams.AppendQuoted(new StringBuilder("X "), "a", text).ToString();
                return written.All(c => c is >= ' ' and <= '\xff') && AuthParams.Parse(written, out _)?[0].Parameters["a"] == text;
            })
            .Check(Config.QuickThrowOnFailure.WithMaxTest(5_000).WithReplay(402, 8403));
    }
}
