using Turnpike.Catalog;

namespace Turnpike.Tests.Catalog;

/// <summary>The guarded client reaches the address it was made for, and nothing else.</summary>
public sealed class GuardedHttpTests
{
    [Theory]
    [InlineData("http://169.254.169.254/latest/meta-data")]
    [InlineData("http://api.test:8080/v1/x")]
    [InlineData("https://api.test/v1/x")]
    [InlineData("http://api.test/v10/x")]
    [InlineData("http://api.test/")]
    public async Task An_address_outside_its_base_is_refused_before_anything_is_sent(string url)
    {
        using var http = GuardedHttp.Create(new Uri("http://api.test/v1"), TimeSpan.FromSeconds(1), 1024);
        (await Should.ThrowAsync<HttpRequestException>(() => http.GetAsync(url))).Message.ShouldContain("not below");
    }
}
