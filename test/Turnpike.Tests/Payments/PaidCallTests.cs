using System.Net;
using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Protocols.X402;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Payments;

/// <summary>Calls paid by a proof, from the first 402 to the last retry.</summary>
public sealed class PaidCallTests : IDisposable
{
    private const string Signature = "PAYMENT-SIGNATURE", Target = "/forecast/paris";
    private readonly TestGate gate = new();

    public void Dispose() => gate.Dispose();

    [Fact]
    public async Task A_proof_buys_the_answer_and_a_receipt()
    {
        var told = await PaidAsync(await gate.ProofAsync());
        (told.Status, told.Body).ShouldBe((200, "sunny"));
        X402Header.DecodeReceipt(told.Headers["PAYMENT-RESPONSE"].ToString()).ShouldNotBeNull().ShouldSatisfyAllConditions(
            r => r.Success.ShouldBeTrue(), r => r.Transaction.ShouldBe("0xpaid"), r => r.Network.ShouldBe("eip155:84532"));
        told.Headers["Turnpike-Cost"].ToString().ShouldBe("0.01 USD");
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task An_MPP_credential_buys_the_answer_on_the_real_rail()
    {
        var terms = await gate.GetAsync(Target);
        var told = await gate.GetAsync(Target, ("Authorization", gate.PayMpp(terms)));
        (told.Status, told.Body).ShouldBe((200, "sunny"));
        told.Headers["Payment-Receipt"].ToString().ShouldNotBeEmpty();
        gate.Chain.Transfers.ShouldBe(1);
        told.Headers["Turnpike-Correlation"].ShouldBe(terms.Headers["Turnpike-Correlation"]);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task Whoever_lost_the_answer_gets_it_again_for_the_same_proof_even_after_it_expired()
    {
        var proof = await gate.ProofAsync();
        var first = await PaidAsync(proof);
        gate.Upstream.Says(() => ScriptedUpstream.Text("other"));
        gate.Time.Pass(TimeSpan.FromMinutes(14));
        var again = await PaidAsync(proof);
        (again.Status, again.Body).ShouldBe((200, "sunny"));
        again.Headers["PAYMENT-RESPONSE"].ShouldBe(first.Headers["PAYMENT-RESPONSE"]);
        gate.Time.Pass(TimeSpan.FromMinutes(2));
        var late = await PaidAsync(proof);
        (late.Status, late.Reason).ShouldBe((409, "already-delivered"));
        (gate.Rail.Settlements, gate.Upstream.Requests.Count).ShouldBe((1, 1));
    }

    [Fact]
    public async Task Fifty_copies_at_once_run_the_upstream_once()
    {
        var proof = await gate.ProofAsync();
        gate.Upstream.Answer = async (_, _) => { await Task.Delay(20); return ScriptedUpstream.Text("sunny"); };
        var all = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(() => PaidAsync(proof))));
        all.ShouldAllBe(t => t.Status == 200 && t.Body == "sunny" || t.Reason == "in-flight");
        all.ShouldContain(t => t.Status == 200);
        (gate.Rail.Settlements, gate.Upstream.Requests.Count).ShouldBe((1, 1));
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_proof_does_not_open_another_operation_of_the_same_price()
    {
        var proof = await gate.ProofAsync();
        (await gate.GetAsync("/history/paris", (Signature, proof))).Reason.ShouldBe("wrong-resource");
        (await gate.GetAsync("/forecast/rome", (Signature, proof))).Reason.ShouldBe("wrong-resource");
        (await gate.GetAsync(Target + "?days=9", (Signature, proof))).Reason.ShouldBe("wrong-resource");
        gate.Upstream.Requests.ShouldBeEmpty();
        (await PaidAsync(proof)).Status.ShouldBe(200, "nothing was spent by the refusals");
        (await gate.GetAsync("/history/paris", (Signature, proof))).Reason.ShouldBe("credential-used");
    }

    [Fact]
    public async Task Sealed_terms_alone_bind_it_where_a_client_echoes_no_resource()
    {
        var proof = await gate.ProofAsync(change: p => p with { Resource = null });
        (await gate.GetAsync("/history/paris", (Signature, proof))).Reason.ShouldBe("wrong-resource");
        (await PaidAsync(proof)).Status.ShouldBe(200);
    }

    [Fact]
    public async Task Terms_that_were_changed_or_are_not_ours_are_refused()
    {
        var proof = await gate.ProofAsync(change: p => p with { Extensions = Other(p, terms => (terms[0] == 'A' ? 'B' : 'A') + terms[1..]) });
        (await PaidAsync(proof)).Reason.ShouldBe("malformed-credential");
        var foreign = new TermsSeal([new byte[32]]);
        var ours = new TermsSeal([[.. Enumerable.Repeat((byte)7, 32)]]);
        proof = await gate.ProofAsync(change: p => p with { Extensions = Other(p, terms => foreign.Seal(ours.Open(terms)!)) });
        (await PaidAsync(proof)).Reason.ShouldBe("malformed-credential");
    }

    [Fact]
    public async Task Terms_that_have_run_out_are_refused()
    {
        var terms = await gate.GetAsync(Target);
        gate.Time.Pass(TimeSpan.FromMinutes(5) + TimeSpan.FromSeconds(1));
        (await PaidAsync(gate.Pay(terms))).Reason.ShouldBe("payment-expired");
    }

    [Fact]
    public async Task A_proof_for_one_body_does_not_buy_another()
    {
        var ask = new Ask("POST", "/reports") { Body = "{\"a\":1}" };
        var proof = gate.Pay(await gate.SendAsync(ask));
        (await gate.SendAsync(ask.With((Signature, proof)) with { Body = "{\"a\":2}" })).Reason.ShouldBe("wrong-resource");
        (await gate.SendAsync(ask.With((Signature, proof)))).Status.ShouldBe(200);
        gate.Upstream.Requests.Single().Body.ShouldBe("{\"a\":1}");
    }

    [Fact]
    public async Task A_proof_in_the_older_form_buys_as_well_and_is_answered_in_it()
    {
        var proof = TestGate.Older(await gate.ProofAsync());
        var told = await gate.GetAsync(Target, ("X-PAYMENT", proof));
        told.Status.ShouldBe(200);
        told.Headers.ContainsKey("PAYMENT-RESPONSE").ShouldBeFalse();
        X402Header.DecodeReceipt(told.Headers["X-PAYMENT-RESPONSE"].ToString()).ShouldNotBeNull().Network.ShouldBe("base-sepolia");
        (await gate.GetAsync("/history/paris", ("X-PAYMENT", proof))).Reason.ShouldBe("credential-used");
        (await gate.SendAsync(new Ask("GET", Target, ("X-PAYMENT", proof)) { Address = "192.0.2.9" })).Reason.ShouldBe("credential-used", "all of it is public on the chain by now");
    }

    public static TheoryData<string, int> Undelivered => new() { { "500", 500 }, { "404", 404 }, { "drop", 502 }, { "down", 503 }, { "timeout", 504 }, { "402", 502 } };

    [Theory]
    [MemberData(nameof(Undelivered))]
    public async Task What_the_upstream_does_not_deliver_is_not_charged_and_the_proof_works_again(string how, int status)
    {
        var proof = await gate.ProofAsync();
        gate.Upstream.Says(() => how switch
        {
            "500" => ScriptedUpstream.Text("broken", HttpStatusCode.InternalServerError),
            "404" => ScriptedUpstream.Text("no such city", HttpStatusCode.NotFound),
            "402" => ScriptedUpstream.Text("pay me", HttpStatusCode.PaymentRequired),
            "drop" => throw new HttpRequestException(HttpRequestError.ResponseEnded),
            "down" => throw new HttpRequestException(HttpRequestError.ConnectionError),
            _ => throw new TaskCanceledException(),
        });
        var told = await PaidAsync(proof);
        told.Status.ShouldBe(status);
        told.Headers["Turnpike-Cost"].ToString().ShouldBeOneOf("0.00 USD", "");
        told.Headers.ContainsKey("PAYMENT-RESPONSE").ShouldBeFalse();
        (gate.Rail.Settlements, (await gate.Ledger.ListAsync(new HoldFilter(), default)).Single().Status).ShouldBe((0, HoldStatus.Released));
        gate.Upstream.Says(() => ScriptedUpstream.Text("sunny"));
        (await PaidAsync(proof)).Status.ShouldBe(200);
        gate.Rail.Settlements.ShouldBe(1);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_settlement_that_fails_gives_nothing_of_the_answer_away_and_is_remembered()
    {
        gate.Upstream.Says(() => { var answer = ScriptedUpstream.Text("the secret forecast"); answer.Headers.Add("X-Forecast", "rain"); return answer; });
        gate.Rail.Settle = static _ => new(new Settlement.Failed("insufficient_funds", "The money is gone."));
        var told = await PaidAsync(await gate.ProofAsync());
        (told.Status, told.Reason).ShouldBe((402, "settlement-failed"));
        told.Body.ShouldNotContain("secret forecast");
        told.Headers.ContainsKey("X-Forecast").ShouldBeFalse();
        X402Header.DecodeReceipt(told.Headers["PAYMENT-RESPONSE"].ToString()).ShouldNotBeNull().ShouldSatisfyAllConditions(r => r.Success.ShouldBeFalse(), r => r.ErrorReason.ShouldBe("insufficient_funds"));
        X402Header.DecodeTerms(told.Headers["PAYMENT-REQUIRED"].ToString()).ShouldNotBeNull();
        (await gate.Ledger.AvailableAsync(Loss.Account(TestGate.PayerAccount), "USD", default)).ToString().ShouldBe("0.01 USD");

        var settledBefore = false;
        gate.Rail.Settle = _ => { settledBefore = gate.Upstream.Requests.Count == 1; return new(new Settlement.Settled("0xpaid", "10000")); };
        (await PaidAsync(await gate.ProofAsync())).Status.ShouldBe(200);
        settledBefore.ShouldBeTrue("this payer pays before the upstream works from now on");
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task Where_the_owner_wants_it_money_comes_before_work()
    {
        gate.Rail.Settle = static _ => new(new Settlement.Failed("insufficient_funds", "The money is gone."));
        (await gate.GetAsync("/early", (Signature, await gate.ProofAsync("/early")))).Reason.ShouldBe("settlement-failed");
        gate.Upstream.Requests.ShouldBeEmpty();
        (await gate.Ledger.AvailableAsync(Loss.Account(TestGate.PayerAccount), "USD", default)).IsZero.ShouldBeTrue();
    }

    [Fact]
    public async Task An_unknown_settlement_is_503_until_the_settler_knows_and_then_the_retry_is_served_from_credit()
    {
        gate.Rail.Settle = static _ => new(new Settlement.Unknown("0xsent", "No receipt yet."));
        var proof = await gate.ProofAsync();
        var told = await PaidAsync(proof);
        (told.Status, told.Reason).ShouldBe((503, "settlement-unknown"));
        told.Headers.RetryAfter.ToString().ShouldBe("5");
        told.Headers.ContainsKey("PAYMENT-REQUIRED").ShouldBeFalse("nobody shall pay twice");
        told.Body.ShouldNotContain("sunny");
        (await PaidAsync(proof)).Reason.ShouldBe("settlement-unknown");

        gate.Rail.Settle = static _ => new(new Settlement.Settled("0xsent", "10000"));
        await gate.Of<Settler>().RoundAsync(default);
        await gate.Of<Settler>().RoundAsync(default);
        (await gate.CreditAsync()).ToString().ShouldBe("0.01 USD");
        var served = await PaidAsync(proof);
        (served.Status, served.Body).ShouldBe((200, "sunny"));
        (await gate.CreditAsync()).IsZero.ShouldBeTrue();
        (await PaidAsync(proof)).Body.ShouldBe("sunny");
        (gate.Upstream.Requests.Count, gate.Rail.Settlements).ShouldBe((2, 2));
        await gate.ShouldBalanceAsync();
    }

    /// <summary>Whoever settles for us says no, and the money comes all the same.</summary>
    [Fact]
    public async Task A_no_that_nothing_proves_is_told_with_fresh_terms_and_money_that_comes_all_the_same_is_the_payers_credit()
    {
        gate.Rail.Settle = static _ => new(new Settlement.Unknown(null, "The payer's balance does not cover it.") { Refused = "insufficient_funds" });
        var proof = await gate.ProofAsync();
        var told = await PaidAsync(proof);
        (told.Status, told.Reason).ShouldBe((402, "settlement-failed"));
        told.Headers.ContainsKey("PAYMENT-REQUIRED").ShouldBeTrue();
        told.Body.ShouldNotContain("sunny");
        (await PaidAsync(proof)).Reason.ShouldBe("settlement-unknown", "the same authorization is being looked after");
        gate.Rail.Settlements.ShouldBe(1);

        gate.Rail.Settle = static _ => new(new Settlement.Settled("0xafter-all", "10000"));
        await gate.Of<Settler>().RoundAsync(default);
        await gate.Of<Settler>().RoundAsync(default);
        (await gate.CreditAsync()).ToString().ShouldBe("0.01 USD");
        (await PaidAsync(proof)).Body.ShouldBe("sunny");
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_copy_that_comes_while_the_answer_streams_is_409_and_buys_no_second_answer()
    {
        using var gate = new TestGate();
        var proof = await gate.ProofAsync();
        var (started, finish) = (new TaskCompletionSource(), new TaskCompletionSource());
        gate.Upstream.Says(() => new HttpResponseMessage(System.Net.HttpStatusCode.OK) { Content = new StreamContent(new SlowBody(started, finish.Task)) });
        var first = gate.GetAsync("/forecast/paris", ("PAYMENT-SIGNATURE", proof));
        await started.Task.WaitAsync(TimeSpan.FromMinutes(1));
        (await gate.GetAsync("/forecast/paris", ("PAYMENT-SIGNATURE", proof))).Reason.ShouldBe("in-flight");
        finish.SetResult();
        (await first).Status.ShouldBe(200);
        (await gate.GetAsync("/forecast/paris", ("PAYMENT-SIGNATURE", proof))).Body.ShouldBe("sunny");
        gate.Upstream.Requests.Count.ShouldBe(1);
        (await gate.CreditAsync()).Units.ShouldBe(0);
        await gate.ShouldBalanceAsync();
    }

    /// <summary>Its first byte comes at once, and the rest when the test says so.</summary>
    private sealed class SlowBody(TaskCompletionSource started, Task finish) : MemoryStream
    {
        private int at;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (buffer.IsEmpty || at == 5) return 0;
            if (at == 1)
            {
                started.TrySetResult();
                await finish.WaitAsync(cancellationToken);
            }
            buffer.Span[0] = (byte)"sunny"[at++];
            return 1;
        }
    }

    [Fact]
    public async Task An_answer_that_breaks_off_after_settling_becomes_credit_that_pays_the_retry()
    {
        gate.Upstream.Says(() => new HttpResponseMessage { Content = new Pieces("half"u8.ToArray(), null) });
        var proof = await gate.ProofAsync();
        (await PaidAsync(proof)).Aborted.ShouldBeTrue();
        (await gate.CreditAsync()).ToString().ShouldBe("0.01 USD");
        gate.Upstream.Says(() => ScriptedUpstream.Text("whole"));
        (await PaidAsync(proof)).Body.ShouldBe("whole");
        (await gate.CreditAsync()).IsZero.ShouldBeTrue();
        gate.Rail.Settlements.ShouldBe(1);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task An_answer_that_breaks_off_before_its_first_byte_is_told_and_the_proof_works_again()
    {
        gate.Upstream.Says(() => new HttpResponseMessage { Content = new Pieces([null]) });
        var proof = await gate.ProofAsync();
        var told = await PaidAsync(proof);
        (told.Status, told.Reason, told.Headers.ContainsKey("PAYMENT-RESPONSE")).ShouldBe((502, "upstream-failed", false));
        gate.Upstream.Says(() => ScriptedUpstream.Text("whole"));
        (await PaidAsync(proof)).Body.ShouldBe("whole");
        gate.Rail.Settlements.ShouldBe(1);
    }

    [Fact]
    public async Task A_caller_who_breaks_off_mid_answer_has_paid_and_is_never_replayed_half_of_it()
    {
        gate.Upstream.Says(() => new HttpResponseMessage { Content = new Pieces("first "u8.ToArray(), "second "u8.ToArray(), "third"u8.ToArray()) });
        var proof = await gate.ProofAsync();
        await gate.SendAsync(new Ask("GET", Target, (Signature, proof)) { Breaks = true });
        var hold = (await gate.Ledger.ListAsync(new HoldFilter(), default)).Single();
        (hold.Status, hold.Outcome).ShouldBe((HoldStatus.Settled, HoldOutcome.Delivered));
        (await gate.CreditAsync()).IsZero.ShouldBeTrue();
        (await PaidAsync(proof)).Reason.ShouldBe("already-delivered");
    }

    [Fact]
    public async Task A_price_change_does_not_break_terms_already_given()
    {
        var terms = await gate.GetAsync(Target);
        gate.Edit("price: 0.01 USD }\n      history", "price: 0.02 USD }\n      history");
        var told = await PaidAsync(gate.Pay(terms));
        (told.Status, told.Headers["Turnpike-Cost"].ToString()).ShouldBe((200, "0.01 USD"));
        (await gate.GetAsync(Target)).Json.GetProperty("price").GetProperty("amount").GetString().ShouldBe("0.02");
        gate.Time.Pass(TimeSpan.FromMinutes(6));
        (await PaidAsync(gate.Pay(terms))).Status.ShouldBe(402);
    }

    [Fact]
    public async Task A_caller_who_leaves_before_collection_is_not_charged()
    {
        using var leaving = new CancellationTokenSource();
        var proof = await gate.ProofAsync();
        gate.Upstream.Answer = async (_, ct) => { await leaving.CancelAsync(); await Task.Delay(Timeout.Infinite, ct); throw new InvalidOperationException(); };
        await gate.SendAsync(new Ask("GET", Target, (Signature, proof)) { Leaves = leaving.Token });
        (await gate.Ledger.ListAsync(new HoldFilter(), default)).Single().Status.ShouldBe(HoldStatus.Released);
        gate.Rail.Settlements.ShouldBe(0);
    }

    private Task<Told> PaidAsync(string proof) => gate.GetAsync(Target, (Signature, proof));

    private static System.Text.Json.JsonElement Other(PaymentPayload payment, Func<string, string> change)
    {
        var terms = payment.Extensions!.Value.GetProperty("turnpike").GetProperty("info").GetProperty("terms").GetString()!;
        return System.Text.Json.JsonDocument.Parse(payment.Extensions.Value.GetRawText().Replace(terms, change(terms), StringComparison.Ordinal)).RootElement;
    }
}
