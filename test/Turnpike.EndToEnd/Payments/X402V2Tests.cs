using System.Globalization;
using System.Net;
using Turnpike.Demo;
using Turnpike.EndToEnd.Harness;
using Turnpike.Protocols.Evm;

namespace Turnpike.EndToEnd.Payments;

/// <summary>x402 version 2, exact on EVM, settled on the local chain: @x402/fetch as the judge, and our own signer for what no honest client sends.</summary>
public sealed class X402V2Tests(PaidApiFixture fixture) : IClassFixture<PaidApiFixture>
{
    private PaidApi Api => fixture.Api;

    [Fact]
    public async Task X402_v2_fetch_pays_on_chain_and_gets_answer_and_receipt()
    {
        Api.Chain.Require();
        var before = await Api.EarnedAsync();
        var call = await Api.PayAsync("x402/pay-v2.mjs", "/forecast/paris");
        call.Error.ShouldBeNull();
        call.Status.ShouldBe(200, call.Body);
        call.Json["city"]!.GetValue<string>().ShouldBe("paris");
        call.Sent!.Value.Name.ShouldBe("payment-signature");
        var settled = call.Decoded("PAYMENT-RESPONSE");
        settled["success"]!.GetValue<bool>().ShouldBeTrue();
        settled["network"]!.GetValue<string>().ShouldBe("eip155:84532");
        settled["transaction"]!.GetValue<string>().ShouldMatch("^0x[0-9a-f]{64}$");
        settled["payer"]!.GetValue<string>().ShouldBe(Api.Parties.Payer.Address, StringCompareShould.IgnoreCase);
        (await Api.EarnedAsync() - before).ShouldBe(10_000);
        call.Headers["Cache-Control"].ShouldContain("private");
        call.Headers["Cache-Control"].ShouldContain("no-store");
        var receipt = await Api.CallAsync(new Uri(call.Headers["Turnpike-Receipt"]).PathAndQuery);
        receipt.Status.ShouldBe(HttpStatusCode.OK);
        receipt.Body.ShouldContain(settled["transaction"]!.GetValue<string>());
    }

    [Fact]
    public async Task The_upstream_gets_our_key_and_facts_and_never_the_credential()
    {
        Api.Chain.Require();
        var proof = ExactSigner.Pay(await Api.TermsAsync("/forecast/oslo"), Api.Parties.Payer);
        var answer = await Api.CallAsync("/forecast/oslo", headers: [("PAYMENT-SIGNATURE", proof), ("Turnpike-Payer", "somebody-else"), ("x-upstream-key", "guessed")]);
        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Body);
        var told = Api.Upstream.Calls.Single(c => c.Target == "/forecast/oslo").Headers;
        told["x-upstream-key"].ShouldBe(Checkout.Variables()["UPSTREAM_KEY"]);
        told["Turnpike-Payer"].ShouldContain(Api.Parties.Payer.Address, Case.Insensitive);
        told["Turnpike-Correlation"].ShouldBe(answer.Header("Turnpike-Correlation"));
        told.Values.ShouldNotContain(proof);
        told.Keys.ShouldNotContain(name => name.Contains("payment-signature", StringComparison.OrdinalIgnoreCase));
        answer.Headers.SelectMany(h => h).ShouldNotContain(Checkout.Variables()["UPSTREAM_KEY"]);
    }

    [Fact]
    public async Task A_dollar_report_is_paid_with_its_body()
    {
        Api.Chain.Require();
        var call = await Api.PayAsync("x402/pay-v2.mjs", "/reports", ("METHOD", "POST"), ("BODY", """{"about":"rain"}"""), ("HEADERS", """{"content-type":"application/json"}"""));
        call.Status.ShouldBe(200, call.Body + call.Error);
        call.Json["of"]!.GetValue<int>().ShouldBe(16);
    }

    [Fact]
    public async Task Fifty_concurrent_replays_of_one_proof_give_one_execution()
    {
        Api.Chain.Require();
        var proof = ExactSigner.Pay(await Api.TermsAsync("/forecast/lima"), Api.Parties.Payer);
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Api.PresentAsync("/forecast/lima", proof)));
        answers.Count(a => a.Status == HttpStatusCode.OK).ShouldBeGreaterThanOrEqualTo(1);
        answers.ShouldAllBe(a => a.Status == HttpStatusCode.OK || a.Status == HttpStatusCode.Conflict);
        Api.Upstream.Calls.Count(c => c.Target == "/forecast/lima").ShouldBe(1);
        var later = await Api.PresentAsync("/forecast/lima", proof);
        later.Status.ShouldBe(HttpStatusCode.OK);
        later.Body.ShouldBe(answers.First(a => a.Status == HttpStatusCode.OK).Body);
    }

    [Fact]
    public async Task Twenty_concurrent_payments_all_settle()
    {
        Api.Chain.Require();
        var proofs = await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ => ExactSigner.Pay(await Api.TermsAsync("/forecast/quito"), Api.Parties.Payer)));
        var answers = await Task.WhenAll(proofs.Select(p => Api.PresentAsync("/forecast/quito", p)));
        answers.ShouldAllBe(a => a.Status == HttpStatusCode.OK);
        answers.Select(a => Encoded.Read(a.Header("PAYMENT-RESPONSE")!)["transaction"]!.GetValue<string>()).Distinct().Count().ShouldBe(20);
    }

    [Fact]
    public async Task A_proof_for_one_city_does_not_open_another_of_the_same_price()
    {
        Api.Chain.Require();
        var proof = ExactSigner.Pay(await Api.TermsAsync("/forecast/bonn"), Api.Parties.Payer);
        (await Api.PresentAsync("/forecast/kyiv", proof)).Status.ShouldBe(HttpStatusCode.PaymentRequired);
        Api.Upstream.Calls.ShouldNotContain(c => c.Target == "/forecast/kyiv");
        (await Api.PresentAsync("/forecast/bonn", proof)).Status.ShouldBe(HttpStatusCode.OK);
    }

    public static TheoryData<string> Signed => ["value too small", "value too large", "other recipient", "expired", "not yet valid"];

    [Theory]
    [MemberData(nameof(Signed))]
    public async Task A_proof_signed_for_other_terms_is_refused(string what)
    {
        Api.Chain.Require();
        var now = (ulong)TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var path = $"/forecast/{what.Replace(' ', '-')}";
        var proof = ExactSigner.Pay(await Api.TermsAsync(path), Api.Parties.Payer, a => what switch
        {
            "value too small" => a with { Value = 9_999UL },
            "value too large" => a with { Value = 10_001UL },
            "other recipient" => a with { To = Address.Parse(Api.Parties.Settler.Address) },
            "expired" => a with { ValidBefore = now - 60 },
            _ => a with { ValidAfter = now + 200 },
        });
        await RefusedAsync(path, proof);
    }

    public static TheoryData<string> Tampered => ["mirrored signature", "other signer", "other network", "other asset", "truncated", "not base64", "empty", "oversized"];

    [Theory]
    [MemberData(nameof(Tampered))]
    public async Task A_tampered_proof_is_refused_and_never_an_error_of_ours(string what)
    {
        Api.Chain.Require();
        var path = $"/forecast/{what.Replace(' ', '-')}";
        var proof = ExactSigner.Pay(await Api.TermsAsync(path), Api.Parties.Payer, tamper: json =>
        {
            var signature = Hex.Decode(json["payload"]!["signature"]!.GetValue<string>())!;
            if (what == "mirrored signature") json["payload"]!["signature"] = Hex.Encode(ExactSigner.Mirror(signature));
            if (what == "other signer") json["payload"]!["authorization"]!["from"] = Api.Parties.Settler.Address;
            if (what == "other network") json["accepted"]!["network"] = "eip155:8453";
            if (what == "other asset") json["accepted"]!["asset"] = "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913";
            if (what == "oversized") json["padding"] = new string('x', 20_000);
        });
        proof = what switch { "truncated" => proof[..(proof.Length / 2)], "not base64" => "%%%" + proof, "empty" => "e30=", _ => proof };
        await RefusedAsync(path, proof);
    }

    [Fact]
    public async Task A_failing_upstream_costs_nothing_and_the_same_proof_works_afterwards()
    {
        Api.Chain.Require();
        await using var own = await PaidApi.StartAsync(Api.Chain);
        var proof = ExactSigner.Pay(await own.TermsAsync("/forecast/riga"), own.Parties.Payer);
        own.Upstream.Mood = UpstreamMood.Failing;
        var failed = await own.PresentAsync("/forecast/riga", proof);
        ((int)failed.Status).ShouldBeInRange(500, 599);
        failed.Body.ShouldNotContain("<");
        (await own.EarnedAsync()).ShouldBe(0);
        own.Upstream.Mood = UpstreamMood.Well;
        (await own.PresentAsync("/forecast/riga", proof)).Status.ShouldBe(HttpStatusCode.OK);
        (await own.EarnedAsync()).ShouldBe(10_000);
        await own.BooksBalanceAsync();
    }

    [Fact]
    public async Task A_nonce_spent_twice_during_the_work_is_402_with_fresh_terms_and_nothing_of_the_answer()
    {
        await using var own = await PaidApi.StartAsync(Api.Chain);
        var answer = await DuringWorkAsync(own, (live, p) => ExactSigner.SpendTwiceAsync(live, p, own.Parties.Payer));
        answer.Status.ShouldBe(HttpStatusCode.PaymentRequired);
        answer.Header("PAYMENT-REQUIRED").ShouldNotBeNull();
        answer.Body.ShouldNotContain("\"days\"");
        Encoded.Read(answer.Header("PAYMENT-RESPONSE").ShouldNotBeNull())["success"]!.GetValue<bool>().ShouldBeFalse();
        (await own.EarnedAsync()).ShouldBe(0);
        await own.BooksBalanceAsync();
    }

    [Fact]
    public async Task An_authorization_broadcast_by_another_hand_has_paid_all_the_same()
    {
        await using var own = await PaidApi.StartAsync(Api.Chain);
        var answer = await DuringWorkAsync(own, ExactSigner.BroadcastElsewhereAsync);
        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Body);
        (await own.EarnedAsync()).ShouldBe(10_000);
        await own.BooksBalanceAsync();
    }

    /// <summary>Presents a proof and lets something happen on chain while the upstream works.</summary>
    private static async Task<Answered> DuringWorkAsync(PaidApi own, Func<LocalChain, string, Task> happens)
    {
        var live = own.Chain.Require();
        var proof = ExactSigner.Pay(await own.TermsAsync("/forecast/vaduz"), own.Parties.Payer);
        own.Upstream.Mood = UpstreamMood.Slow;
        var call = own.PresentAsync("/forecast/vaduz", proof);
        await own.Upstream.ArrivalAsync();
        await happens(live, proof);
        return await call;
    }

    [Fact]
    public async Task The_books_balance_to_what_the_chain_says()
    {
        await using var own = await PaidApi.StartAsync(Api.Chain);
        own.Chain.Require();
        for (var i = 0; i < 3; i++)
        {
            var proof = ExactSigner.Pay(await own.TermsAsync($"/forecast/{i.ToString(CultureInfo.InvariantCulture)}"), own.Parties.Payer);
            (await own.PresentAsync($"/forecast/{i.ToString(CultureInfo.InvariantCulture)}", proof)).Status.ShouldBe(HttpStatusCode.OK);
        }
        (await own.EarnedAsync()).ShouldBe(30_000);
        await own.BooksBalanceAsync();
    }

    private async Task RefusedAsync(string path, string proof)
    {
        var answer = await Api.PresentAsync(path, proof);
        ((int)answer.Status).ShouldBeOneOf(400, 402, 431);
        if (answer.Status == HttpStatusCode.PaymentRequired) answer.Header("PAYMENT-REQUIRED").ShouldNotBeNull("a 402 always has terms");
        Api.Upstream.Calls.ShouldNotContain(c => c.Target == path);
    }
}
