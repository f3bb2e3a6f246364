using FsCheck;
using FsCheck.Fluent;
using Turnpike.Protocols.Http;

namespace Turnpike.Tests.Protocols.Http;

/// <summary>The path corpus: every trick by name, and the properties of a canonical target.</summary>
public sealed class RequestTargetTests
{
    [Theory]
    [InlineData("encoded slash", "/free%2fpaid", TargetErrors.EncodedSlash)]
    [InlineData("encoded slash, upper case", "/free%2Fpaid", TargetErrors.EncodedSlash)]
    [InlineData("encoded backslash", "/free%5cpaid", TargetErrors.EncodedBackslash)]
    [InlineData("encoded backslash climb", "/free/..%5cpaid", TargetErrors.EncodedBackslash)]
    [InlineData("raw backslash", "/free\\paid", TargetErrors.Backslash)]
    [InlineData("raw backslash climb", "/free/..\\paid", TargetErrors.Backslash)]
    [InlineData("encoded dots", "/free/%2e%2e/paid", TargetErrors.EncodedDot)]
    [InlineData("half encoded dots", "/free/%2E./paid", TargetErrors.EncodedDot)]
    [InlineData("half encoded dots, other half", "/free/.%2e/paid", TargetErrors.EncodedDot)]
    [InlineData("encoded dot in a name", "/file%2ejson", TargetErrors.EncodedDot)]
    [InlineData("doubly encoded dots", "/free/%252e%252e/paid", TargetErrors.DoubleEncoding)]
    [InlineData("doubly encoded slash", "/free%252fpaid", TargetErrors.DoubleEncoding)]
    [InlineData("triple encoding", "/free%25252fpaid", TargetErrors.DoubleEncoding)]
    [InlineData("encoded percent", "/100%25", TargetErrors.DoubleEncoding)]
    [InlineData("dot segments", "/free/../paid", TargetErrors.DotSegment)]
    [InlineData("dot segments at the end", "/free/..", TargetErrors.DotSegment)]
    [InlineData("single dot segment", "/./paid", TargetErrors.DotSegment)]
    [InlineData("single dot at the end", "/paid/.", TargetErrors.DotSegment)]
    [InlineData("climb behind a parameter", "/a;x=1/../b", TargetErrors.DotSegment)]
    [InlineData("parameter on dots", "/free/..;/paid", TargetErrors.SegmentParameter)]
    [InlineData("parameter on dots with value", "/free/..;jsessionid=1/paid", TargetErrors.SegmentParameter)]
    [InlineData("parameter on one dot", "/.;x/paid", TargetErrors.SegmentParameter)]
    [InlineData("parameter without a name", "/free/;/paid", TargetErrors.SegmentParameter)]
    [InlineData("parameter without a name at the end", "/free/;x", TargetErrors.SegmentParameter)]
    [InlineData("encoded semicolon on dots", "/free/..%3b/paid", TargetErrors.SegmentParameter)]
    [InlineData("doubled slash in front", "//paid", TargetErrors.DoubledSlash)]
    [InlineData("doubled slash inside", "/free//paid", TargetErrors.DoubledSlash)]
    [InlineData("doubled slash at the end", "/free//", TargetErrors.DoubledSlash)]
    [InlineData("network path", "//evil.example/paid", TargetErrors.DoubledSlash)]
    [InlineData("encoded CR LF", "/a%0d%0aX-Agent-Id:%20root", TargetErrors.EncodedControl)]
    [InlineData("encoded NUL", "/paid%00.html", TargetErrors.EncodedControl)]
    [InlineData("encoded tab", "/paid%09", TargetErrors.EncodedControl)]
    [InlineData("encoded unit separator", "/paid%1f", TargetErrors.EncodedControl)]
    [InlineData("encoded DEL", "/paid%7f", TargetErrors.EncodedControl)]
    [InlineData("overlong dot", "/free/%c0%ae%c0%ae/paid", TargetErrors.InvalidUtf8)]
    [InlineData("overlong slash", "/free%c0%afpaid", TargetErrors.InvalidUtf8)]
    [InlineData("overlong slash, three bytes", "/free%e0%80%afpaid", TargetErrors.InvalidUtf8)]
    [InlineData("surrogate in UTF-8", "/%ed%a0%80", TargetErrors.InvalidUtf8)]
    [InlineData("byte ff", "/%ff", TargetErrors.InvalidUtf8)]
    [InlineData("cut UTF-8", "/%e2%82", TargetErrors.InvalidUtf8)]
    [InlineData("UTF-8 interrupted by a letter", "/%e2a%82%ac", TargetErrors.InvalidUtf8)]
    [InlineData("UTF-8 interrupted by a slash", "/%e2/%82%ac", TargetErrors.InvalidUtf8)]
    [InlineData("lone continuation byte", "/%80", TargetErrors.InvalidUtf8)]
    [InlineData("percent without digits", "/%zz", TargetErrors.InvalidPercent)]
    [InlineData("percent cut short", "/a%4", TargetErrors.InvalidPercent)]
    [InlineData("percent at the end", "/a%", TargetErrors.InvalidPercent)]
    [InlineData("percent u notation", "/%u002e", TargetErrors.InvalidPercent)]
    [InlineData("fragment", "/free#/paid", TargetErrors.Fragment)]
    [InlineData("fragment in the query", "/free?a#b", TargetErrors.Fragment)]
    [InlineData("raw space", "/free paid", TargetErrors.RawCharacter)]
    [InlineData("raw NUL", "/free\0", TargetErrors.RawCharacter)]
    [InlineData("raw CR LF", "/free\r\nX: y", TargetErrors.RawCharacter)]
    [InlineData("raw DEL", "/free\x7f", TargetErrors.RawCharacter)]
    [InlineData("raw Latin-1", "/caf\u00e9", TargetErrors.RawCharacter)]
    [InlineData("raw full-width slash", "/free\uff0fpaid", TargetErrors.RawCharacter)]
    [InlineData("raw lone surrogate", "/free\ud800", TargetErrors.RawCharacter)]
    [InlineData("query with encoded NUL", "/free?a=%00", TargetErrors.EncodedControl)]
    [InlineData("query with encoded CR", "/free?a=%0d", TargetErrors.EncodedControl)]
    [InlineData("query with encoded LF", "/free?a=b%0A", TargetErrors.EncodedControl)]
    [InlineData("query with invalid percent", "/free?a=%g1", TargetErrors.InvalidPercent)]
    [InlineData("query with raw space", "/free?a=b c", TargetErrors.RawCharacter)]
    [InlineData("query with raw non-ASCII", "/free?a=\u20ac", TargetErrors.RawCharacter)]
    [InlineData("nothing", "", TargetErrors.Empty)]
    [InlineData("authority form", "example.com:443", TargetErrors.Form)]
    [InlineData("relative path", "free", TargetErrors.Form)]
    [InlineData("asterisk with more", "*/paid", TargetErrors.Form)]
    [InlineData("foreign scheme", "file:///etc/passwd", TargetErrors.Form)]
    [InlineData("absolute form without a host", "http:///paid", TargetErrors.Form)]
    [InlineData("absolute form with user info", "http://a@b/paid", TargetErrors.Form)]
    [InlineData("absolute form with a backslash in the host", "http://a\\b/paid", TargetErrors.Form)]
    [InlineData("absolute form with a climb", "http://a/free/../paid", TargetErrors.DotSegment)]
    [InlineData("absolute form with a fragment", "http://a#/paid", TargetErrors.Fragment)]
    public void An_ambiguous_target_is_refused_by_name(string trick, string target, string error)
    {
        var result = RequestTarget.Canonicalise(target);

        result.Error.ShouldBe(error, trick);
        result.Value.ShouldBe("", trick);
        result.IsValid.ShouldBeFalse(trick);
    }

    [Theory]
    [InlineData("/", "/", "")]
    [InlineData("/free", "/free", "")]
    [InlineData("/%66ree", "/free", "")]
    [InlineData("/%41%2D%5F%7e", "/A-_~", "")]
    [InlineData("/v1/models/m:generate@2", "/v1/models/m:generate@2", "")]
    [InlineData("/a%3ab%2bc", "/a:b%2Bc", "")]
    [InlineData("/a%20b", "/a%20b", "")]
    [InlineData("/%e2%82%ac/%f0%9f%98%80", "/%E2%82%AC/%F0%9F%98%80", "")]
    [InlineData("/caf%c3%a9s", "/caf%C3%A9s", "")]
    [InlineData("/a[0]|{b}^`\"<>", "/a%5B0%5D%7C%7Bb%7D%5E%60%22%3C%3E", "")]
    [InlineData("/a/", "/a/", "")]
    [InlineData("/.well-known/x402", "/.well-known/x402", "")]
    [InlineData("/...", "/...", "")]
    [InlineData("/a.b..c", "/a.b..c", "")]
    [InlineData("/map;x=1;y=2/tile", "/map;x=1;y=2/tile", "")]
    [InlineData("/a?", "/a", "?")]
    [InlineData("/a?b=../c//d\\e%2f%25%7e?[x]", "/a", "?b=../c//d\\e%2f%25%7e?[x]")]
    [InlineData("/%61?b=%61", "/a", "?b=%61")]
    [InlineData("http://example.com", "/", "")]
    [InlineData("HTTPS://example.com:8402/a?b", "/a", "?b")]
    [InlineData("http://[::1]:80/a", "/a", "")]
    [InlineData("http://example.com?a=b", "/", "?a=b")]
    public void A_clear_target_has_one_canonical_form(string target, string path, string query)
    {
        var result = RequestTarget.Canonicalise(target);

        result.Error.ShouldBeNull();
        result.Path.ShouldBe(path);
        result.PathSpan.ToString().ShouldBe(path);
        result.Query.ShouldBe(query);
        result.Value.ShouldBe(path + query);
    }

    [Fact]
    public void The_asterisk_is_taken_as_it_is()
    {
        RequestTarget.Canonicalise("*").IsAsterisk.ShouldBeTrue();
        RequestTarget.Canonicalise("/*").IsAsterisk.ShouldBeFalse();
    }

    [Theory]
    [InlineData("/v1/forecast")]
    [InlineData("/v1/forecast?city=Bern&days=3")]
    [InlineData("/map;x=1/tile")]
    [InlineData("/%E2%82%AC")]
    [InlineData("/.well-known/x402")]
    public void A_canonical_target_comes_back_as_the_same_string(string target) =>
        RequestTarget.Canonicalise(target).Value.ShouldBeSameAs(target);

    [Fact]
    public void A_canonical_target_costs_no_allocation()
    {
        RequestTarget.Canonicalise("/v1/forecast?city=Bern");
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) RequestTarget.Canonicalise("/v1/forecast?city=Bern");
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
    }

    [Fact]
    public void Length_is_bounded_before_and_after_encoding()
    {
        var longest = "/" + new string('a', RequestTarget.MaxLength - 1);

        RequestTarget.Canonicalise(longest).IsValid.ShouldBeTrue();
        RequestTarget.Canonicalise(longest + "a").Error.ShouldBe(TargetErrors.TooLong);
        RequestTarget.Canonicalise("/" + new string('|', 4000)).Error.ShouldBe(TargetErrors.TooLong);
        RequestTarget.Canonicalise("/|" + new string('a', RequestTarget.MaxLength - 2)).Error.ShouldBe(TargetErrors.TooLong);
        RequestTarget.Canonicalise("/|?" + new string('a', RequestTarget.MaxLength - 3)).Error.ShouldBe(TargetErrors.TooLong);
    }

    [Fact]
    public void No_string_makes_it_throw_and_what_is_canonical_stays_so_and_unambiguous()
    {
        Prop.ForAll(Arb.From(Targets()), target =>
            {
                var once = RequestTarget.Canonicalise(target);
                if (!once.IsValid) return once.Value.Length == 0;
                var twice = RequestTarget.Canonicalise(once.Value);
                return twice.Value == once.Value && twice.Path == once.Path && IsUnambiguous(once.Path);
            })
            .Check(Config.QuickThrowOnFailure.WithMaxTest(20_000).WithReplay(402, 8403));
    }

    // Pieces of every trick, strung together, so that valid and invalid targets are both common; and plain noise.
    private static Gen<string> Targets()
    {
        string[] pieces =
        [
            "/", "/", "/", "a", "free", "paid", ".", "..", ";", ";x=1", "%2e", "%2f", "%5c", "%25", "%00", "%41", "%7e", "%3b", "%3a",
            "%e2%82%ac", "%c3%a9", "%c0%ae", "%ff", "%", "%z", "\\", "?", "#", "|", "[", "\u00e9", " ", "*", ":", "@", "http://h", "%20",
        ];
        var strung = Gen.Elements(pieces).ListOf().Select(parts => "/" + string.Concat(parts)).Resize(7);
        var noise = Gen.Choose(0, 0x10ff).Select(c => (char)c).ListOf().Select(chars => "/" + string.Concat(chars));
        var bare = ArbMap.Default.GeneratorFor<string>();
        return Gen.OneOf(strung, strung, strung, noise, bare);
    }

    private static bool IsUnambiguous(string path)
    {
        if (path == "*") return true;
        string[] never = ["//", "\\", "#", "?", "%2E", "%2F", "%5C", "%25", "%0", "%1", "%7F", "%2e", "%2f", "%5c", "%7f"];
        return path[0] == '/'
            && path.Length <= RequestTarget.MaxLength
            && path.All(c => c is > ' ' and < '\x7f')
            && !never.Any(path.Contains)
            && Array.TrueForAll(path.Split('/'), s => s.Split(';')[0] is not ("." or ".."));
    }
}
