using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Gateway;

/// <summary>Paths that mean one thing to a gateway and another to an upstream: whatever they are, they are never served unpaid.</summary>
public sealed class RequestTargetAttackTests(PaidApiFixture fixture) : IClassFixture<PaidApiFixture>
{
    private PaidApi Api => fixture.Api;

    [Theory]
    [InlineData("/status/../forecast/paris")]
    [InlineData("/./forecast/paris")]
    [InlineData("/status/%2e%2e/forecast/paris")]
    [InlineData("/status/%2E./forecast/paris")]
    [InlineData("/status/.%2e/forecast/paris")]
    [InlineData("/status/%252e%252e/forecast/paris")]
    [InlineData("/status%2f..%2fforecast/paris")]
    [InlineData("/status%2Fx")]
    [InlineData("/forecast%5cparis")]
    [InlineData("/forecast\\paris")]
    [InlineData("//forecast/paris")]
    [InlineData("/forecast//paris")]
    [InlineData("/forecast/par%00is")]
    [InlineData("/forecast/%0d%0aX-Evil:1")]
    [InlineData("/status;x=1/../forecast/paris")]
    [InlineData("/status/..;/forecast/paris")]
    [InlineData("/status/%c0%ae%c0%ae/forecast/paris")]
    [InlineData("/forecast/%zz")]
    [InlineData("/forecast/%ff")]
    [InlineData("/forecast/%25paris")]
    [InlineData("/forecast/paris#x")]
    public async Task An_ambiguous_target_is_400_and_never_reaches_the_upstream(string target)
    {
        var before = Api.Upstream.Calls.Count;
        var answer = await RawHttp.GetAsync(Api.Gateway.Url, target);
        RawHttp.StatusOf(answer).ShouldBe(400, answer);
        Api.Upstream.Calls.Count.ShouldBe(before);
    }

    [Theory]
    [InlineData("/forecast/paris/")]
    [InlineData("/forecast")]
    [InlineData("/forecast/paris/more")]
    [InlineData("/STATUS")]
    [InlineData("/admin/v1/tokens")]
    public async Task An_unmatched_path_is_404_and_never_free(string target)
    {
        var before = Api.Upstream.Calls.Count;
        RawHttp.StatusOf(await RawHttp.GetAsync(Api.Gateway.Url, target)).ShouldBe(404);
        Api.Upstream.Calls.Count.ShouldBe(before);
    }

    [Theory]
    [InlineData("/forecast/%70aris", "/forecast/paris")]
    [InlineData("/forecast/paris?days=7&x=%41", "/forecast/paris?days=7&x=%41")]
    [InlineData("/%66orecast/m%3Agenerate", "/forecast/m:generate")]
    [InlineData("/forecast/z%C3%BCrich", "/forecast/z%C3%BCrich")]
    public async Task What_is_priced_is_what_is_forwarded(string asked, string forwarded)
    {
        RawHttp.StatusOf(await RawHttp.GetAsync(Api.Gateway.Url, asked)).ShouldBe(402);
        var token = await Api.TokenAsync("1.00 USD");
        RawHttp.StatusOf(await RawHttp.GetAsync(Api.Gateway.Url, asked, $"Authorization: Bearer {token}\r\n")).ShouldBe(200);
        Api.Upstream.LastCall.Target.ShouldBe(forwarded);
    }

    [Theory]
    [InlineData("get")]
    [InlineData("Get")]
    [InlineData("TRACE")]
    [InlineData("DELETE")]
    public async Task A_method_that_is_not_sold_is_not_served(string method)
    {
        var answer = await RawHttp.SendAsync(Api.Gateway.Url, $"{method} /forecast/paris HTTP/1.1\r\nHost: {Api.Gateway.Url.Authority}\r\nConnection: close\r\n\r\n");
        RawHttp.StatusOf(answer).ShouldBeOneOf(400, 405);
    }
}
