using Turnpike.Access.Approvals;
using Turnpike.Ledger;
using Turnpike.Limits.Incidents;
using Turnpike.Payments.Refunds;
using Turnpike.Tests.Catalog;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Payments;

/// <summary>A call that a session opens owes nothing: nothing that counts, limits or asks about money has a word in it.</summary>
public sealed class OpenSessionTests : IDisposable
{
    private const string Lounge = "/lounge/a";
    private static readonly (string, string?) Key = ("apikey", Documents.Variables["AGENT_KEY"]);
    private TestGate gate = null!; // made by each

    public void Dispose() => gate?.Dispose();

    [Theory]
    [InlineData("0.05 USD")]
    [InlineData("0 USD")]
    public async Task A_maximum_below_its_price_does_not_close_it(string maximum)
    {
        Open();
        var pass = await BuyAsync();
        (await gate.GetAsync(Lounge, ("Turnpike-Max-Price", maximum))).Reason.ShouldBe("price-above-maximum");
        (await gate.GetAsync(Lounge, pass, ("Turnpike-Max-Price", maximum))).Status.ShouldBe(200);
    }

    [Theory]
    [InlineData("no-new-payments")]
    [InlineData("paid-only")]
    public async Task It_stays_open_while_no_new_payments_are_taken(string mode)
    {
        Open();
        var pass = await BuyAsync();
        await gate.Of<IncidentBoard>().SetAsync("installation", Incident.ReadMode(mode)!.Value, "We are looking into it.", default);
        (await gate.GetAsync(Lounge, pass)).Status.ShouldBe(200);
        if (mode == "no-new-payments") (await gate.GetAsync(Lounge)).Reason.ShouldBe("no-new-payments");
    }

    [Fact]
    public async Task It_is_closed_where_all_is_closed()
    {
        Open();
        var pass = await BuyAsync();
        await gate.Of<IncidentBoard>().SetAsync("installation", IncidentMode.Closed, "We are looking into it.", default);
        (await gate.GetAsync(Lounge, pass)).Reason.ShouldBe("closed");
    }

    [Fact]
    public async Task Its_calls_count_under_limits_of_calls_and_not_under_those_of_money()
    {
        Open(more: "limits: { calls: [{ amount: 0.70 USD, per: 1h }, { amount: 5 requests, per: 1h }] }\n");
        var pass = await BuyAsync();
        for (var i = 0; i < 4; i++) (await gate.GetAsync(Lounge, pass)).Status.ShouldBe(200);
        (await gate.GetAsync(Lounge, pass)).Status.ShouldBe(429);
    }

    [Fact]
    public async Task A_breaker_of_spending_sees_its_price_once()
    {
        Open(more: "breakers: { dear: { watch: task-spend, above: 0.70 USD, within: 1h, for: 1h } }\n");
        var (task, token) = (("Turnpike-Task", (string?)"t"), ("Authorization", (string?)await gate.TokenAsync()));
        var pass = await BuyAsync(task);
        for (var i = 0; i < 5; i++) (await gate.GetAsync(Lounge, pass, task, token)).Status.ShouldBe(200);
        (await gate.GetAsync(Lounge, task, token)).Status.ShouldBe(429);
    }

    [Fact]
    public async Task Nobody_is_asked_again_whether_it_may_be_paid()
    {
        Open("{ per-session: 0.50 USD, lasts: 2d }, step-up: { above: 0.10 USD, require: approval, valid: 1h }", "callers: { agent: { keys: [\"${env:AGENT_KEY}\"] } }\n");
        (await gate.GetAsync(Lounge, Key)).Reason.ShouldBe("approval-required");
        await gate.Of<ApprovalDesk>().DecideAsync((await gate.Of<ApprovalStore>().ListAsync(ApprovalStatus.Pending, 10, default)).Single(), yes: true, null, default);
        var pass = await BuyAsync(Key);
        gate.Time.Pass(TimeSpan.FromHours(2));
        (await gate.GetAsync(Lounge, Key)).Reason.ShouldBe("approval-required");
        (await gate.GetAsync(Lounge, Key, pass)).Status.ShouldBe(200);
    }

    /// <summary>The attack: a session whose price went back is shown, so that nothing is looked at, and a payment beside it.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task One_whose_price_went_back_is_asked_for_it_and_nothing_beside_it_is_taken(bool pays)
    {
        Open();
        var (pass, token) = (await BuyAsync(), await gate.TokenAsync());
        await RefundAsync(pass);
        var told = await gate.GetAsync(Lounge, [pass, ("Turnpike-Max-Price", "0.05 USD"), .. pays ? [("Authorization", token)] : Array.Empty<(string, string?)>()]);
        (told.Status, told.Reason, told.Json.GetProperty("price").GetProperty("amount").GetString()).ShouldBe((402, "session-ended", "0.50"));
        told.Json.GetProperty("offers").GetArrayLength().ShouldBeGreaterThan(0);
        (await gate.Ledger.AvailableAsync("token:" + TestGate.IdOf(token), "USD", default)).ToString().ShouldBe("1.00 USD");
        gate.Upstream.Requests.Count.ShouldBe(1, "the one that bought it");
    }

    [Theory]
    [InlineData("0.02 USD")]
    [InlineData("{ per-session: 0.90 USD, lasts: 1m }")]
    public async Task What_was_sold_stays_open_when_the_price_changes(string since)
    {
        Open();
        var pass = await BuyAsync();
        gate.Edit("{ per-session: 0.50 USD, lasts: 1h }", since);
        (await gate.GetAsync(Lounge, pass)).Status.ShouldBe(200);
        (await gate.GetAsync(Lounge)).Status.ShouldBe(402);
        await RefundAsync(pass);
        var told = await gate.GetAsync(Lounge, pass);
        (told.Status, told.Reason, told.Json.GetProperty("offers").GetArrayLength() > 0).ShouldBe((402, "session-ended", true));
    }

    [Fact]
    public async Task Where_calls_are_sold_by_now_one_that_ended_is_not_spoken_of()
    {
        Open();
        var pass = await BuyAsync();
        gate.Edit("{ per-session: 0.50 USD, lasts: 1h }", "0.02 USD");
        gate.Time.Pass(TimeSpan.FromHours(1));
        (await gate.GetAsync(Lounge, pass)).Reason.ShouldBe("payment-required");
        (await gate.GetAsync(Lounge, pass, ("Authorization", await gate.TokenAsync()))).Headers["Turnpike-Cost"].ToString().ShouldBe("0.02 USD");
    }

    private void Open(string price = "{ per-session: 0.50 USD, lasts: 1h }", string more = "") => gate = new TestGate(more, TestGate.Document
        .Replace("      forecast:", $"      lounge: {{ match: \"GET /lounge/{{room}}\", price: {price} }}\n      forecast:", StringComparison.Ordinal));

    private async Task<(string, string?)> BuyAsync(params (string, string?)[] headers)
    {
        var told = await gate.GetAsync(Lounge, [.. headers, ("PAYMENT-SIGNATURE", gate.Pay(await gate.GetAsync(Lounge, headers)))]);
        told.Status.ShouldBe(200, told.Body);
        return ("Turnpike-Session", told.Headers["Turnpike-Session"].ToString());
    }

    private async Task RefundAsync((string, string?) pass)
    {
        var paid = (await gate.Ledger.FindByReceiptAsync(pass.Item2!.Split('.')[0], default)).ShouldNotBeNull();
        await gate.Ledger.PostAsync(Refundable.Opening(paid), default);
        var leg = Refundable.Leg(paid, new Money(1, "USD"));
        await gate.Ledger.PostAsync(new Transfer("back:" + paid.Hold.Receipt, leg.From, leg.To, leg.Amount, "refund", LimitedFrom: true, LimitedTo: false), default);
    }
}
