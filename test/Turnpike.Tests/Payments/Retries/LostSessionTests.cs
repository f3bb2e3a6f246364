using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Payments.Retries;

/// <summary>A session whose first answer was lost and is not kept any more: its own payment shows it again.</summary>
public sealed class LostSessionTests : IDisposable
{
    private const string Lounge = "/lounge/a";
    private readonly TestGate gate = new("callers: { named: {} }\n", TestGate.Document
        .Replace("      forecast:", "      lounge: { match: \"GET /lounge/{room}\", price: { per-session: 0.50 USD, lasts: 1h } }\n      forecast:", StringComparison.Ordinal));

    public void Dispose() => gate.Dispose();

    [Theory]
    [InlineData("x402")]
    [InlineData("mpp")]
    [InlineData("v1")]
    [InlineData("token")]
    public async Task The_payment_that_bought_it_is_told_it_with_the_receipt_until_it_ends(string how)
    {
        var proof = await PaymentAsync(how);
        var first = await gate.GetAsync(Lounge, proof);
        gate.Time.Pass(TimeSpan.FromMinutes(20));
        var told = await gate.GetAsync(Lounge, proof);
        (told.Status, told.Reason, told.Headers["Turnpike-Session"].ToString(), told.Headers["Turnpike-Session-Until"].ToString())
            .ShouldBe((409, "already-delivered", first.Headers["Turnpike-Session"].ToString(), "2026-11-21T13:00:00Z"));
        (await gate.GetAsync("/lounge/b", ("Turnpike-Session", told.Headers["Turnpike-Session"].ToString()))).Status.ShouldBe(200);
        gate.Time.Pass(TimeSpan.FromMinutes(40));
        var late = await gate.GetAsync(Lounge, proof);
        (late.Reason, late.Headers.ContainsKey("Turnpike-Session"), late.Headers.ContainsKey("Turnpike-Session-Until")).ShouldBe(("already-delivered", false, false));
    }

    /// <summary>By terms it is known what was sold; without them only while the document is that of the sale.</summary>
    [Theory]
    [InlineData("x402", "{ per-session: 0.60 USD, lasts: 1d }", true)]
    [InlineData("mpp", "0.02 USD", true)]
    [InlineData("v1", "{ per-session: 0.60 USD, lasts: 1d }", false)]
    [InlineData("v1", "0.02 USD", false)]
    [InlineData("token", "{ per-session: 0.60 USD, lasts: 1d }", false)]
    public async Task It_is_the_one_that_was_sold_or_none(string how, string since, bool known)
    {
        var proof = await PaymentAsync(how);
        var first = await gate.GetAsync(Lounge, proof);
        gate.Edit("{ per-session: 0.50 USD, lasts: 1h }", since);
        gate.Time.Pass(TimeSpan.FromMinutes(20));
        var told = await gate.GetAsync(Lounge, proof);
        (told.Reason, told.Headers["Turnpike-Session"].ToString()).ShouldBe(("already-delivered", known ? first.Headers["Turnpike-Session"].ToString() : ""));
    }

    [Fact]
    public async Task A_payment_for_a_call_is_told_none_where_sessions_are_sold_by_now()
    {
        gate.Edit("{ per-session: 0.50 USD, lasts: 1h }", "0.02 USD");
        var (modern, older) = (await ProofAsync("x402"), await ProofAsync("v1"));
        foreach (var proof in new[] { modern, older }) (await gate.GetAsync(Lounge, proof)).Status.ShouldBe(200);
        gate.Edit("/lounge/{room}\", price: 0.02 USD", "/lounge/{room}\", price: { per-session: 0.50 USD, lasts: 1h }");
        gate.Time.Pass(TimeSpan.FromMinutes(20));
        foreach (var proof in new[] { modern, older })
        {
            var told = await gate.GetAsync(Lounge, proof);
            (told.Reason, told.Headers.ContainsKey("Turnpike-Session")).ShouldBe(("already-delivered", false));
        }
    }

    /// <summary>The attack: somebody has seen the proof, and shows it; what they get is sealed for whoever bought it.</summary>
    [Fact]
    public async Task It_stays_the_buyers_whoever_shows_the_payment()
    {
        var (agent, other) = (("apikey", (string?)await gate.KeyAsync("agent")), ("apikey", (string?)await gate.KeyAsync("other")));
        var proof = ("PAYMENT-SIGNATURE", gate.Pay(await gate.GetAsync(Lounge, agent)));
        var first = await gate.GetAsync(Lounge, agent, proof);
        gate.Time.Pass(TimeSpan.FromMinutes(20));
        var told = await gate.GetAsync(Lounge, other, proof);
        var pass = ("Turnpike-Session", told.Headers["Turnpike-Session"].ToString());
        pass.Item2.ShouldBe(first.Headers["Turnpike-Session"].ToString());
        (await gate.GetAsync(Lounge, other, pass)).Reason.ShouldBe("session-ended");
        (await gate.GetAsync(Lounge, agent, pass)).Status.ShouldBe(200);
    }

    [Fact]
    public async Task Another_payment_under_the_same_key_is_told_the_receipt_alone()
    {
        var key = ("Idempotency-Key", (string?)"k");
        (await gate.GetAsync(Lounge, await ProofAsync("x402"), key)).Status.ShouldBe(200);
        gate.Time.Pass(TimeSpan.FromMinutes(20));
        var told = await gate.GetAsync(Lounge, await ProofAsync("x402"), key);
        (told.Reason, told.Headers.ContainsKey("Turnpike-Receipt"), told.Headers.ContainsKey("Turnpike-Session")).ShouldBe(("already-delivered", true, false));
    }

    /// <summary>What is sent to pay; a token has a name for its call, or nobody could ask for it again.</summary>
    private async Task<(string, string?)[]> PaymentAsync(string how) => how == "token" ? [("Authorization", await gate.TokenAsync()), ("Idempotency-Key", "k")] : [await ProofAsync(how)];

    private async Task<(string, string?)> ProofAsync(string how)
    {
        var terms = await gate.GetAsync(Lounge);
        return how switch
        {
            "x402" => ("PAYMENT-SIGNATURE", gate.Pay(terms)),
            "v1" => ("X-PAYMENT", TestGate.Older(gate.Pay(terms))),
            _ => ("Authorization", gate.PayMpp(terms)),
        };
    }
}
