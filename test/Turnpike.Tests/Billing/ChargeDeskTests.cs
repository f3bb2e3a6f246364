using System.Text;
using System.Text.Json.Nodes;
using Turnpike.Audit;
using Turnpike.Billing;
using Turnpike.Billing.Disputes;
using Turnpike.Ledger;
using Turnpike.Payments.Refunds;
using Turnpike.Tests.Billing.Stripe;
using Turnpike.Tests.Gateway;
using Turnpike.Tokens;

namespace Turnpike.Tests.Billing;

/// <summary>Calls paid by card whose money goes back at Stripe's side: in its dashboard, or through a bank.</summary>
public sealed class ChargeDeskTests : IDisposable
{
    private static readonly Money Price = new(1_000_000_000, "USD");
    private readonly StripeDouble stripe = new("sk_test_hush", "whsec_hush");
    private readonly TestGate gate = new(document: """
        payments:
          mpp: { secret: "${env:TURNPIKE_MPP_SECRET}", stripe: { secret-key: "${env:STRIPE_SECRET_KEY}", profile: "${env:STRIPE_PROFILE}", webhook-secret: "${env:STRIPE_WEBHOOK_SECRET}", api: "${env:STRIPE_API}" } }
          prepaid: { secret: "${env:TURNPIKE_TOKEN_SECRET}", bundles: [{ price: 1.00 USD, budget: 1.00 USD }] }
        services: { s: { upstream: "${env:UPSTREAM}", operations: { data: { match: GET /data, price: 1.00 USD } } } }
        """);

    private int payments;

    public ChargeDeskTests() => gate.Sites["127.0.0.1"] = stripe.Handle;

    public void Dispose() => gate.Dispose();

    [Fact]
    public async Task A_refund_in_the_dashboard_is_a_movement_of_its_own_however_often_and_by_whatever_it_is_told()
    {
        var (payment, intent) = await PaidAsync();
        var charge = stripe.Objects.RefundInDashboard(intent, 40);
        var refund = stripe.Objects.All("refund")[^1];
        await TellAsync("refund.created", refund);
        await TellAsync("charge.refunded", charge, "evt_same");
        await TellAsync("charge.refunded", charge, "evt_same");
        await TellAsync("refund.updated", refund);
        (await RefundsAsync(payment)).Select(r => $"{r.Status} {r.Captured} {r.Reference} {r.Hold.Method}").ShouldBe([$"Settled 0.40 USD {refund["id"]} told.refund"]);
        (await TotalsAsync()).ShouldBe("external -0.60 USD, refunded -0.40 USD, revenue 1.00 USD");
        await TellAsync("charge.refunded", stripe.Objects.RefundInDashboard(intent, 60));
        (await TotalsAsync()).ShouldBe("external 0.00 USD, refunded -1.00 USD, revenue 1.00 USD");
        ((RefundResult.Refused)await gate.Of<SaleRefunds>().RefundAsync(new RefundOrder(payment, null, null, "again", "k"), default)).Reason.ShouldBe("refund-exceeds", "nothing is left to give back");
        await ShouldHoldAsync(payment, AuditKinds.Refunded, 2);
    }

    [Fact]
    public async Task A_refund_ordered_here_is_not_booked_again_when_Stripe_tells_of_it()
    {
        var (payment, intent) = await PaidAsync();
        var ours = ((RefundResult.Ordered)await gate.Of<SaleRefunds>().RefundAsync(new RefundOrder(payment, new Money(300_000_000, "USD"), RefundAs.Credit, "asked for", "k"), default)).State;
        var charge = stripe.Objects.RefundInDashboard(intent, 30);
        stripe.Objects.All("refund")[^1]["metadata"] = new JsonObject { ["turnpike_refund"] = ours.Hold.Receipt };
        await TellAsync("charge.refunded", charge);
        (await RefundsAsync(payment)).Count.ShouldBe(1);
        await TellAsync("charge.refunded", stripe.Objects.RefundInDashboard(intent, 70));
        (await RefundsAsync(payment)).Select(r => r.Captured.ToString()).ShouldBe(["0.70 USD", "0.30 USD"]);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task What_is_told_before_the_payment_is_known_is_booked_when_it_is()
    {
        var intent = (string)stripe.Objects.Payments.Charged("", 100, "usd", StripeCards.Good, null, null)["id"]!;
        (await TellAsync("charge.refunded", stripe.Objects.RefundInDashboard(intent, 100))).ShouldBeTrue();
        await gate.Of<ChargeDesk>().CatchUpAsync(default);
        var payment = await PaidAsync(intent);
        await gate.Of<ChargeDesk>().CatchUpAsync(default);
        (await RefundsAsync(payment)).Single().Captured.ShouldBe(Price);
        await gate.Of<ChargeDesk>().CatchUpAsync(default);
        (await RefundsAsync(payment)).Count.ShouldBe(1);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task While_Stripe_does_not_answer_it_is_to_tell_it_again()
    {
        var (payment, intent) = await PaidAsync();
        var charge = stripe.Objects.RefundInDashboard(intent, 100);
        stripe.Down = true;
        (await TellAsync("charge.refunded", charge, "evt_1")).ShouldBeFalse();
        stripe.Down = false;
        (await TellAsync("charge.refunded", charge, "evt_1")).ShouldBeTrue();
        (await RefundsAsync(payment)).Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_refund_that_fails_after_all_is_taken_back_by_new_entries()
    {
        var (payment, intent) = await PaidAsync();
        await TellAsync("charge.refunded", stripe.Objects.RefundInDashboard(intent, 100));
        var refund = stripe.Objects.All("refund")[^1];
        refund["status"] = "failed";
        for (var i = 0; i < 2; i++) await TellAsync("refund.failed", refund);
        (await TotalsAsync()).ShouldBe("external -1.00 USD, refunded 0.00 USD, revenue 1.00 USD");
        (await Refundable.LeftAsync(gate.Ledger, payment, default)).ShouldBe(Price);
        await ShouldHoldAsync(payment, AuditKinds.RefundFailed, 1);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_lost_dispute_is_the_owners_loss_once_and_stands_with_the_payment(bool backwards)
    {
        var (payment, intent) = await PaidAsync();
        var dispute = stripe.Objects.Dispute(intent);
        var opened = dispute.DeepClone();
        if (!backwards) await TellAsync("charge.dispute.created", opened);
        (await RefundsAsync(payment)).ShouldBeEmpty("it is not lost");
        dispute["status"] = "lost";
        await TellAsync("charge.dispute.closed", dispute);
        await TellAsync("charge.dispute.funds_withdrawn", opened);
        await TellAsync("charge.dispute.created", opened, "evt_opened");
        await TellAsync("charge.dispute.closed", dispute);
        (await RefundsAsync(payment)).Select(r => $"{r.Captured} {r.Reference} {r.Hold.Method}").ShouldBe([$"1.00 USD {dispute["id"]} told.dispute"]);
        (await TotalsAsync()).ShouldBe("external 0.00 USD, loss -1.00 USD, revenue 1.00 USD");
        await ShouldHoldAsync(payment, AuditKinds.DisputeOpened, 1);
    }

    [Fact]
    public async Task A_won_dispute_moves_nothing_and_its_evidence_is_the_call()
    {
        var (payment, intent) = await PaidAsync();
        var dispute = stripe.Objects.Dispute(intent);
        await TellAsync("charge.dispute.created", dispute);
        var known = (await gate.Of<DisputeStore>().FindAsync((string)dispute["id"]!, default)).ShouldNotBeNull();
        (await gate.Of<DisputeDesk>().SubmitAsync(known, null, default)).ShouldBeNull();
        ((string)stripe.Objects[known.Id]["evidence"]!["access_activity_log"]!).ShouldContain(payment.Hold.Receipt);
        dispute["status"] = "won";
        await TellAsync("charge.dispute.closed", dispute);
        (await RefundsAsync(payment)).ShouldBeEmpty();
        (await TotalsAsync()).ShouldBe("external -1.00 USD, revenue 1.00 USD");
    }

    [Fact]
    public async Task What_became_credit_for_no_answer_is_taken_out_of_it_and_what_of_it_is_spent_is_a_loss()
    {
        var (payment, intent) = await PaidAsync(delivered: false);
        await TellAsync("charge.refunded", stripe.Objects.RefundInDashboard(intent, 40));
        (await gate.Ledger.AvailableAsync("credit:" + payment.Hold.Payer, "USD", default)).ToString().ShouldBe("0.60 USD");
        await gate.Ledger.PostAsync(new Transfer("spent", "credit:" + payment.Hold.Payer, "revenue:data", new Money(600_000_000, "USD"), "spent", LimitedFrom: true, LimitedTo: false), default);
        await TellAsync("charge.refunded", stripe.Objects.RefundInDashboard(intent, 60));
        (await TotalsAsync()).ShouldBe("credit 0.00 USD, external 0.00 USD, loss -0.60 USD, revenue 0.60 USD");
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_token_that_was_bought_with_it_ends_and_loses_what_it_has()
    {
        var (payment, intent) = await PaidAsync(operation: "buy.data");
        var token = TokenText.IdFor(payment.Hold.Receipt);
        await gate.Of<TokenDesk>().IssueAsync(new TokenOrder(Price), "revenue:buy.data", token);
        await TellAsync("charge.refunded", stripe.Objects.RefundInDashboard(intent, 100));
        (await gate.Of<TokenDesk>().FindAsync(token, default))!.Status.ShouldBe(TokenStatus.Revoked);
        (await gate.Ledger.AvailableAsync("token:" + token, "USD", default)).IsZero.ShouldBeTrue();
        (await TotalsAsync()).ShouldBe("external 0.00 USD, loss 0.00 USD, revenue 0.00 USD, token 0.00 USD");
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_top_up_that_was_bought_with_it_goes_back_and_leaves_the_token_to_its_other_money()
    {
        var (payment, intent) = await PaidAsync(operation: "buy.data");
        var token = await gate.Of<TokenDesk>().IssueAsync(new TokenOrder(Price), "external:owner");
        await gate.Ledger.PostAsync(new Transfer($"topup:{payment.Hold.Receipt}", "revenue:buy.data", token.Account, Price, "topup", LimitedFrom: false, LimitedTo: true), default);
        await TellAsync("charge.refunded", stripe.Objects.RefundInDashboard(intent, 100));
        (await gate.Of<TokenDesk>().FindAsync(token.Id, default))!.Status.ShouldBe(TokenStatus.Active);
        (await gate.Ledger.AvailableAsync(token.Account, "USD", default)).ShouldBe(Price);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task Two_who_are_told_at_once_book_it_once()
    {
        var (payment, intent) = await PaidAsync();
        var charge = stripe.Objects.RefundInDashboard(intent, 55);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() => TellAsync("charge.refunded", charge, "evt_" + i))));
        (await RefundsAsync(payment)).Single().Captured.ToString().ShouldBe("0.55 USD");
        (await TotalsAsync()).ShouldBe("external -0.45 USD, refunded -0.55 USD, revenue 1.00 USD");
        await gate.ShouldBalanceAsync();
    }

    private async Task<bool> TellAsync(string type, JsonNode about, string? id = null)
    {
        var (body, _) = stripe.Event(type, about, gate.Time.GetUtcNow(), id);
        return await gate.Of<StripeInbox>().ToldAsync(null, null, StripeEvent.Parse(Encoding.UTF8.GetBytes(body)).ShouldNotBeNull(), default);
    }

    private async Task<(HoldState Payment, string Intent)> PaidAsync(bool delivered = true, string operation = "data")
    {
        var intent = (string)stripe.Objects.Payments.Charged("", 100, "usd", StripeCards.Good, null, null)["id"]!;
        return (await PaidAsync(intent, delivered, operation), intent);
    }

    /// <summary>As a call leaves it that was paid by card.</summary>
    private async Task<HoldState> PaidAsync(string intent, bool delivered = true, string operation = "data")
    {
        var id = $"stripe:challenge-{++payments}";
        var hold = new Hold
        {
            Id = id, Legs = [new Leg("external:stripe:card", "revenue:" + operation, Price, Limited: false)], Binding = "b", Receipt = $"r_{payments}", Correlation = $"c_{payments}", Operation = operation, Payer = "stripe:card",
            Method = "mpp.stripe", PriceVersion = "v1", Request = "GET /data",
        };
        (await gate.Ledger.HoldAsync(hold, default)).ShouldBeOfType<HoldResult.Held>();
        await gate.Ledger.CaptureAsync(new Capture(id, Price), default);
        var settled = await gate.Ledger.SettledAsync(id, intent, "100", [], default);
        if (delivered) await gate.Ledger.FinishAsync(id, HoldOutcome.Delivered, [], default);
        else await gate.Ledger.CreditAsync(id, Turnpike.Payments.Undelivered.Credits(settled), default);
        return (await gate.Ledger.FindAsync(id, default))!;
    }

    private async Task<IReadOnlyList<HoldState>> RefundsAsync(HoldState payment) => await gate.Ledger.ListAsync(new HoldFilter(Correlation: payment.Hold.Correlation, Refunds: true), default);

    private async Task<string> TotalsAsync() => string.Join(", ", (await gate.Ledger.VerifyAsync(default)).Totals.Where(t => t.Sum.Currency == "USD").OrderBy(t => t.Role, StringComparer.Ordinal).Select(t => $"{t.Role} {t.Sum}"));

    private async Task ShouldHoldAsync(HoldState payment, string kind, int times)
    {
        await gate.ShouldBalanceAsync();
        (await gate.Of<IAuditTrail>().ReadAsync(new AuditFilter(Correlation: payment.Hold.Correlation, Most: 100), default)).Count(e => e.Event.Kind == kind).ShouldBe(times);
    }
}
