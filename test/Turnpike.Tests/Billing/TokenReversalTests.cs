using Microsoft.Extensions.Logging.Abstractions;
using Turnpike.Audit;
using Turnpike.Billing;
using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Storage;
using Turnpike.Tests.Gateway;
using Turnpike.Tokens;

namespace Turnpike.Tests.Billing;

/// <summary>Money that goes back to who bought a token: what Stripe tells of it may come at once, late, in any order, and twice.</summary>
public sealed class TokenReversalTests : IDisposable
{
    private static readonly Money Price = new(5_000_000_000, "USD");
    private readonly TestGate gate = new();
    private readonly PurchaseStore store;
    private readonly TokenSale sale;
    private int orders;

    public TokenReversalTests()
    {
        store = new PurchaseStore(gate.Of<Database>(), gate.Time);
        sale = new TokenSale(store, new StripeCheckout(gate.Of<HttpClients>()), gate.Of<TokenDesk>(), gate.Ledger, gate.Of<IAuditTrail>(), gate.Time, NullLogger<TokenSale>.Instance);
    }

    public void Dispose() => gate.Dispose();

    private static StripeCheckoutSettings Settings => new(new Secret("sk"), [new Secret("whsec")], new Uri("http://stripe.test"), null, 0);

    /// <summary>A token that was bought and paid; its payment has the number of its order.</summary>
    private async Task<(string Intent, string Account)> BoughtAsync(bool known = true)
    {
        var number = ++orders;
        var order = new Purchase($"buy_{number}", "forecast", Price, Price, null, null, TokenText.NewId(), TopUp: false);
        await store.AddAsync(order, default);
        await gate.Of<TokenDesk>().IssueAsync(new TokenOrder(Price), "external:stripe", order.Token);
        if (known) await store.SetStatusAsync(order.Id, PurchaseStatus.Paid, $"pi_{number}", default);
        return ($"pi_{number}", "token:" + order.Token);
    }

    private Task<bool> ToldAsync(string id, string type, string intent, long cents, string? status = null) =>
        sale.ToldAsync(Settings, new StripeEvent(id, type) { Intent = intent, Amount = cents, Status = status }, default).AsTask();

    private async Task<decimal> LeftAsync(string account) => (await gate.Ledger.AvailableAsync(account, "USD", default)).Units / 1_000_000_000m;

    [Fact]
    public async Task Two_refunds_told_at_once_take_back_what_went_back_and_no_more()
    {
        for (var round = 0; round < 20; round++)
        {
            var (intent, account) = await BoughtAsync();
            string[] ids = [$"evt_{round}a", $"evt_{round}b"];
            async Task InsistAsync(string id, long cents)
            {
                while (!await ToldAsync(id, "charge.refunded", intent, cents)) gate.Time.Pass(TimeSpan.FromSeconds(1));
            }
            await Task.WhenAll(Task.Run(() => InsistAsync(ids[0], 100)), Task.Run(() => InsistAsync(ids[1], 200)));
            (await LeftAsync(account)).ShouldBe(3m, "2.00 of 5.00 went back");
        }
        await gate.ShouldBalanceAsync();
    }

    /// <summary>Its first refund was half booked when the process died; Stripe tells of the second before it tells of the first again.</summary>
    [Fact]
    public async Task A_refund_half_booked_is_not_booked_again_within_the_next()
    {
        var (intent, account) = await BoughtAsync();
        await ToldAsync("evt_1", "charge.refunded", intent, 100);
        await gate.Of<Database>().WriteAsync(sql => sql.Run("update stripe_events set done = 0 where id = 'evt_1'"), default);
        (await ToldAsync("evt_2", "charge.refunded", intent, 200)).ShouldBeFalse("it is told again when the first is through");
        (await ToldAsync("evt_1", "charge.refunded", intent, 100)).ShouldBeTrue();
        (await ToldAsync("evt_2", "charge.refunded", intent, 200)).ShouldBeTrue();
        (await LeftAsync(account)).ShouldBe(3m);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_dispute_of_what_a_refund_left_ends_the_token()
    {
        var (intent, account) = await BoughtAsync();
        await ToldAsync("evt_1", "charge.refunded", intent, 100);
        await ToldAsync("evt_2", "charge.dispute.closed", intent, 400, "lost");
        (await LeftAsync(account)).ShouldBe(0m);
        (await gate.Of<TokenDesk>().FindAsync(account["token:".Length..], default))!.Status.ShouldBe(TokenStatus.Revoked);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_dispute_told_before_its_order_is_known_to_be_paid_keeps_its_outcome()
    {
        await BoughtAsync(known: false);
        await ToldAsync("evt_1", "charge.dispute.closed", "pi_1", 500, "lost");
        (await store.WaitingAsync("pi_1", default)).Single().Status.ShouldBe("lost");
    }
}
