using System.Text.Json;
using System.Text.Json.Nodes;
using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Protocols.X402;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Payments.Retries;

/// <summary>A payer who signs anew after a lost answer gets that answer, and pays once; a key that means two things is refused.</summary>
public sealed class RetryKeysTests
{
    private const string Signature = "PAYMENT-SIGNATURE", Target = "/forecast/paris", Name = "pay_7d5d747be160e280504c099d984bcfe0";

    internal static PaymentPayload Named(PaymentPayload payment, JsonNode? id)
    {
        var extensions = JsonNode.Parse(payment.Extensions!.Value.GetRawText())!;
        extensions["payment-identifier"]!["info"]!["id"] = id;
        return payment with { Extensions = JsonSerializer.SerializeToElement(extensions) };
    }

    private static async Task<Told> PayAsync(TestGate gate, string key, string target = Target) => await gate.GetAsync(target, (Signature, await gate.ProofAsync(target)), ("Idempotency-Key", key));

    [Theory]
    [InlineData("\"order-7\"", "order-7")]
    [InlineData("order-7", "\"order-7\"")]
    public async Task A_fresh_proof_under_the_same_key_gets_the_first_answer_and_is_not_taken(string first, string second)
    {
        using var gate = new TestGate();
        var (paid, again) = (await PayAsync(gate, first), await PayAsync(gate, second));
        (again.Status, again.Body).ShouldBe((200, paid.Body));
        foreach (var header in (string[])["Turnpike-Receipt", "PAYMENT-RESPONSE", "Turnpike-Correlation", "Turnpike-Answer-Until"]) again.Headers[header].ShouldBe(paid.Headers[header]);
        paid.Headers["Turnpike-Answer-Until"].ToString().ShouldBe(gate.Time.GetUtcNow().AddMinutes(15).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", null));
        gate.Rail.Settlements.ShouldBe(1);
        gate.Upstream.Requests.Count.ShouldBe(1);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task The_same_by_mpp_which_names_its_payer_by_the_same_wallet()
    {
        using var gate = new TestGate();
        var paid = await PayAsync(gate, "k");
        var again = await gate.GetAsync(Target, ("Authorization", gate.PayMpp(await gate.GetAsync(Target))), ("Idempotency-Key", "k"));
        (again.Status, again.Headers["Turnpike-Receipt"]).ShouldBe((200, paid.Headers["Turnpike-Receipt"]));
        gate.Upstream.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task The_key_with_another_request_or_body_is_422_and_takes_nothing()
    {
        using var gate = new TestGate();
        await PayAsync(gate, "k");
        (await PayAsync(gate, "k", "/history/paris")).Reason.ShouldBe("idempotency-key-reused");
        async Task<Told> PostAsync(string body)
        {
            var ask = new Ask("POST", "/reports") { Body = body };
            return await gate.SendAsync(ask.With((Signature, gate.Pay(await gate.SendAsync(ask))), ("Idempotency-Key", "r")));
        }
        (await PostAsync("a")).Status.ShouldBe(200);
        (await PostAsync("b")).Status.ShouldBe(422);
        (await PostAsync("a")).Status.ShouldBe(200);
        gate.Rail.Settlements.ShouldBe(2);
        (await PayAsync(gate, "\"not closed")).Status.ShouldBe(400);
    }

    [Fact]
    public async Task Two_proofs_at_once_under_one_key_are_one_call()
    {
        using var gate = new TestGate();
        var (begun, goOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        gate.Upstream.Answer = async (_, _) => { begun.TrySetResult(); await goOn.Task; return ScriptedUpstream.Text("sunny"); };
        var first = PayAsync(gate, "k");
        await begun.Task.WaitAsync(TimeSpan.FromMinutes(1));
        var busy = await PayAsync(gate, "k");
        (busy.Status, busy.Reason, busy.Headers.RetryAfter.ToString()).ShouldBe((409, "in-flight", "1"));
        goOn.SetResult();
        (await first).Status.ShouldBe(200);
        var all = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => PayAsync(gate, "k")));
        all.ShouldAllBe(told => told.Status == 200);
        gate.Rail.Settlements.ShouldBe(1);
    }

    [Fact]
    public async Task While_the_first_is_unknown_the_second_is_503_and_when_it_is_released_the_second_pays()
    {
        using var gate = new TestGate();
        gate.Rail.Settle = static _ => new(new Settlement.Unknown("0xsent", "No receipt yet."));
        (await PayAsync(gate, "k")).Reason.ShouldBe("settlement-unknown");
        var waiting = await PayAsync(gate, "k");
        (waiting.Reason, waiting.Headers.ContainsKey("PAYMENT-RESPONSE")).ShouldBe(("settlement-unknown", true));
        gate.Rail.Settlements.ShouldBe(1);

        gate.Rail.Settle = static _ => new(new Settlement.Failed("expired", "Too late."));
        gate.Time.Pass(TimeSpan.FromMinutes(10));
        await gate.Of<Settler>().RoundAsync(default);
        gate.Rail.Settle = static _ => new(new Settlement.Settled("0xpaid", "10000"));
        (await PayAsync(gate, "k")).Status.ShouldBe(200);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task What_was_not_delivered_under_a_key_may_be_paid_for_anew_under_it()
    {
        using var gate = new TestGate();
        gate.Upstream.Says(() => ScriptedUpstream.Text("no", System.Net.HttpStatusCode.InternalServerError));
        (await PayAsync(gate, "k")).Status.ShouldBe(500);
        gate.Upstream.Says(() => ScriptedUpstream.Text("sunny"));
        (await PayAsync(gate, "k")).Status.ShouldBe(200);
        gate.Rail.Settlements.ShouldBe(1);
    }

    [Fact]
    public async Task The_terms_offer_payment_identifiers_and_the_same_payload_gets_the_stored_answer()
    {
        using var gate = new TestGate();
        var terms = X402Header.DecodeTerms((await gate.GetAsync(Target)).Headers["PAYMENT-REQUIRED"].ToString())!;
        terms.Extensions!.Value.GetProperty("payment-identifier").GetProperty("info").GetProperty("required").GetBoolean().ShouldBeFalse();
        var proof = await gate.ProofAsync(change: p => Named(p, Name));
        var paid = await gate.GetAsync(Target, (Signature, proof));
        var again = await gate.GetAsync(Target, (Signature, proof));
        (paid.Status, again.Status, again.Headers["PAYMENT-RESPONSE"]).ShouldBe((200, 200, paid.Headers["PAYMENT-RESPONSE"]));
        var other = await gate.GetAsync(Target, (Signature, await gate.ProofAsync(change: p => Named(p, Name))));
        (other.Status, other.Reason).ShouldBe((409, "payment-identifier-reused"));
        gate.Rail.Settlements.ShouldBe(1);
    }

    [Theory]
    [InlineData("too-short")]
    [InlineData("pay_with a space in it")]
    [InlineData("pay_7d5d747be160e280504c099d984bcfe07d5d747be160e280504c099d984bcfe07d5d747be160e280504c099d984bcfe07d5d747be160e280504c099d984bcfe0")]
    public async Task An_identifier_that_is_none_is_400(string id)
    {
        using var gate = new TestGate();
        (await gate.GetAsync(Target, (Signature, await gate.ProofAsync(change: p => Named(p, id))))).Status.ShouldBe(400);
    }

    [Fact]
    public async Task Where_the_owner_asks_for_an_identifier_a_payment_without_one_is_400()
    {
        using var gate = new TestGate(document: TestGate.Document.Replace("x402: {}", "x402: { payment-identifier-required: true }", StringComparison.Ordinal));
        (await gate.GetAsync(Target, (Signature, await gate.ProofAsync()))).Status.ShouldBe(400);
        (await gate.GetAsync(Target, (Signature, await gate.ProofAsync(change: p => Named(p, 7))))).Status.ShouldBe(400);
        (await gate.GetAsync(Target, (Signature, await gate.ProofAsync(change: p => Named(p, Name))))).Status.ShouldBe(200);
        gate.Rail.Settlements.ShouldBe(1);
    }
}
