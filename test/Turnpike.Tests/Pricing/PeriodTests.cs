using System.Globalization;
using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Payments.Metered;
using Turnpike.Pricing.Periods;
using Turnpike.Tests.Catalog;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Pricing;

/// <summary>Tiers that count over a caller's month, call by call, in the published worked examples, at once and after crashes.</summary>
public sealed class PeriodTests : IDisposable
{
    private const string StripesTiers = "[{ up-to: 5, each: 7.00 USD }, { up-to: 10, each: 6.50 USD }, { each: 6.00 USD }]";

    private TestGate gate = null!;

    public void Dispose() => gate?.Dispose();

    /// <summary>Stripe's fonts, Lago's calls: what so many come to in a month, however many calls they come in.</summary>
    [Theory]
    [InlineData("graduated: " + StripesTiers, 1, "7.00 USD")]
    [InlineData("graduated: " + StripesTiers, 5, "35.00 USD")]
    [InlineData("graduated: " + StripesTiers, 6, "41.50 USD")]
    [InlineData("graduated: " + StripesTiers, 20, "127.50 USD")]
    [InlineData("graduated: " + StripesTiers, 25, "157.50 USD")]
    [InlineData("volume: " + StripesTiers, 5, "35.00 USD")]
    [InlineData("volume: " + StripesTiers, 6, "39.00 USD")]
    [InlineData("volume: " + StripesTiers, 20, "120.00 USD")]
    [InlineData("volume: " + StripesTiers, 25, "150.00 USD")]
    [InlineData("package: 100, price: 5.00 USD", 201, "15.00 USD")]
    [InlineData("package: 100, price: 5.00 USD, free: 100", 201, "10.00 USD")] // Lago's
    [InlineData("graduated: [{ up-to: 100, each: 1.00 USD }, { up-to: 200, each: 0.50 USD }, { each: 0.10 USD }]", 250, "155.00 USD")]
    [InlineData("each: 0.05 USD", 1000, "50.00 USD")]
    [InlineData("each: 0.05 USD, free: 900", 1000, "5.00 USD")]
    [InlineData("graduated: [{ up-to: 100 }, { each: 0.10 USD }]", 100, "0.00 USD")]
    [InlineData("graduated: [{ up-to: 100 }, { each: 0.10 USD }]", 130, "3.00 USD")]
    [InlineData("graduated: [{ up-to: 10, each: 1.00 USD, flat: 5.00 USD }, { each: 0.50 USD, flat: 2.00 USD }]", 11, "17.50 USD")]
    public async Task A_month_of_single_calls_comes_to_what_is_published_for_all_of_them(string rate, int count, string total)
    {
        gate = Priced(rate);
        gate.Upstream.Says(() => Pages(count > 50 ? 10 : 1));
        var (token, left) = (await gate.TokenAsync("1000.00 USD"), count);
        if (count > 50) for (; left >= 10; left -= 10) (await AskAsync(token)).Status.ShouldBe(200);
        gate.Upstream.Says(() => Pages(1));
        for (; left > 0; left--) (await AskAsync(token)).Status.ShouldBe(200);
        (await TakenAsync(token)).ToString().ShouldBe(total);
    }

    [Fact]
    public async Task What_was_paid_before_a_volume_became_cheaper_counts_for_what_follows_and_nothing_goes_back()
    {
        gate = Priced("volume: [{ up-to: 3, each: 1.00 USD }, { each: 0.50 USD }]");
        var token = await gate.TokenAsync("1000.00 USD");
        var costs = new List<string>();
        for (var i = 0; i < 8; i++)
        {
            gate.Upstream.Says(() => Pages(1));
            costs.Add((await AskAsync(token)).Headers["Turnpike-Cost"].ToString());
        }
        // 1, 2, 3; then 2.00, 2.50 and 3.00 for 4, 5 and 6, which is paid; the seventh is the first that costs again.
        costs.ShouldBe(["1.00 USD", "1.00 USD", "1.00 USD", "0.00 USD", "0.00 USD", "0.00 USD", "0.50 USD", "0.50 USD"]);
    }

    [Fact]
    public async Task A_thousand_calls_at_once_come_to_what_one_would_to_the_nano()
    {
        gate = Priced("graduated: [{ up-to: 333, each: 0.05 USD }, { up-to: 777, each: 0.03 USD }, { each: 0.007 USD }]");
        gate.Upstream.Says(() => Pages(1));
        var token = await gate.TokenAsync("1000000.00 USD"); // each holds the ceiling until it is told
        var all = await Task.WhenAll(Enumerable.Range(0, 1000).Select(_ => Task.Run(() => AskAsync(token))));
        all.ShouldAllBe(told => told.Status == 200);
        (await TakenAsync(token, 1_000_000)).ShouldBe(new Money(333 * 50_000_000L + 444 * 30_000_000L + 223 * 7_000_000L, "USD"));
    }

    [Fact]
    public async Task Everybody_has_a_month_of_their_own_and_a_new_one_begins_in_the_owners_zone()
    {
        gate = Priced("graduated: [{ up-to: 2, each: 1.00 USD }, { each: 0.10 USD }]", ", time-zone: Europe/Berlin");
        gate.Upstream.Says(() => Pages(3));
        var (one, other) = (await gate.TokenAsync("1000.00 USD"), await gate.TokenAsync("1000.00 USD"));
        (await AskAsync(one)).Headers["Turnpike-Cost"].ToString().ShouldBe("2.10 USD");
        (await AskAsync(one)).Headers["Turnpike-Cost"].ToString().ShouldBe("0.30 USD");
        (await AskAsync(other)).Headers["Turnpike-Cost"].ToString().ShouldBe("2.10 USD");
        var next = gate.Time.GetUtcNow().AddMonths(1);
        var midnight = new DateTimeOffset(next.Year, next.Month, 1, 0, 0, 0, TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin").GetUtcOffset(new DateTime(next.Year, next.Month, 1, 0, 0, 0, DateTimeKind.Unspecified)));
        gate.Time.Pass(midnight.AddSeconds(-1) - gate.Time.GetUtcNow());
        (await AskAsync(one)).Headers["Turnpike-Cost"].ToString().ShouldBe("0.30 USD");
        gate.Time.Pass(TimeSpan.FromSeconds(1));
        (await AskAsync(one)).Headers["Turnpike-Cost"].ToString().ShouldBe("2.10 USD");
    }

    /// <summary>The attack: another name for the model with each call, and what is free of a month is free of each call.</summary>
    [Theory]
    [InlineData("per-million: { input_tokens: { each: 1000.00 USD, free: 20, per: 1mo } }")]
    [InlineData("by: $.model, other-models: usual, per-million: { usual: { input_tokens: { each: 1000.00 USD, free: 20, per: 1mo } } }")]
    public async Task A_callers_own_word_for_a_model_begins_no_month_of_its_own(string rates)
    {
        gate = new TestGate(document: Document($"price: {{ ceiling: 100.00 USD, {rates} }}").Replace("match: GET /o, usage: { pages: \"header:x-pages\" }", "match: POST /o, usage: openai", StringComparison.Ordinal));
        var token = await gate.TokenAsync("1000.00 USD");
        var costs = new List<string>();
        foreach (var name in new[] { "a", "b", "usual" })
        {
            gate.Upstream.Says(() => Metering.MeteredGate.Json($$$"""{"model":"{{{name}}}","choices":[],"usage":{"prompt_tokens":20,"completion_tokens":0,"total_tokens":20}}"""));
            costs.Add((await gate.SendAsync(new Ask("POST", "/o", ("Authorization", token), ("Content-Type", "application/json")) { Body = $$"""{"model":"{{name}}","max_tokens":1}""" })).Headers["Turnpike-Cost"].ToString());
        }
        costs.ShouldBe(["0.00 USD", "0.02 USD", "0.02 USD"]);
    }

    [Fact]
    public async Task What_is_held_covers_the_dearest_place_a_call_can_come_to_and_the_rest_goes_back()
    {
        gate = new TestGate(document: Document("price: { ceiling: 100.00 USD, per-unit: { requests: { graduated: [{ up-to: 2 }, { each: 1.00 USD }], per: 1mo } } }"));
        (await AskAsync(await gate.TokenAsync("0.99 USD"))).Reason.ShouldBe("token-exhausted", "at any place in the month it must be payable");
        (await AskAsync(await gate.TokenAsync("5.00 USD"))).Headers["Turnpike-Cost"].ToString().ShouldBe("0.00 USD");
        (await gate.Ledger.ListAsync(new HoldFilter(), default))[0].Hold.Ceiling.ToString().ShouldBe("1.00 USD");
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_crash_between_the_count_and_the_money_charges_what_was_counted()
    {
        gate = Priced("graduated: [{ up-to: 2, each: 1.00 USD }, { each: 0.10 USD }]");
        var (token, inside, never) = (await gate.TokenAsync("1000.00 USD"), new TaskCompletionSource(), new TaskCompletionSource<HttpResponseMessage>());
        gate.Upstream.Answer = (_, _) => { inside.TrySetResult(); return never.Task; };
        _ = AskAsync(token);
        await inside.Task;
        var open = (await gate.Ledger.ListAsync(new HoldFilter(), default))[0];
        var rate = RateOf(gate);
        await gate.Of<PeriodStore>().TakeAsync(open.Hold.Receipt, open.Hold.Payer, [new PeriodUse("pages", "o//pages", rate, 3)], gate.Time.GetUtcNow(), due => 2_100_000_000, default);
        using var after = gate.Restart();
        await after.Of<Settler>().RecoverAsync(default);
        (await after.Ledger.AvailableAsync("token:" + TestGate.IdOf(token), "USD", default)).ToString().ShouldBe("997.90 USD");
        after.Upstream.Says(() => Pages(1));
        (await after.GetAsync("/o", ("Authorization", token))).Headers["Turnpike-Cost"].ToString().ShouldBe("0.10 USD", "the third was counted, whatever became of its process");
        await after.ShouldBalanceAsync();
    }

    [Fact]
    public async Task The_same_receipt_takes_once_and_what_is_given_back_is_there_again()
    {
        gate = Priced("graduated: [{ up-to: 2, each: 1.00 USD }, { each: 0.10 USD }]");
        var (store, rate, now) = (gate.Of<PeriodStore>(), RateOf(gate), gate.Time.GetUtcNow());
        var told = new List<Int128>();
        long Charge(IReadOnlyDictionary<string, Int128> due) { told.Add(due["pages"]); return 1; }
        for (var i = 0; i < 2; i++) await store.TakeAsync("r_1", "someone", [new PeriodUse("pages", "p", rate, 3)], now, Charge, default);
        await store.GiveBackAsync("r_1", "someone", default);
        await store.TakeAsync("r_2", "someone", [new PeriodUse("pages", "p", rate, 3)], now, Charge, default);
        told.ShouldAllBe(due => due == (Int128)2_100_000_000 * Turnpike.Pricing.Rate.Scale);
    }

    [Theory]
    [InlineData("price: { ceiling: 5 USD, per-unit: { pages: { package: 5, price: 1 USD, time-zone: UTC } } }", "belongs to 'per', which is missing")]
    [InlineData("price: { ceiling: 5 USD, per-unit: { pages: { package: 5, price: 1 USD, per: fortnight } } }", "'fortnight' is no period; write 30s, 1m, 1h, 1d or 1mo")]
    [InlineData("price: { ceiling: 5 USD, per-unit: { pages: { package: 5, price: 1 USD, per: 1mo } }, per-record: 1 USD, count: \"$.items[*]\" }", "it is counted before the answer leaves, and what counts over a period afterwards: tell records by usage (records: \"$.items[*]\") and price them per-unit")]
    [InlineData("price: 1 USD, cost: { per-unit: { pages: { package: 5, price: 1 USD, per: 1mo } } }", "a cost is that of one call: 'per' belongs to a price")]
    public void What_does_not_fit_is_told(string price, string error) => Documents.Load(Document(price)).Errors.ShouldHaveSingleItem().Message.ShouldBe(error);

    private static TestGate Priced(string rate, string more = "") => new(document: Document($"price: {{ ceiling: 100.00 USD, per-unit: {{ pages: {{ {rate}, per: 1mo{more} }} }} }}"));

    private static Turnpike.Pricing.Rate RateOf(TestGate gate) => ((Turnpike.Pricing.PriceModel.Metered)gate.Of<Turnpike.Catalog.Loading.CatalogSource>().Current.Operations["o"].Settings.Get<Turnpike.Pricing.PriceModel>()!).Models[""]["pages"];

    private static string Document(string price) =>
        $"payments: {{ prepaid: {{ secret: \"${{env:TURNPIKE_TOKEN_SECRET}}\" }} }}\nservices:\n  s:\n    upstream: ${{env:UPSTREAM}}\n    operations:\n      o: {{ match: GET /o, usage: {{ pages: \"header:x-pages\" }}, {price} }}\n";

    private static HttpResponseMessage Pages(int count)
    {
        var answer = ScriptedUpstream.Text("ok");
        answer.Headers.Add("x-pages", count.ToString(CultureInfo.InvariantCulture));
        return answer;
    }

    private Task<Told> AskAsync(string token) => gate.GetAsync("/o", ("Authorization", token));

    private async Task<Money> TakenAsync(string token, long budget = 1000)
    {
        await gate.ShouldBalanceAsync();
        return new Money(budget * 1_000_000_000, "USD") - await gate.Ledger.AvailableAsync("token:" + TestGate.IdOf(token), "USD", default);
    }
}
