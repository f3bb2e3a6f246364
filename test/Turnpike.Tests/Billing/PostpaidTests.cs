using Turnpike.Billing.Invoices;
using Turnpike.Catalog;
using Turnpike.Identity;
using Turnpike.Ledger;
using Turnpike.Plans;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Billing;

/// <summary>Calls on account, and the invoices they become, without Stripe.</summary>
public sealed class PostpaidTests : IDisposable
{
    private readonly TestGate gate = Gate();

    public void Dispose() => gate.Dispose();

    internal static TestGate Gate(string postpaid = "per: 1mo", string includes = "", string more = "") => new(document: $$"""
        payments: { prepaid: { secret: "${env:TURNPIKE_TOKEN_SECRET}" } }
        services:
          s:
            upstream: "${env:UPSTREAM}"
            operations:
              data: { match: GET /data, price: 0.013 USD, accept: [plan, prepaid] }
              fine: { match: GET /fine, price: 0.000000007 USD, accept: [plan, prepaid] }
        plans:
          account: { postpaid: { {{postpaid}} }, includes: [{{includes}}] }
          large: { postpaid: { per: 1mo, fee: 90.00 USD } }
        {{more}}
        """);

    internal static async Task<string> KeyAsync(TestGate gate, string plan = "account", string caller = "acme")
    {
        await gate.Of<CallerDesk>().PutAsync(new Caller(caller) { Plan = plan }, default);
        return (await gate.Of<CallerDesk>().IssueAsync(caller, CredentialRules.None, null, default)).Text;
    }

    internal static async Task CallAsync(TestGate gate, string key, int times, string path = "/data")
    {
        for (var i = 0; i < times; i++) (await gate.GetAsync(path, ("x-api-key", key))).Status.ShouldBe(200);
    }

    internal static void PassTo(TestGate gate, int year, int month, int day) => gate.Time.Pass(new DateTimeOffset(year, month, day, 0, 10, 0, TimeSpan.Zero) - gate.Time.GetUtcNow());

    internal static void NextMonth(TestGate gate)
    {
        var next = gate.Time.GetUtcNow().AddMonths(1);
        PassTo(gate, next.Year, next.Month, 1);
    }

    internal static async Task<Invoice> OneAsync(TestGate gate, string caller = "acme") => (await gate.Of<InvoiceStore>().ListAsync(caller, null, 1, default)).ShouldHaveSingleItem();

    internal static async Task<long> SumAsync(TestGate gate, string role) => (await gate.Ledger.VerifyAsync(default)).Totals.Where(t => t.Role == role && t.Sum.Currency == "USD").Sum(t => t.Sum.Units);

    private Task RoundAsync() => gate.Of<Biller>().RoundAsync(default);

    [Fact]
    public async Task What_was_called_in_a_month_is_one_invoice_that_equals_the_ledger_to_the_last_unit()
    {
        var key = await KeyAsync(gate);
        await CallAsync(gate, key, 3);
        await CallAsync(gate, key, 2, "/fine");
        await RoundAsync();
        (await gate.Of<InvoiceStore>().ListAsync(null, null, 9, default)).ShouldBeEmpty("the month is not over");
        NextMonth(gate);
        await RoundAsync();
        await RoundAsync();
        var invoice = await OneAsync(gate);
        invoice.Status.ShouldBe(InvoiceStatus.Open);
        invoice.Name.ShouldBe("INV-000001");
        invoice.Lines.Select(l => (l.Of, l.Calls, l.Amount)).ShouldBe([("data", 3, 39_000_000), ("fine", 2, 14)]);
        invoice.Total.ToString().ShouldBe("0.039000014 USD");
        invoice.Charged.ToString().ShouldBe("0.03 USD", "whole cents, once");
        invoice.Forward.ToString().ShouldBe("0.009000014 USD");
        (await SumAsync(gate, "unbilled")).ShouldBe(0);
        (await SumAsync(gate, "invoiced")).ShouldBe(-invoice.Total.Units);
        (await SumAsync(gate, "revenue")).ShouldBe(invoice.Total.Units, "earned when it was delivered");
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task What_is_less_than_a_cent_is_carried_to_the_next_invoice_and_what_is_paid_leaves_only_that()
    {
        var key = await KeyAsync(gate);
        await CallAsync(gate, key, 3);
        NextMonth(gate);
        await RoundAsync();
        (await gate.Of<InvoiceDesk>().PaidAsync((await OneAsync(gate)).Id, "bank", "wire-1", default)).ShouldBeTrue();
        await CallAsync(gate, key, 1);
        NextMonth(gate);
        await RoundAsync();
        var second = (await gate.Of<InvoiceStore>().ListAsync("acme", null, 9, default))[0];
        (second.Carried.Units, second.Total.Units, second.Charged.Units).ShouldBe((9_000_000, 13_000_000, 20_000_000));
        await gate.Of<InvoiceDesk>().PaidAsync(second.Id, "bank", null, default);
        (await gate.Of<InvoiceDesk>().PaidAsync(second.Id, "bank", null, default)).ShouldBeTrue("told twice, booked once");
        (await SumAsync(gate, "invoiced")).ShouldBe(-2_000_000, "the rest of a cent");
        (await SumAsync(gate, "external")).ShouldBe(-50_000_000);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task What_is_included_is_taken_first_and_only_what_goes_beyond_is_billed()
    {
        using var some = Gate(includes: "{ amount: 2 requests, per: 1mo }");
        var key = await KeyAsync(some);
        await CallAsync(some, key, 5);
        NextMonth(some);
        await some.Of<Biller>().RoundAsync(default);
        (await OneAsync(some)).Lines.ShouldHaveSingleItem().Calls.ShouldBe(3);
        await some.ShouldBalanceAsync();
    }

    [Fact]
    public async Task The_limit_of_an_account_holds_under_concurrency_and_other_ways_to_pay_go_on()
    {
        using var some = Gate("per: 1mo, limit: 0.04 USD");
        var key = await KeyAsync(some);
        var told = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(() => some.GetAsync("/data", ("x-api-key", key)))));
        told.Count(t => t.Status == 200).ShouldBe(3);
        var no = told.First(t => t.Status != 200);
        (no.Status, no.Reason).ShouldBe((402, "credit-line-reached"));
        (await some.GetAsync("/data", ("x-api-key", key), ("Authorization", await some.TokenAsync()))).Status.ShouldBe(200);
        NextMonth(some);
        await CallAsync(some, key, 1);
        await some.ShouldBalanceAsync();
    }

    [Theory]
    [InlineData("pay", 402, "invoice-past-due")]
    [InlineData("refuse", 403, "account-past-due")]
    public async Task An_unpaid_invoice_is_past_due_and_after_its_grace_nothing_more_is_taken_on_account_until_it_is_paid(string when, int status, string reason)
    {
        using var some = Gate($"per: 1mo, due: 14d, grace: 3d, when-past-due: {when}");
        var key = await KeyAsync(some);
        await CallAsync(some, key, 3);
        NextMonth(some);
        await some.Of<Biller>().RoundAsync(default);
        some.Time.Pass(TimeSpan.FromDays(14));
        await some.Of<Biller>().RoundAsync(default);
        (await OneAsync(some)).Status.ShouldBe(InvoiceStatus.PastDue);
        await CallAsync(some, key, 1);
        some.Time.Pass(TimeSpan.FromDays(3));
        await some.Of<Biller>().RoundAsync(default);
        var no = await some.GetAsync("/data", ("x-api-key", key));
        (no.Status, no.Reason).ShouldBe((status, reason));
        await some.Of<InvoiceDesk>().PaidAsync((await OneAsync(some)).Id, "bank", null, default);
        await some.Of<InvoiceDesk>().RememberAsync(default);
        await CallAsync(some, key, 1);
        await some.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_fee_is_for_the_time_its_plan_was_had_and_parts_of_a_month_add_up_to_the_whole()
    {
        await KeyAsync(gate, "large");
        await RoundAsync();
        NextMonth(gate);
        var start = gate.Time.GetUtcNow();
        await RoundAsync();
        gate.Time.Pass(TimeSpan.FromDays(10));
        await KeyAsync(gate, "account");
        await RoundAsync();
        gate.Time.Pass(TimeSpan.FromDays(5));
        await KeyAsync(gate, "large");
        await RoundAsync();
        NextMonth(gate);
        await RoundAsync();
        var invoice = (await gate.Of<InvoiceStore>().ListAsync("acme", null, 1, default))[0];
        var days = DateTime.DaysInMonth(start.Year, start.Month);
        invoice.Lines.ShouldHaveSingleItem().Amount.ShouldBeInRange(90_000_000_000L * (days - 5) / days - 10, 90_000_000_000L * (days - 5) / days);
        (await SumAsync(gate, "unbilled")).ShouldBe(0);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public void Shares_of_a_fee_never_lose_a_unit()
    {
        var (start, end) = (new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero), new DateTimeOffset(2026, 2, 1, 0, 0, 0, TimeSpan.Zero));
        DateTimeOffset[] cuts = [start, .. Enumerable.Range(1, 30).Select(i => start + TimeSpan.FromSeconds(i * 77_777.777)), end];
        cuts.Zip(cuts.Skip(1)).Sum(c => new PlanSpan("a", c.First, "p", new Money(49_990_000_001, "USD"), c.Second).ShareOf(start, end)).ShouldBe(49_990_000_001);
    }

    [Fact]
    public async Task A_crash_between_any_two_steps_bills_nothing_twice_and_loses_nothing()
    {
        var key = await KeyAsync(gate);
        await CallAsync(gate, key, 5);
        NextMonth(gate);
        // The draft is written, and the process dies before its movements are in the books.
        await gate.Of<InvoiceMaker>().MakeAsync(_ => new ValueTask<Postpaid?>((Postpaid?)null), default);
        (await SumAsync(gate, "unbilled")).ShouldBe(-65_000_000);
        using var next = gate.Restart();
        await next.Of<Biller>().RoundAsync(default);
        (await SumAsync(next, "unbilled")).ShouldBe(0);
        // It was paid, and the process dies before the money is in the books.
        var invoice = await OneAsync(next);
        (await next.Of<InvoiceStore>().EndAsync(invoice.Id, InvoiceStatus.Paid, "bank:1", default)).ShouldBeTrue();
        (await SumAsync(next, "invoiced")).ShouldBe(-65_000_000);
        await next.Of<Biller>().RoundAsync(default);
        await next.Of<Biller>().RoundAsync(default);
        (await SumAsync(next, "invoiced")).ShouldBe(-5_000_000);
        await next.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_credit_note_takes_back_once_never_more_than_was_charged_and_pays_out_what_had_been_paid()
    {
        var key = await KeyAsync(gate);
        await CallAsync(gate, key, 10);
        NextMonth(gate);
        await RoundAsync();
        var (desk, id) = (gate.Of<InvoiceDesk>(), (await OneAsync(gate)).Id);
        Money.TryParse("0.03 USD", out var some);
        (await desk.WriteNoteAsync(id, some, "late", "k1", default)).ShouldNotBeNull().PaidOut.ShouldBeFalse();
        (await desk.WriteNoteAsync(id, some, "late", "k1", default)).ShouldNotBeNull("the same again");
        (await OneAsync(gate)).Owed.ToString().ShouldBe("0.10 USD");
        await desk.PaidAsync(id, "bank", null, default);
        (await desk.WriteNoteAsync(id, some, "again", "k2", default)).ShouldNotBeNull().PaidOut.ShouldBeTrue();
        Money.TryParse("0.08 USD", out var much);
        (await desk.WriteNoteAsync(id, much, "too much", "k3", default)).ShouldBeNull();
        (await SumAsync(gate, "invoiced")).ShouldBe(0);
        (await SumAsync(gate, "external")).ShouldBe(-70_000_000, "0.10 came, 0.03 went back");
        (await SumAsync(gate, "refunded")).ShouldBe(-60_000_000);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task What_was_given_up_is_a_loss_and_money_again_when_it_is_paid_after_all()
    {
        var key = await KeyAsync(gate);
        await CallAsync(gate, key, 10);
        NextMonth(gate);
        await RoundAsync();
        var (desk, id) = (gate.Of<InvoiceDesk>(), (await OneAsync(gate)).Id);
        (await desk.GiveUpAsync(id, "bankrupt", default)).ShouldBeTrue();
        (await SumAsync(gate, "loss")).ShouldBe(-130_000_000);
        (await desk.PaidAsync(id, "bank", null, default)).ShouldBeTrue();
        (await SumAsync(gate, "loss")).ShouldBe(0);
        (await desk.VoidAsync(id, "no", default)).ShouldBeFalse("what is paid stays so");
        (await SumAsync(gate, "external")).ShouldBe(-130_000_000);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task An_answer_that_did_not_arrive_is_not_billed_and_what_is_refunded_later_corrects_the_next_invoice()
    {
        var key = await KeyAsync(gate);
        await CallAsync(gate, key, 2);
        var paid = (await gate.Ledger.ListAsync(new HoldFilter(), default))[0];
        NextMonth(gate);
        await RoundAsync();
        paid = (await gate.Ledger.FindAsync(paid.Hold.Id, default))!;
        var refund = new Turnpike.Payments.Refunds.RefundOrder(paid, null, Turnpike.Payments.Refunds.RefundAs.Credit, "wrong answer", "k");
        (await gate.Of<Turnpike.Payments.Refunds.CashierReturns>().RefundAsync(refund, default)).ShouldBeOfType<Turnpike.Payments.Refunds.RefundResult.Ordered>();
        await CallAsync(gate, key, 3);
        NextMonth(gate);
        await RoundAsync();
        var second = (await gate.Of<InvoiceStore>().ListAsync("acme", null, 9, default))[0];
        second.Lines.Select(l => (l.Kind, l.Amount)).ShouldBe([("usage", 39_000_000), ("correction", -13_000_000)]);
        (await SumAsync(gate, "unbilled")).ShouldBe(0);
        await gate.ShouldBalanceAsync();
    }
}
