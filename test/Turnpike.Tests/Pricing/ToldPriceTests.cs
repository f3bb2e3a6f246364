using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Pricing;

/// <summary>Who pays from a balance answers no terms, and names the quote that was told instead: its price holds as long as it said.</summary>
public sealed class ToldPriceTests : IDisposable
{
    private const string Hour = "{ per-session: 0.50 USD, lasts: 1h }";
    private TestGate gate = null!; // made by each

    public void Dispose() => gate?.Dispose();

    [Theory]
    [InlineData("0.02 USD", "0.03 USD", "0.02 USD", "0.03 USD")]
    [InlineData("{ per-session: 0.02 USD, lasts: 1h }", "{ per-session: 0.03 USD, lasts: 1h }", "0.02 USD", "0.03 USD")]
    [InlineData("{ amount: 0.02 USD, rules: [{ hours: \"11:00-12:02\", percent: 50% }] }", "0.03 USD", "0.01 USD", "0.03 USD")]
    [InlineData("{ amount: 0.02 USD, rules: [{ busy: 2, percent: 300% }] }", "0.03 USD", "0.02 USD", "0.03 USD")]
    public async Task A_price_that_was_told_holds_over_a_change_for_whoever_names_it_until_it_expires(string price, string since, string told, string now)
    {
        Open(price);
        var terms = await gate.GetAsync("/thing");
        var (quote, token) = (("Turnpike-Quote", terms.Json.GetProperty("quote").GetString()), ("Authorization", await gate.TokenAsync()));
        terms.Json.GetProperty("validUntil").GetString().ShouldBe("2026-11-21T12:05:00Z");
        gate.Edit(price, since);
        gate.Time.Pass(TimeSpan.FromMinutes(4));
        (await CostAsync(token, quote)).ShouldBe(told);
        (await CostAsync(token)).ShouldBe(now, "without a name the present price counts");
        gate.Time.Pass(TimeSpan.FromMinutes(2));
        var late = await gate.GetAsync("/thing", token, quote);
        (late.Status, late.Reason, late.Json.GetProperty("price").GetProperty("amount").GetString()).ShouldBe((402, "payment-expired", now[..4]));
        (await CostAsync(token, ("Turnpike-Quote", late.Json.GetProperty("quote").GetString()))).ShouldBe(now);
        await gate.ShouldBalanceAsync();
    }

    [Theory]
    [InlineData("{ amount: 0.02 USD, rules: [{ hours: \"11:00-12:02\", percent: 50% }] }", "0.01 USD")]
    [InlineData("{ per-session: 0.02 USD, lasts: 1h, rules: [{ hours: \"11:00-12:02\", percent: 50% }] }", "0.01 USD")]
    [InlineData("{ amount: 0.02 USD, rules: [{ hours: \"12:02-13:00\", percent: 50% }] }", "0.01 USD")] // what is less by now is asked of everybody
    public async Task A_price_that_was_told_holds_when_the_hour_strikes_for_whoever_names_it_until_it_expires(string price, string less)
    {
        Open(price);
        var (quote, token) = (("Turnpike-Quote", (await gate.GetAsync("/thing")).Json.GetProperty("quote").GetString()), ("Authorization", await gate.TokenAsync()));
        gate.Time.Pass(TimeSpan.FromMinutes(4));
        (await CostAsync(token, quote)).ShouldBe(less);
        var present = (await gate.GetAsync("/thing")).Json.GetProperty("price").GetProperty("amount").GetString() + " USD";
        (await CostAsync(token)).ShouldBe(present, "without a name the present price counts");
        gate.Time.Pass(TimeSpan.FromMinutes(4));
        (await CostAsync(token, quote)).ShouldBe(present);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task What_was_free_until_the_hour_struck_was_told_to_nobody()
    {
        Open("{ amount: 0.02 USD, rules: [{ hours: \"11:00-12:02\", percent: 0% }] }");
        (await gate.GetAsync("/thing")).Status.ShouldBe(200);
        gate.Time.Pass(TimeSpan.FromMinutes(4));
        var quote = ("Turnpike-Quote", (await gate.GetAsync("/thing")).Json.GetProperty("quote").GetString());
        (await CostAsync(("Authorization", await gate.TokenAsync()), quote)).ShouldBe("0.02 USD");
    }

    [Fact]
    public async Task A_name_that_names_nothing_is_told_the_present_terms()
    {
        Open("0.02 USD");
        var told = await gate.GetAsync("/thing", ("Authorization", await gate.TokenAsync()), ("Turnpike-Quote", "made-up"));
        (told.Status, told.Reason, told.Json.GetProperty("offers").GetArrayLength() > 0).ShouldBe((402, "payment-expired", true));
        gate.Upstream.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Two_names_name_nothing()
    {
        Open("0.02 USD");
        var quote = (await gate.GetAsync("/thing")).Json.GetProperty("quote").GetString();
        (await gate.GetAsync("/thing", ("Turnpike-Quote", quote), ("Turnpike-Quote", quote))).Reason.ShouldBe("payment-expired");
    }

    /// <summary>The attack: the name of a call's price, where a session is sold by now.</summary>
    [Theory]
    [InlineData("0.02 USD", Hour)]
    [InlineData(Hour, "0.02 USD")]
    public async Task What_was_told_of_a_call_does_not_hold_for_a_session_nor_the_other_way_round(string price, string since)
    {
        Open(price);
        var quote = (await gate.GetAsync("/thing")).Json.GetProperty("quote").GetString();
        gate.Edit(price, since);
        (await gate.GetAsync("/thing", ("Authorization", await gate.TokenAsync()), ("Turnpike-Quote", quote))).Reason.ShouldBe("payment-expired");
    }

    [Fact]
    public async Task A_session_that_was_told_lasts_as_long_as_it_said()
    {
        Open(Hour);
        var quote = (await gate.GetAsync("/thing")).Json.GetProperty("quote").GetString();
        gate.Edit("lasts: 1h", "lasts: 1m");
        var told = await gate.GetAsync("/thing", ("Authorization", await gate.TokenAsync()), ("Turnpike-Quote", quote));
        (told.Status, told.Headers["Turnpike-Session-Until"].ToString()).ShouldBe((200, "2026-11-21T13:00:00Z"));
    }

    /// <summary>The attack: terms of a price that ends in a minute, asked for by its name again and again.</summary>
    [Fact]
    public async Task Naming_a_price_does_not_make_it_last()
    {
        Open("0.02 USD");
        var quote = (await gate.GetAsync("/thing")).Json.GetProperty("quote").GetString();
        gate.Edit("/thing, price: 0.02 USD", "/thing, price: 0.03 USD");
        gate.Time.Pass(TimeSpan.FromMinutes(4));
        var told = await gate.GetAsync("/thing", ("Turnpike-Quote", quote));
        (told.Json.GetProperty("quote").GetString(), told.Json.GetProperty("validUntil").GetString()).ShouldBe((quote, "2026-11-21T12:05:00Z"));
        var (modern, other) = (gate.Pay(told), gate.PayMpp(told));
        gate.Time.Pass(TimeSpan.FromMinutes(1) + TimeSpan.FromSeconds(1));
        (await gate.GetAsync("/thing", ("PAYMENT-SIGNATURE", modern))).Reason.ShouldBe("payment-expired");
        (await gate.GetAsync("/thing", ("Authorization", other))).Reason.ShouldBe("payment-expired");
    }

    private void Open(string price) => gate = new TestGate(document: TestGate.Document.Replace("      forecast:", $"      thing: {{ match: GET /thing, price: {price} }}\n      forecast:", StringComparison.Ordinal));

    private async Task<string> CostAsync(params (string, string?)[] headers)
    {
        var told = await gate.GetAsync("/thing", headers);
        told.Status.ShouldBe(200, told.Body);
        return told.Headers["Turnpike-Cost"].ToString();
    }
}
