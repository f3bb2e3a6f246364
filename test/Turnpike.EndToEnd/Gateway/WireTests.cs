using System.Text;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Gateway;

/// <summary>Bytes of both directions that a gateway could lose, misread or be led astray by.</summary>
public sealed class WireTests(WireTests.Rig rig) : IClassFixture<WireTests.Rig>
{
    private const string Upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    private readonly RawUpstream upstream = rig.Upstream;

    private PaidApi Api => rig.Api!;

    /// <summary>The attack: what ends in a tunnel is never a delivered 2xx, so it would cost nothing for as long as it is open.</summary>
    [Fact]
    public async Task A_priced_call_never_becomes_a_tunnel()
    {
        var token = await Api.TokenAsync("1.00 USD");
        upstream.Says = $"HTTP/1.1 101 Switching Protocols\r\n{Upgrade}\r\n";
        var answer = await RawHttp.SendAsync(Api.Gateway.Url, $"GET /forecast/paris HTTP/1.1\r\nHost: {Api.Gateway.Url.Authority}\r\nAuthorization: Bearer {token}\r\n{Upgrade}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\nGET /status HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        RawHttp.StatusOf(answer).ShouldBe(502, answer);
        answer.ShouldNotContain("Upgrade: websocket");
        upstream.Asked.Last().ShouldNotContain("Upgrade: websocket");
        await UntouchedAsync(token);
    }

    [Fact]
    public async Task Headers_beyond_ASCII_pass_in_both_directions_byte_for_byte()
    {
        var zurich = Encoding.Latin1.GetString(Encoding.UTF8.GetBytes("Zürich 東京"));
        var token = await Api.TokenAsync("1.00 USD");
        upstream.Says = $"HTTP/1.1 200 OK\r\nContent-Disposition: attachment; filename={zurich}\r\nX-Old: Z\u00fcrich\r\nLocation: /{zurich}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
        var answer = await RawHttp.GetAsync(Api.Gateway.Url, "/forecast/paris", $"Authorization: Bearer {token}\r\nX-City: {zurich}\r\n");
        RawHttp.StatusOf(answer).ShouldBe(200, answer);
        answer.ShouldContain($"Content-Disposition: attachment; filename={zurich}\r\n");
        answer.ShouldContain("X-Old: Z\u00fcrich\r\n");
        answer.ShouldContain($"Location: /{zurich}\r\n");
        upstream.Asked.Last().ShouldContain($"X-City: {zurich}\r\n");
    }

    [Theory]
    [InlineData("099")]
    [InlineData("600")]
    [InlineData("999")]
    public async Task A_status_that_is_none_is_the_upstreams_failure(string status)
    {
        var token = await Api.TokenAsync("1.00 USD");
        upstream.Says = $"HTTP/1.1 {status} Odd\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
        var answer = await RawHttp.GetAsync(Api.Gateway.Url, "/forecast/paris", $"Authorization: Bearer {token}\r\n");
        RawHttp.StatusOf(answer).ShouldBe(502, answer);
        answer.ShouldContain("\"reason\":\"upstream-failed\"");
        await UntouchedAsync(token);
    }

    /// <summary>The attack: Kestrel undoes the chunks and leaves the rest coded, the header is stripped, and the upstream reads other bytes than were meant.</summary>
    [Theory]
    [InlineData("gzip, chunked")]
    [InlineData("identity, chunked")]
    [InlineData("chunked\r\nTransfer-Encoding: chunked")]
    public async Task A_body_in_another_transfer_coding_is_400(string coding)
    {
        var token = await Api.TokenAsync("5.00 USD");
        var before = upstream.Asked.Count;
        var answer = await RawHttp.SendAsync(Api.Gateway.Url, $"POST /reports HTTP/1.1\r\nHost: {Api.Gateway.Url.Authority}\r\nAuthorization: Bearer {token}\r\nTransfer-Encoding: {coding}\r\nConnection: close\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n");
        RawHttp.StatusOf(answer).ShouldBe(400, answer);
        upstream.Asked.Count.ShouldBe(before);
        await UntouchedAsync(token, "5.00");
    }

    [Theory]
    [InlineData("xn--")]
    [InlineData("xn--a.example")]
    [InlineData("xn--bcher-kva.example")]
    public async Task A_host_of_any_spelling_gets_the_terms(string host)
    {
        foreach (var target in (string[])["/forecast/paris", "/openapi.json"])
        {
            var answer = await RawHttp.SendAsync(Api.Gateway.Url, $"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
            RawHttp.StatusOf(answer).ShouldBe(target == "/openapi.json" ? 200 : 402, answer);
        }
    }

    private async Task UntouchedAsync(string token, string left = "1.00")
    {
        (await Api.CallAsync("/balance", headers: ("Authorization", $"Bearer {token}"))).Json["available"]!["amount"]!.GetValue<string>().ShouldBe(left);
        await Api.BooksBalanceAsync();
    }

    /// <summary>The gate before such an upstream.</summary>
    public sealed class Rig(Chain chain) : IAsyncLifetime
    {
        internal RawUpstream Upstream { get; } = new();

        internal PaidApi? Api { get; private set; }

        public async ValueTask InitializeAsync() => Api = await PaidApi.StartAsync(chain, ("UPSTREAM", Upstream.Url));

        public async ValueTask DisposeAsync()
        {
            if (Api is not null) await Api.DisposeAsync();
            await Upstream.DisposeAsync();
        }
    }
}
