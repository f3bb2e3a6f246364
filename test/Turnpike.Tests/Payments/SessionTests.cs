using System.Text.Json;
using Turnpike.Ledger;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Payments;

/// <summary>A price per session: paid once, then the paid answer's header opens the operation until it ends.</summary>
public sealed class SessionTests : IDisposable
{
    private readonly TestGate gate = new("callers: { named: {} }\n", TestGate.Document
        .Replace("      forecast:", "      lounge: { match: \"GET /lounge/{room}\", price: { per-session: 0.50 USD, lasts: 1h } }\n      pool: { match: GET /pool, price: { per-session: 0.50 USD, lasts: 1h } }\n      forecast:", StringComparison.Ordinal));

    public void Dispose() => gate.Dispose();

    [Fact]
    public async Task It_is_paid_once_and_open_until_it_ends()
    {
        var terms = await gate.GetAsync("/lounge/a");
        (terms.Status, terms.Json.GetProperty("price").GetProperty("unit").GetString()).ShouldBe((402, "session"));
        terms.Json.GetProperty("detail").GetString().ShouldBe("0.50 USD per session of 1 hour: the paid answer has a Turnpike-Session header; send it with every call until it ends.");
        var first = await gate.GetAsync("/lounge/a", ("PAYMENT-SIGNATURE", gate.Pay(terms)));
        (first.Status, first.Headers["Turnpike-Cost"].ToString(), first.Headers["Turnpike-Session-Until"].ToString()).ShouldBe((200, "0.50 USD", "2026-11-21T13:00:00Z"));
        var pass = first.Headers["Turnpike-Session"].ToString();
        for (var i = 0; i < 3; i++)
        {
            var next = await gate.GetAsync($"/lounge/{i}", ("Turnpike-Session", pass));
            (next.Status, next.Headers.ContainsKey("Turnpike-Cost"), next.Headers.CacheControl.ToString()).ShouldBe((200, false, "private, no-store"));
        }
        gate.Upstream.Requests.ShouldAllBe(request => !request.Headers.ContainsKey("Turnpike-Session"));
        gate.Time.Pass(TimeSpan.FromHours(1));
        var after = await gate.GetAsync("/lounge/a", ("Turnpike-Session", pass));
        (after.Status, after.Reason).ShouldBe((402, "session-ended"));
        after.Json.GetProperty("offers").GetArrayLength().ShouldBeGreaterThan(0);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task It_opens_nothing_else_and_cannot_be_made_up_or_stretched()
    {
        var pass = await BuyAsync();
        (await gate.GetAsync("/pool", ("Turnpike-Session", pass))).Reason.ShouldBe("session-ended");
        var parts = pass.Split('.');
        foreach (var forged in new[] { $"{parts[0]}.{long.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture) + 3600}.{parts[2]}", $"r_other.{parts[1]}.{parts[2]}", $"{parts[0]}.{parts[1]}.", "x", $"{parts[0]}.-1.{parts[2]}", new string('.', 5000) })
            (await gate.GetAsync("/lounge/a", ("Turnpike-Session", forged))).Reason.ShouldBe("session-ended", forged);
        (await gate.GetAsync("/lounge/a", ("Turnpike-Session", pass))).Status.ShouldBe(200);
    }

    [Fact]
    public async Task What_a_caller_bought_another_cannot_use()
    {
        var (agent, other) = (await gate.KeyAsync("agent"), await gate.KeyAsync("other"));
        var pass = await BuyAsync(("apikey", agent));
        (await gate.GetAsync("/lounge/a", ("Turnpike-Session", pass), ("apikey", agent))).Status.ShouldBe(200);
        (await gate.GetAsync("/lounge/a", ("Turnpike-Session", pass), ("apikey", other))).Status.ShouldBe(402);
        (await gate.GetAsync("/lounge/a", ("Turnpike-Session", pass))).Status.ShouldBe(402);
    }

    [Fact]
    public async Task A_session_whose_first_answer_never_came_or_whose_price_went_back_is_none()
    {
        var pass = await BuyAsync();
        var receipt = pass.Split('.')[0];
        var paid = (await gate.Ledger.FindByReceiptAsync(receipt, default)).ShouldNotBeNull();
        await gate.Ledger.PostAsync(Turnpike.Payments.Refunds.Refundable.Opening(paid), default);
        (await gate.GetAsync("/lounge/a", ("Turnpike-Session", pass))).Status.ShouldBe(200, "asked for, and not given back");
        var leg = Turnpike.Payments.Refunds.Refundable.Leg(paid, new Money(1, "USD"));
        await gate.Ledger.PostAsync(new Transfer("back", leg.From, leg.To, leg.Amount, "refund", LimitedFrom: true, LimitedTo: false), default);
        (await gate.GetAsync("/lounge/a", ("Turnpike-Session", pass))).Reason.ShouldBe("session-ended");
    }

    [Fact]
    public async Task A_payment_beside_a_session_that_ended_buys_the_next_and_beside_a_good_one_is_left_alone()
    {
        var (token, pass) = (await gate.TokenAsync("1.00 USD"), await BuyAsync());
        (await gate.GetAsync("/lounge/a", ("Turnpike-Session", pass), ("Authorization", token))).Status.ShouldBe(200);
        (await LeftAsync()).ShouldBe("1.00 USD");
        gate.Time.Pass(TimeSpan.FromHours(2));
        var next = await gate.GetAsync("/lounge/a", ("Turnpike-Session", pass), ("Authorization", token));
        (next.Status, next.Headers.ContainsKey("Turnpike-Session")).ShouldBe((200, true));
        (await LeftAsync()).ShouldBe("0.50 USD");

        async Task<string> LeftAsync() => (await gate.Ledger.AvailableAsync("token:" + TestGate.IdOf(token), "USD", default)).ToString();
    }

    private async Task<string> BuyAsync(params (string, string?)[] headers)
    {
        var told = await gate.GetAsync("/lounge/a", [.. headers, ("PAYMENT-SIGNATURE", gate.Pay(await gate.GetAsync("/lounge/a", headers)))]);
        told.Status.ShouldBe(200);
        return told.Headers["Turnpike-Session"].ToString();
    }
}
