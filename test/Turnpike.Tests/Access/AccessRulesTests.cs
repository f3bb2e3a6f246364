using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Access;

/// <summary>May this be done at all: before any price is told.</summary>
public sealed class AccessRulesTests : IDisposable
{
    private readonly TestGate gate = new();

    public void Dispose() => gate.Dispose();

    [Fact]
    public async Task Payment_over_plain_http_from_afar_is_refused_before_terms()
    {
        var told = await gate.SendAsync(new Ask("GET", "/forecast/paris") { Address = "192.0.2.7", Tls = false });
        (told.Status, told.Reason).ShouldBe((403, "insecure-transport"));
        told.Headers.ContainsKey("PAYMENT-REQUIRED").ShouldBeFalse();
    }

    [Theory]
    [InlineData("192.0.2.7", true, "/forecast/paris", 402)]
    [InlineData("127.0.0.1", false, "/forecast/paris", 402)]
    [InlineData("::1", false, "/forecast/paris", 402)]
    [InlineData("192.0.2.7", false, "/status", 200)]
    public async Task Tls_loopback_and_what_is_free_pass(string address, bool tls, string target, int status) =>
        (await gate.SendAsync(new Ask("GET", target) { Address = address, Tls = tls })).Status.ShouldBe(status);

    [Fact]
    public async Task An_owner_may_allow_plain_http()
    {
        using var open = new TestGate("gateway: { insecure: true }\n");
        (await open.SendAsync(new Ask("GET", "/forecast/paris") { Address = "192.0.2.7", Tls = false })).Status.ShouldBe(402);
    }

    [Fact]
    public async Task Only_a_listed_proxy_may_say_that_a_call_came_by_tls()
    {
        using var behind = new TestGate("gateway: { trusted-proxies: [192.0.2.0/24] }\n");
        var ask = new Ask("GET", "/forecast/paris", ("X-Forwarded-Proto", "https"), ("X-Forwarded-For", "203.0.113.9")) { Tls = false };
        (await behind.SendAsync(ask with { Address = "192.0.2.1" })).Status.ShouldBe(402);
        (await behind.SendAsync(ask with { Address = "198.51.100.1" })).Status.ShouldBe(403);
    }
}
