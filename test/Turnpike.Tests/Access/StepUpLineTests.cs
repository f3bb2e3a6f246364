using Turnpike.Access.Approvals;
using Turnpike.Ledger;
using Turnpike.Tests.Catalog;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Access;

/// <summary>Step-up over a day's sum, reserved; and by blocks on a chain.</summary>
public sealed class StepUpLineTests
{
    private static TestGate Gate(string step) => new(document: TestGate.Document.Replace("description: Seven-day forecast, price: 0.01 USD", $"price: 0.01 USD, step-up: {{ {step} }}", StringComparison.Ordinal));

    [Fact]
    public async Task Fifty_payments_at_once_do_not_come_below_the_line_together()
    {
        using var gate = Gate("day-above: 0.05 USD");
        var token = await gate.TokenAsync();
        var told = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(() => gate.GetAsync("/forecast/paris", ("Authorization", token)))));
        told.Count(t => t.Status == 200).ShouldBe(5);
        told.Count(t => t.Reason == "approval-required").ShouldBe(45);
        (await gate.Ledger.AvailableAsync("token:" + TestGate.IdOf(token), "USD", default)).ToString().ShouldBe("0.95 USD");
        var asked = (await gate.Of<ApprovalStore>().ListAsync(ApprovalStatus.Pending, 10, default)).ShouldHaveSingleItem();
        await gate.Of<ApprovalDesk>().DecideAsync(asked, yes: true, null, default);
        (await gate.GetAsync("/forecast/paris", ("Authorization", token))).Status.ShouldBe(200);
        (await gate.GetAsync("/history/paris", ("Authorization", token))).Status.ShouldBe(200, "another operation");
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task What_was_not_delivered_does_not_count()
    {
        using var gate = Gate("day-above: 0.02 USD");
        var token = await gate.TokenAsync();
        gate.Upstream.Says(() => ScriptedUpstream.Text("no", System.Net.HttpStatusCode.BadGateway));
        for (var i = 0; i < 5; i++) (await gate.GetAsync("/forecast/paris", ("Authorization", token))).Status.ShouldBe(502);
        gate.Upstream.Says(() => ScriptedUpstream.Text("sunny"));
        (await gate.GetAsync("/forecast/paris", ("Authorization", token))).Status.ShouldBe(200);
    }

    [Fact]
    public async Task The_upstream_is_asked_when_three_blocks_hold_the_payment_and_not_before()
    {
        using var gate = Gate("first-payment: true, require: confirmations, confirmations: 3");
        var proof = gate.PayMpp(await gate.GetAsync("/forecast/paris"));
        var calling = Task.Run(() => gate.GetAsync("/forecast/paris", ("Authorization", proof)));
        while (gate.Chain.Transfers == 0) await Task.Delay(5);
        gate.Chain.Mine();
        await Task.Delay(600);
        (calling.IsCompleted, gate.Upstream.Requests.Count).ShouldBe((false, 0), "two blocks hold it");
        gate.Chain.Mine();
        (await calling).Status.ShouldBe(200);
        (await gate.GetAsync("/forecast/paris", ("Authorization", gate.PayMpp(await gate.GetAsync("/forecast/paris"))))).Status.ShouldBe(200, "it has paid before");
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task What_too_few_blocks_hold_is_unknown_over_a_restart_and_credit_when_they_have_come()
    {
        var gate = Gate("above: 0.001 USD, require: confirmations, confirmations: 3");
        var proof = gate.PayMpp(await gate.GetAsync("/forecast/paris"));
        var calling = Task.Run(() => gate.GetAsync("/forecast/paris", ("Authorization", proof)));
        while (!calling.IsCompleted) { gate.Time.Pass(TimeSpan.FromSeconds(5)); await Task.Delay(20); }
        (await calling).ShouldSatisfyAllConditions(t => t.Status.ShouldBe(503), t => t.Reason.ShouldBe("settlement-unknown"));
        gate.Upstream.Requests.ShouldBeEmpty();
        var after = gate.Restart();
        (await after.GetAsync("/forecast/paris", ("Authorization", proof))).Reason.ShouldBe("settlement-unknown");
        after.Chain.Mine(2);
        await after.Of<Turnpike.Payments.Settler>().RoundAsync(default);
        (await after.CreditAsync()).ToString().ShouldBe("0.01 USD");
        (await after.GetAsync("/forecast/paris", ("Authorization", proof))).Status.ShouldBe(200, "paid once");
        after.Chain.Transfers.ShouldBe(1);
        await after.ShouldBalanceAsync();
        after.Dispose();
    }

    [Theory]
    [InlineData("above: 1.00 USD, confirmations: 3", "belongs to 'require: confirmations'")]
    public void What_means_nothing_is_told(string step, string expected) =>
        Documents.Load(TestGate.Document.Replace("price: free", $"price: free, step-up: {{ {step} }}", StringComparison.Ordinal)).ErrorLines.Single().ShouldContain(expected);

    [Fact]
    public void Confirmations_need_a_chain_with_a_node() => Documents.Load("""
        payments: { prepaid: { secret: "${env:TURNPIKE_TOKEN_SECRET}" } }
        services: { s: { upstream: "${env:UPSTREAM}", operations: { o: { match: GET /o, price: 0.01 USD, step-up: { first-payment: true, require: confirmations } } } } }
        """).ErrorLines.Single().ShouldContain("nothing is paid on a chain");
}
