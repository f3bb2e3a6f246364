using Turnpike.Access.Approvals;
using Turnpike.Tests.Catalog;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Access;

/// <summary>Step-up by who pays: a payer nobody knows, and one whose day comes to much.</summary>
public sealed class FirstPaymentTests
{
    private static TestGate Gate(string step) => new(document: TestGate.Document.Replace("description: Seven-day forecast, price: 0.01 USD", $"price: 0.01 USD, step-up: {{ {step} }}", StringComparison.Ordinal));

    private static Task<Told> PayAsync(TestGate gate, string proof) => gate.GetAsync("/forecast/paris", ("PAYMENT-SIGNATURE", proof));

    [Fact]
    public async Task A_payer_that_never_paid_waits_for_a_yes_and_nothing_is_held_and_later_it_is_known()
    {
        using var gate = Gate("first-payment: true, valid: 1h");
        var told = await PayAsync(gate, await gate.ProofAsync());
        (told.Status, told.Reason, gate.Upstream.Requests.Count, gate.Rail.Settlements).ShouldBe((403, "approval-required", 0, 0));
        var asked = (await gate.Of<ApprovalStore>().ListAsync(ApprovalStatus.Pending, 10, default)).Single();
        asked.Caller.ShouldBe(TestGate.PayerAccount, "one yes is for this payer");
        (await gate.Of<ApprovalDesk>().DecideAsync(asked, true, null, default)).ShouldBeTrue();
        (await PayAsync(gate, await gate.ProofAsync())).Status.ShouldBe(200);
        gate.Time.Pass(TimeSpan.FromHours(2));
        (await PayAsync(gate, await gate.ProofAsync())).Status.ShouldBe(200, "it has paid before");
        (await gate.GetAsync("/forecast/paris", ("Authorization", await gate.TokenAsync()))).Reason.ShouldBe("approval-required", "another payer");
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task Payments_that_come_to_much_in_a_day_ask_and_another_day_begins_at_nothing()
    {
        using var gate = Gate("day-above: 0.03 USD");
        var token = await gate.TokenAsync();
        async Task<Told> Call() => await gate.GetAsync("/forecast/paris", ("Authorization", token));
        for (var i = 0; i < 3; i++) (await Call()).Status.ShouldBe(200);
        (await Call()).ShouldSatisfyAllConditions(t => t.Reason.ShouldBe("approval-required"), t => t.Json.GetProperty("approval").GetProperty("url").GetString().ShouldNotBeNull());
        gate.Time.Pass(TimeSpan.FromHours(24));
        (await Call()).Status.ShouldBe(200);
    }

    [Fact]
    public async Task A_signed_request_can_be_asked_for_instead()
    {
        using var gate = Gate("first-payment: true, require: identity");
        (await PayAsync(gate, await gate.ProofAsync())).Reason.ShouldBe("identity-required");
        (await gate.GetAsync("/forecast/paris", ("x-api-key", await gate.KeyAsync()), ("Authorization", await gate.TokenAsync()))).Reason.ShouldBe("stronger-identity");
    }

    [Fact]
    public void A_step_up_says_when() => Documents.Load(TestGate.Document.Replace("price: free", "price: free, step-up: { require: approval }", StringComparison.Ordinal)).ErrorLines.Single().ShouldContain("nothing says when more is asked for");
}
