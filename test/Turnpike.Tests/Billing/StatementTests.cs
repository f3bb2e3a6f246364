using Turnpike.Billing.Invoices;
using Turnpike.Billing.Statements;
using Turnpike.Ledger;
using Turnpike.Tests.Billing.Stripe;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Billing;

/// <summary>The owner's statement and the accountant's export: other views of the same entries.</summary>
public sealed class StatementTests : IDisposable
{
    private static readonly DateTimeOffset Ever = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero), Never = new(2090, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly TestGate gate = PostpaidTests.Gate();

    public void Dispose() => gate.Dispose();

    /// <summary>Two tokens sold, one half spent and one expired; three calls on account, invoiced and paid; two more, not billed.</summary>
    private async Task TradeAsync()
    {
        var bearer = await gate.TokenAsync("1.00 USD");
        for (var i = 0; i < 2; i++) (await gate.GetAsync("/data", ("Authorization", bearer))).Status.ShouldBe(200);
        await gate.TokenAsync("2.00 USD", t => t with { Valid = TimeSpan.FromDays(1), Calls = 5 });
        var key = await PostpaidTests.KeyAsync(gate);
        await PostpaidTests.CallAsync(gate, key, 10);
        PostpaidTests.NextMonth(gate);
        await gate.Of<Biller>().RoundAsync(default);
        await gate.Of<InvoiceDesk>().PaidAsync((await PostpaidTests.OneAsync(gate)).Id, "bank", "1", default);
        await PostpaidTests.CallAsync(gate, key, 2);
    }

    [Fact]
    public async Task Its_sums_by_role_are_those_of_the_ledger_and_revenue_is_what_was_delivered()
    {
        await TradeAsync();
        var statement = await gate.Of<StatementDesk>().WriteAsync(Ever, Never, default);
        statement.Roles.Where(r => !r.Closing.IsZero).Select(r => (r.Role, r.Closing)).ShouldBe((await gate.Ledger.VerifyAsync(default)).Totals.Where(t => !t.Sum.IsZero).OrderBy(t => (t.Role, t.Sum.Currency)).Select(t => (t.Role, t.Sum)), ignoreOrder: true);
        statement.Rails.Where(r => r.Currency == "USD").Select(r => (r.Rail, r.Taken.ToDecimal())).ShouldBe([("bank", "0.13"), ("owner", "3.00")]);
        statement.Revenue.ShouldHaveSingleItem().ToString().ShouldBe("0.182 USD", "fourteen calls");
        statement.Deferred.ShouldHaveSingleItem().ToString().ShouldBe("2.974 USD", "two tokens, less two calls");
        statement.Expired.ShouldHaveSingleItem().ToString().ShouldBe("2.00 USD");
        statement.Receivable.ShouldHaveSingleItem().ToString().ShouldBe("0.026 USD");
    }

    [Fact]
    public async Task Two_halves_of_a_time_add_up_to_the_whole()
    {
        await TradeAsync();
        var cut = gate.Time.GetUtcNow().AddDays(-1);
        var (whole, first, second) = (await Write(Ever, Never), await Write(Ever, cut), await Write(cut, Never));
        foreach (var role in whole.Roles)
        {
            var parts = new[] { first, second }.SelectMany(s => s.Roles).Where(r => (r.Role, r.Currency) == (role.Role, role.Currency)).ToList();
            (parts.Sum(p => p.In.Units), parts.Sum(p => p.Out.Units)).ShouldBe((role.In.Units, role.Out.Units), role.Role);
            second.Roles.Single(r => (r.Role, r.Currency) == (role.Role, role.Currency)).Closing.ShouldBe(role.Closing);
        }

        async Task<Statement> Write(DateTimeOffset from, DateTimeOffset to) => await gate.Of<StatementDesk>().WriteAsync(from, to, default);
    }

    [Fact]
    public async Task The_export_is_double_entry_each_transaction_sums_to_zero_and_every_account_to_the_ledgers()
    {
        await TradeAsync();
        var csv = new StringWriter();
        await BookExport.WriteAsync(gate.Of<BookStore>(), Ever, Never, beancount: false, csv, default);
        var rows = csv.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(l => l.Split(',')).ToList();
        rows.GroupBy(r => (r[0], r[1], r[2], r[3], r[6])).ShouldAllBe(t => t.Sum(r => decimal.Parse(r[5], System.Globalization.CultureInfo.InvariantCulture)) == 0);
        var totals = (await gate.Ledger.VerifyAsync(default)).Totals.Where(t => t.Sum.Currency == "USD");
        foreach (var role in rows.GroupBy(r => r[4].Split(':')[0]))
            role.Sum(r => decimal.Parse(r[5], System.Globalization.CultureInfo.InvariantCulture)).ShouldBe(totals.Single(t => t.Role == role.Key).Sum.Units / 1_000_000_000m, role.Key);
        rows.ShouldNotContain(r => r[6] != "USD", "what is counted is no money");

        var beans = new StringWriter();
        await BookExport.WriteAsync(gate.Of<BookStore>(), Ever, Never, beancount: true, beans, default);
        var text = beans.ToString();
        text.ShouldContain("  Assets:External:Bank  0.13 USD\n");
        text.ShouldContain("  Income:Revenue:Data  -0.013 USD\n");
        foreach (var transaction in text.Split("\n\n").Skip(1))
            transaction.Split('\n').Where(l => l.StartsWith("  ", StringComparison.Ordinal) && l.EndsWith(" USD", StringComparison.Ordinal)).Sum(l => decimal.Parse(l.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], System.Globalization.CultureInfo.InvariantCulture)).ShouldBe(0, transaction);
    }

    [Theory]
    [InlineData("=cmd()", "'=cmd()")]
    [InlineData("a,\"b\"", "\"a,\"\"b\"\"\"")]
    public void What_a_caller_chose_is_no_formula_in_a_spreadsheet(string text, string written) => BookExport.Csv(text).ShouldBe(written);

    [Fact]
    public async Task Stripe_tells_its_fees_and_payouts_itself()
    {
        var stripe = new StripeDouble("sk_test_hush", "whsec_hush");
        using var some = PostpaidTests.Gate(more: """billing: { stripe: { secret-key: "${env:STRIPE_SECRET_KEY}", webhook-secret: "${env:STRIPE_WEBHOOK_SECRET}", api: "${env:STRIPE_API}" } }""");
        some.Sites["127.0.0.1"] = stripe.Handle;
        await PostpaidTests.CallAsync(some, await PostpaidTests.KeyAsync(some), 100);
        PostpaidTests.NextMonth(some);
        await some.Of<Biller>().RoundAsync(default);
        var invoice = await PostpaidTests.OneAsync(some);
        stripe.Objects.PayInvoice(invoice.StripeInvoice!);
        stripe.Objects.PayOut("", 90, "usd");
        await some.Of<StripeInvoicer>().LookAsync(invoice, default);
        var rail = (await some.Of<StatementDesk>().WriteAsync(Ever, Never, default)).Rails.Single(r => r.Rail == "stripe");
        (rail.Taken.ToString(), rail.Fees.ToString(), rail.PaidOut.ToString()).ShouldBe(("1.30 USD", "0.33 USD", "0.90 USD"));
        stripe.Down = true;
        (await some.Of<StatementDesk>().WriteAsync(Ever, Never, default)).Rails.Single(r => r.Rail == "stripe").Fees.ShouldBeNull("not told is not nothing");
    }
}
