using System.Net;
using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Payments.Stripe;

namespace Turnpike.Tests.Payments.Stripe;

/// <summary>Card refunds: once under their key, and what Stripe leaves open stays open.</summary>
public sealed class StripeRefundsTests
{
    private readonly StripeTill stripe = new();
    private readonly Rails rails;
    private readonly StripeRefunds refunds;
    private readonly string intent;

    public StripeRefundsTests()
    {
        intent = stripe.Charge();
        rails = new Rails(stripe.Internet, stripe: StripeTill.Settings);
        HttpClients clients = (_, timeout, most) => new HttpClient(stripe.Internet, disposeHandler: false) { Timeout = timeout, MaxResponseContentBufferSize = most };
        refunds = new StripeRefunds(() => rails.Settings, clients, rails.Time);
    }

    [Theory]
    [InlineData("1.00 USD", 100)]
    [InlineData("0.25 USD", 25)]
    public async Task It_asks_for_the_amount_under_a_key_of_its_own(string amount, long minor)
    {
        var settled = (await SettleAsync(await PlanAsync(amount))).ShouldBeOfType<Settlement.Settled>();
        (settled.Reference, settled.RailAmount).ShouldBe((Made, minor.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        var asked = stripe.Internet.All.Last();
        (asked.Method, asked.Url.AbsolutePath, asked.Headers["Idempotency-Key"]).ShouldBe(("POST", "/v1/refunds", "turnpike_rf_1"));
        StripeTill.Form(asked)["payment_intent"].ShouldBe(intent);
        stripe.Refunded.ShouldBe([minor]);
    }

    [Fact]
    public async Task All_of_a_price_that_was_rounded_up_goes_back_as_all_that_was_charged()
    {
        Money.TryParse("0.501 USD", out var price);
        (await refunds.PlanAsync(Paid(price) with { RailAmount = "51" }, price, "rf_1", default)).Terms.ShouldNotBeNull().ShouldContain("\"amount\":51");
        (await PlanAsync("0.001 USD", "1.00 USD")).ShouldBeNull("Stripe has no such amount");
    }

    [Fact]
    public async Task A_lost_answer_is_unknown_and_asking_again_gives_back_once()
    {
        var plan = await PlanAsync("1.00 USD");
        stripe.LosesAnswers = true;
        (await SettleAsync(plan)).ShouldBeOfType<Settlement.Unknown>();
        stripe.LosesAnswers = false;
        (await SettleAsync(plan)).ShouldBeOfType<Settlement.Settled>();
        stripe.Refunded.ShouldBe([100]);
    }

    [Fact]
    public async Task When_its_key_is_too_old_it_is_looked_for_by_name_and_not_made_again()
    {
        var (made, never) = (await PlanAsync("0.40 USD"), await PlanAsync("0.40 USD", refund: "rf_2"));
        (await SettleAsync(made)).ShouldBeOfType<Settlement.Settled>();
        rails.Time.Leap(TimeSpan.FromHours(24));
        (await SettleAsync(made, old: true)).ShouldBeOfType<Settlement.Settled>().Reference.ShouldBe(Made);
        (await SettleAsync(never, old: true)).ShouldBeOfType<Settlement.Failed>().Code.ShouldBe("never_refunded");
        stripe.Refunded.ShouldBe([40]);
    }

    [Fact]
    public async Task A_pending_refund_is_asked_for_by_its_id_until_it_is_through_or_not()
    {
        stripe.Stripe.Objects.Payments.RefundStatus = "pending";
        var plan = await PlanAsync("1.00 USD");
        var open = (await SettleAsync(plan)).ShouldBeOfType<Settlement.Unknown>();
        (await SettleAsync(plan, known: open.Reference)).ShouldBeOfType<Settlement.Unknown>();
        stripe.Stripe.Objects[Made]["status"] = "failed";
        (await SettleAsync(plan, known: open.Reference)).ShouldBeOfType<Settlement.Failed>().Code.ShouldBe("failed");
    }

    [Fact]
    public async Task More_than_was_charged_is_refused_by_Stripe()
    {
        (await SettleAsync(await PlanAsync("0.60 USD"))).ShouldBeOfType<Settlement.Settled>();
        (await SettleAsync(await PlanAsync("0.60 USD", refund: "rf_2"))).ShouldBeOfType<Settlement.Failed>().Code.ShouldBe("invalid_request_error", "Stripe has no code for it");
        stripe.Refunded.ShouldBe([60]);
    }

    [Theory]
    [InlineData(401)]
    [InlineData(409)]
    [InlineData(429)]
    [InlineData(500)]
    public async Task An_answer_that_decides_nothing_leaves_it_open(int status)
    {
        var plan = await PlanAsync("1.00 USD");
        stripe.Instead = () => Internet.Json("""{"error":{"type":"api_error"}}""", (HttpStatusCode)status);
        (await SettleAsync(plan)).ShouldBeOfType<Settlement.Unknown>();
        stripe.Instead = null;
        (await SettleAsync(plan)).ShouldBeOfType<Settlement.Settled>();
    }

    [Fact]
    public void It_takes_card_payments_that_have_a_reference()
    {
        refunds.Takes(Paid(new Money(Money.Nano, "USD"))).ShouldBeTrue();
        refunds.Takes(Paid(new Money(Money.Nano, "USD")) with { Reference = null }).ShouldBeFalse();
        refunds.Takes(Paid(new Money(Money.Nano, "USD"), "x402.exact")).ShouldBeFalse();
    }

    private string Made => (string)stripe.Stripe.Objects.All("refund")[0]["id"]!;

    private async Task<string?> PlanAsync(string amount, string price = "1.00 USD", string refund = "rf_1")
    {
        Money.TryParse(amount, out var some).ShouldBeTrue();
        Money.TryParse(price, out var paid).ShouldBeTrue();
        return (await refunds.PlanAsync(Paid(paid), some, refund, default)).Terms;
    }

    private ValueTask<Settlement> SettleAsync(string? plan, string? known = null, bool old = false) =>
        refunds.SettleAsync(plan.ShouldNotBeNull(), Paid(new Money(Money.Nano, "USD")) with { Status = HoldStatus.Captured, Reference = known, Created = rails.Time.GetUtcNow() - (old ? TimeSpan.FromHours(24) : TimeSpan.Zero) }, default);

    private HoldState Paid(Money price, string method = "mpp.stripe")
    {
        var hold = new Hold
        {
            Id = "stripe:ch_1", Legs = [new Leg("external:stripe:1", "revenue:report", price, Limited: false)], Binding = "b", Receipt = "r_1", Correlation = "c",
            Operation = "report", Payer = "stripe:1", Method = method, PriceVersion = "v", Request = "POST /reports",
        };
        return new HoldState(hold, HoldStatus.Settled, price, price, intent, null, "100", null, 1, "i", rails.Time.GetUtcNow(), rails.Time.GetUtcNow());
    }
}
