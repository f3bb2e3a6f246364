using Turnpike.Tests.Catalog;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Payments;

/// <summary>What is sold while the document changes: terms hold until they expire, and for what they were given for.</summary>
public sealed class ChangedPriceTests : IDisposable
{
    private const string Call = "0.02 USD", Hour = "{ per-session: 0.50 USD, lasts: 1h }", Minute = "{ per-session: 0.50 USD, lasts: 1m }", Lounge = "/lounge/a";
    private static readonly (string, string?) Key = ("apikey", Documents.Variables["AGENT_KEY"]);
    private TestGate gate = null!; // made by each

    public void Dispose() => gate?.Dispose();

    /// <summary>With our terms in it or by their hash, and without any.</summary>
    public static TheoryData<string> Proofs => new("x402", "mpp", "bare", "v1");

    /// <summary>The attack: terms of a call, and an hour for them within the five minutes that they hold.</summary>
    [Theory]
    [MemberData(nameof(Proofs))]
    public async Task The_price_of_a_call_opens_no_session(string how)
    {
        Open(Call);
        var proof = await ProofAsync(how);
        gate.Edit(Call, Hour);
        var told = await gate.GetAsync(Lounge, proof);
        (told.Status, told.Headers.ContainsKey("Turnpike-Session"), gate.Upstream.Requests.Count).ShouldBe((402, false, 0));
        told.Json.GetProperty("price").GetProperty("unit").GetString().ShouldBe("session");
        told.Json.GetProperty("offers").GetArrayLength().ShouldBeGreaterThan(0);
        if (HasTerms(how)) told.Reason.ShouldBe("payment-expired");
        (gate.Rail.Settlements, gate.Chain.Transfers).ShouldBe((0, 0));
        gate.Edit(Hour, Call);
        (await gate.GetAsync(Lounge, proof)).Headers["Turnpike-Cost"].ToString().ShouldBe("0.02 USD", "they are good for what they were given for");
        await gate.ShouldBalanceAsync();
    }

    [Theory]
    [MemberData(nameof(Proofs))]
    public async Task The_price_of_a_session_is_not_taken_for_one_call(string how)
    {
        Open(Hour);
        var proof = await ProofAsync(how);
        gate.Edit(Hour, Call);
        var told = await gate.GetAsync(Lounge, proof);
        (told.Status, gate.Rail.Settlements, gate.Chain.Transfers, gate.Upstream.Requests.Count).ShouldBe((402, 0, 0, 0));
        if (HasTerms(how)) told.Reason.ShouldBe("payment-expired");
    }

    [Theory]
    [MemberData(nameof(Proofs))]
    public async Task A_session_lasts_as_long_as_the_one_that_was_told(string how)
    {
        Open(Hour);
        var proof = await ProofAsync(how);
        gate.Edit(Hour, Minute);
        (await UntilAsync(proof)).ShouldBe("2026-11-21T13:00:00Z");
        (await UntilAsync(await ProofAsync(how))).ShouldBe(HasTerms(how) ? "2026-11-21T12:01:00Z" : "2026-11-21T13:00:00Z", "without terms nobody knows which of the two it was");
        gate.Time.Pass(TimeSpan.FromMinutes(5) + TimeSpan.FromSeconds(1));
        (await UntilAsync(await ProofAsync(how))).ShouldBe("2026-11-21T12:06:01Z");
        await gate.ShouldBalanceAsync();
    }

    [Theory]
    [InlineData("x402")]
    [InlineData("mpp")]
    public async Task Nor_is_it_stretched_by_a_change(string how)
    {
        Open(Minute);
        var proof = await ProofAsync(how);
        gate.Edit(Minute, Hour);
        (await UntilAsync(proof)).ShouldBe("2026-11-21T12:01:00Z");
    }

    [Theory]
    [MemberData(nameof(Proofs))]
    public async Task A_session_is_sold_at_the_price_that_was_told_until_its_terms_expire(string how)
    {
        Open(Hour);
        var (proof, late) = (await ProofAsync(how), await ProofAsync(how));
        gate.Edit("0.50 USD", "0.60 USD");
        var told = await gate.GetAsync(Lounge, proof);
        (told.Status, told.Headers["Turnpike-Cost"].ToString(), told.Headers.ContainsKey("Turnpike-Session")).ShouldBe((200, "0.50 USD", true));
        gate.Time.Pass(TimeSpan.FromMinutes(5) + TimeSpan.FromSeconds(1));
        (await gate.GetAsync(Lounge, late)).Status.ShouldBe(402);
        await gate.ShouldBalanceAsync();
    }

    /// <summary>What was told is what a rule made of the old price: neither less, nor what it makes of the new one.</summary>
    [Theory]
    [InlineData("{ amount: 0.02 USD, rules: [{ hours: \"11:00-13:00\", percent: 50% }] }", "0.02 USD,", "0.03 USD,", "0.01 USD")]
    [InlineData("{ amount: 0.02 USD, rules: [{ hours: \"11:00-13:00\", percent: 50% }] }", "{ amount: 0.02 USD, rules: [{ hours: \"11:00-13:00\", percent: 50% }] }", "0.03 USD", "0.01 USD")]
    [InlineData("{ per-session: 0.50 USD, lasts: 1h, rules: [{ days: sat, percent: 50% }] }", "0.50 USD", "0.60 USD", "0.25 USD")]
    public async Task What_a_rule_made_of_the_old_price_still_buys(string price, string from, string to, string told)
    {
        Open(price);
        var proof = await ProofAsync("v1");
        gate.Edit(from, to);
        (await gate.GetAsync(Lounge, proof)).Headers["Turnpike-Cost"].ToString().ShouldBe(told);
    }

    /// <summary>The attack: a rule made large bodies dear, and nobody measures them any more.</summary>
    [Fact]
    public async Task What_nobody_looks_at_any_more_does_not_make_an_old_price_cheaper()
    {
        Open("{ amount: 0.02 USD, rules: [{ request-bytes: 10, percent: 300% }] }", "POST");
        var small = await gate.SendAsync(new Ask("POST", Lounge) { Body = "{}" });
        var (cheap, none) = (TestGate.Older(gate.Pay(small)), TestGate.Older(gate.Pay(await gate.SendAsync(new Ask("POST", Lounge)))));
        gate.Edit("{ amount: 0.02 USD, rules: [{ request-bytes: 10, percent: 300% }] }", "0.05 USD");
        (await gate.SendAsync(new Ask("POST", Lounge, ("X-PAYMENT", cheap)) { Body = "\"a large body\"" })).Status.ShouldBe(402);
        (await gate.SendAsync(new Ask("POST", Lounge, ("X-PAYMENT", none)))).Headers["Turnpike-Cost"].ToString().ShouldBe("0.02 USD", "it has no body");
    }

    /// <summary>The attack: a call that was paid and not delivered is the payer's credit, and pays its retry, which would open an hour.</summary>
    [Theory]
    [MemberData(nameof(Proofs))]
    public async Task What_was_paid_for_a_call_and_came_back_opens_no_session(string how)
    {
        Open(Call, settle: "before");
        var proof = await ProofAsync(how);
        await BreakAsync(proof);
        gate.Edit(Call, Hour);
        var told = await gate.GetAsync(Lounge, proof);
        (told.Status, told.Headers.ContainsKey("Turnpike-Session")).ShouldBe((HasTerms(how) ? 200 : 402, false), "what is bought by terms is the call they were for");
        if (how == "v1") told.Reason.ShouldBe("payment-expired");
        if (!HasTerms(how)) (await gate.CreditAsync()).ToString().ShouldBe("0.02 USD");
        await gate.ShouldBalanceAsync();
    }

    [Theory]
    [InlineData("x402", Minute)]
    [InlineData("mpp", Minute)]
    [InlineData("x402", Hour)]
    [InlineData("v1", Hour)]
    [InlineData("v1", "{ per-session: 0.60 USD, lasts: 1h }")]
    [InlineData("bare", Hour)]
    public async Task What_was_paid_for_a_session_and_came_back_opens_the_one_that_was_sold(string how, string since)
    {
        Open(Hour, settle: "before");
        var proof = await ProofAsync(how);
        await BreakAsync(proof);
        if (since != Hour) gate.Edit(Hour, since);
        (await UntilAsync(proof)).ShouldBe("2026-11-21T13:00:00Z");
        (await gate.CreditAsync()).IsZero.ShouldBeTrue();
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task Nor_does_a_token_whose_call_broke_open_one_at_the_price_of_that()
    {
        Open(Call, settle: "before");
        var token = ("Authorization", await gate.TokenAsync());
        await BreakAsync(token, ("Idempotency-Key", "k"));
        gate.Edit(Call, Hour);
        var told = await gate.GetAsync(Lounge, token, ("Idempotency-Key", "k"));
        (told.Status, told.Reason).ShouldBe((402, "payment-expired"));
        (await gate.GetAsync(Lounge, token, ("Idempotency-Key", "l"))).Headers["Turnpike-Remaining"].ToString().ShouldBe("0.50 USD");
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_token_whose_session_broke_opens_it_by_the_same_key()
    {
        Open(Hour, settle: "before");
        var token = ("Authorization", await gate.TokenAsync());
        await BreakAsync(token, ("Idempotency-Key", "k"));
        var told = await gate.GetAsync(Lounge, token, ("Idempotency-Key", "k"));
        (told.Status, told.Headers["Turnpike-Session-Until"].ToString(), told.Headers["Turnpike-Remaining"].ToString()).ShouldBe((200, "2026-11-21T13:00:00Z", "0.50 USD"));
    }

    /// <summary>What the plan did not cover is paid by what is presented, on the terms that it answers.</summary>
    [Theory]
    [MemberData(nameof(Proofs))]
    public async Task A_proof_beside_a_plan_that_is_used_up_pays_what_its_terms_say(string how)
    {
        Open(Call, more: "plans: { little: { includes: [{ amount: 1 requests, per: 1d, when-used-up: pay }] } }\ncallers: { agent: { plan: little, keys: [\"${env:AGENT_KEY}\"] } }\n");
        (await gate.GetAsync(Lounge, Key)).Headers["Turnpike-Cost"].ToString().ShouldBe("1 requests");
        var proof = await ProofAsync(how, Key);
        gate.Edit(Call, "0.03 USD");
        var told = await gate.GetAsync(Lounge, Key, proof);
        (told.Status, told.Headers["Turnpike-Cost"].ToString()).ShouldBe((200, "0.02 USD"), told.Body);
        await gate.ShouldBalanceAsync();
    }

    private void Open(string price, string method = "GET", string? settle = null, string more = "") => gate = new TestGate(more, TestGate.Document
        .Replace("      forecast:", $"      lounge: {{ match: \"{method} /lounge/{{room}}\", price: {price}{(settle is null ? "" : $", settle: {settle}")} }}\n      forecast:", StringComparison.Ordinal));

    private static bool HasTerms(string how) => how is "x402" or "mpp";

    private async Task<(string, string?)> ProofAsync(string how, params (string, string?)[] headers)
    {
        var terms = await gate.GetAsync(Lounge, headers);
        return how switch
        {
            "x402" => ("PAYMENT-SIGNATURE", gate.Pay(terms)),
            "bare" => ("PAYMENT-SIGNATURE", gate.Pay(terms, payment => payment with { Extensions = null })),
            "v1" => ("X-PAYMENT", TestGate.Older(gate.Pay(terms))),
            _ => (headers.Length > 0 ? "Payment-Authorization" : "Authorization", gate.PayMpp(terms)),
        };
    }

    /// <summary>Paid, and nothing delivered.</summary>
    private async Task BreakAsync(params (string, string?)[] headers)
    {
        gate.Upstream.Says(() => ScriptedUpstream.Text("broken", System.Net.HttpStatusCode.InternalServerError));
        (await gate.GetAsync(Lounge, headers)).Status.ShouldBe(500);
        gate.Upstream.Says(() => ScriptedUpstream.Text("sunny"));
    }

    private async Task<string> UntilAsync(params (string, string?)[] headers)
    {
        var told = await gate.GetAsync(Lounge, headers);
        told.Status.ShouldBe(200, told.Body);
        var again = await gate.GetAsync(Lounge, ("Turnpike-Session", told.Headers["Turnpike-Session"].ToString()));
        (again.Status, again.Headers.ContainsKey("Turnpike-Cost")).ShouldBe((200, false));
        return told.Headers["Turnpike-Session-Until"].ToString();
    }
}
