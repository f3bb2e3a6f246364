using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Identity;

/// <summary>Who asks: a key that is presented is checked even where none is needed.</summary>
public sealed class CallerDirectoryTests : IDisposable
{
    private readonly TestGate gate = new();

    public void Dispose() => gate.Dispose();

    [Theory]
    [InlineData("apikey", "k1")]
    [InlineData("x-api-key", "k1")]
    [InlineData("x-goog-api-key", "k1")]
    [InlineData("Authorization", "Bearer k1")]
    [InlineData("Authorization", "bearer k1")]
    public async Task A_key_nobody_has_is_refused_even_at_a_free_operation(string header, string value)
    {
        var told = await gate.GetAsync("/status", (header, value));
        (told.Status, told.Reason).ShouldBe((401, "unknown-key"));
        told.Headers.WWWAuthenticate.ToString().ShouldStartWith("Bearer realm=");
        gate.Upstream.Requests.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("Authorization", "Bearer tp_whatever")]
    [InlineData("Authorization", "Payment abc")]
    [InlineData("Payment-Authorization", "Payment abc")]
    public async Task Payments_are_not_keys(string header, string value) =>
        (await gate.GetAsync("/status", (header, value))).Status.ShouldBe(200);

    [Fact]
    public async Task Where_identity_is_required_nobody_is_told_a_price()
    {
        using var strict = new TestGate(document: TestGate.Document.Replace("price: free", "price: 0.01 USD, identity: required", StringComparison.Ordinal));
        var told = await strict.GetAsync("/status");
        (told.Status, told.Reason).ShouldBe((401, "identity-required"));
        told.Headers.ContainsKey("PAYMENT-REQUIRED").ShouldBeFalse();
    }

    [Fact]
    public async Task Where_the_upstream_checks_identity_its_credential_gets_through()
    {
        using var theirs = new TestGate(document: TestGate.Document.Replace("price: free", "price: free, identity: upstream", StringComparison.Ordinal));
        (await theirs.GetAsync("/status", ("Authorization", "Bearer theirs"))).Status.ShouldBe(200);
        theirs.Upstream.Requests.Single().Headers["Authorization"].ShouldBe("Bearer theirs");
    }
}
