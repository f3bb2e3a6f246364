using Turnpike.Catalog;

namespace Turnpike.Tests.Catalog;

/// <summary>Which canonical paths a pattern takes, and which patterns are none.</summary>
public sealed class PathPatternTests
{
    [Theory]
    [InlineData("/", "/", true)]
    [InlineData("/", "/a", false)]
    [InlineData("/a", "/a", true)]
    [InlineData("/a", "/a/", false)]
    [InlineData("/a", "/A", false)]
    [InlineData("/a/", "/a/", true)]
    [InlineData("/a/", "/a", false)]
    [InlineData("/a/{x}", "/a/b", true)]
    [InlineData("/a/{x}", "/a/", false)]
    [InlineData("/a/{x}", "/a", false)]
    [InlineData("/a/{x}", "/a/b/c", false)]
    [InlineData("/a/{x}/c", "/a/b/c", true)]
    [InlineData("/a/{x}/c", "/a//c", false)]
    [InlineData("/{x}", "/caf%C3%A9", true)]
    [InlineData("/caf%C3%A9", "/caf%C3%A9", true)]
    [InlineData("/f/{**rest}", "/f/", true)]
    [InlineData("/f/{**rest}", "/f/a", true)]
    [InlineData("/f/{**rest}", "/f/a/b/c", true)]
    [InlineData("/f/{**rest}", "/f", false)]
    [InlineData("/f/{**rest}", "/fa", false)]
    [InlineData("/{**rest}", "/", true)]
    [InlineData("/{**rest}", "/a/b", true)]
    [InlineData("/a", "", false)]
    [InlineData("/a", "a", false)]
    public void A_path_fits_or_not(string pattern, string path, bool fits) =>
        PathPattern.Parse(pattern, out _).ShouldNotBeNull().Matches(path).ShouldBe(fits);

    [Theory]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("/a//b")]
    [InlineData("/a/./b")]
    [InlineData("/a/..")]
    [InlineData("/a;b")]
    [InlineData("/a?b")]
    [InlineData("/a#b")]
    [InlineData("/a\\b")]
    [InlineData("/é")]
    [InlineData("/%c3")]
    [InlineData("/%41")]
    [InlineData("/%2F")]
    [InlineData("/%5C")]
    [InlineData("/%00")]
    [InlineData("/%25")]
    [InlineData("/%3B")]
    [InlineData("/%")]
    [InlineData("/%G0")]
    [InlineData("/{}")]
    [InlineData("/{a}b")]
    [InlineData("/{a")]
    [InlineData("/a}")]
    [InlineData("/{*a}")]
    [InlineData("/{***a}")]
    [InlineData("/{**a}/b")]
    [InlineData("/{a}/{a}")]
    [InlineData("/{a b}")]
    public void What_could_never_match_a_canonical_path_is_no_pattern(string text)
    {
        PathPattern.Parse(text, out var error).ShouldBeNull();
        error.ShouldNotBeNullOrEmpty();
    }

    /// <summary>They would be taken for what they are not: many paths.</summary>
    [Theory]
    [InlineData("/a/*")]
    [InlineData("/a/**")]
    [InlineData("/a*")]
    [InlineData("/a/:id")]
    public void A_wildcard_of_another_kind_is_no_pattern_and_ours_are_told(string text)
    {
        PathPattern.Parse(text, out var error).ShouldBeNull();
        error.ShouldNotBeNull().ShouldContain("{name}");
    }

    [Theory]
    [InlineData("/a/{x}", "/a/{y}", true)]
    [InlineData("/a/{x}", "/a/b", false)]
    [InlineData("/a/{x}", "/a/{**x}", false)]
    [InlineData("/a", "/a/", false)]
    [InlineData("/{**a}", "/{**b}", true)]
    public void Patterns_of_one_shape_clash(string one, string other, bool clash) =>
        PathPattern.Parse(one, out _).ShouldNotBeNull().ClashesWith(PathPattern.Parse(other, out _).ShouldNotBeNull()).ShouldBe(clash);

    [Theory]
    [InlineData("GET", "any", "/a/b", "exact")]
    [InlineData("HEAD", "any", "/a/b", "exact")]
    [InlineData("get", "any", "/a/b", null)]
    [InlineData("GET", "any", "/a/c", "named")]
    [InlineData("GET", "any", "/a/c/d", "rest")]
    [InlineData("GET", "H.example.com", "/a/b", "hosted")]
    [InlineData("GET", "xn--BCHER-kva.example", "/a/b", "spelled")]
    [InlineData("GET", "any", "/p/x", "prefixed")]
    [InlineData("GET", "any", "/p", "prefix-root")]
    [InlineData("GET", "any", "/px", null)]
    [InlineData("OPTIONS", "any", "/a/b", null)]
    [InlineData("OPTIONS", "any", "/o", "asked")]
    public void The_most_exact_operation_is_called(string method, string host, string path, string? expected) =>
        (Documents.Sound("""
            services:
              s:
                upstream: http://x
                operations:
                  rest: { match: "GET /a/{**rest}", price: free }
                  named: { match: "GET /a/{x}", price: free }
                  exact: { match: GET /a/b, price: free }
                  asked: { match: OPTIONS /o, price: free }
              h:
                host: h.example.com
                upstream: http://y
                operations:
                  hosted: { match: "GET /{**rest}", price: free }
              i:
                host: Bücher.example
                upstream: http://y
                operations:
                  spelled: { match: "GET /{**rest}", price: free }
              p:
                prefix: /p
                upstream: http://z
                operations:
                  prefixed: { match: "GET /{x}", price: free }
                  prefix-root: { match: GET /, price: free }
            """).Match(method, host, path)?.Name).ShouldBe(expected);
}
