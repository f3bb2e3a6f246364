using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Payments.Evm;
using Turnpike.Protocols.Evm;
using Turnpike.Protocols.X402;

namespace Turnpike.Tests.Payments.Evm;

/// <summary>Collecting on chain: what was prepared is what is sent, once, and every doubt ends in what the chain says.</summary>
public sealed class AuthorizationSettlerTests
{
    private readonly Rails rails = new();

    [Fact]
    public async Task Exactly_what_was_prepared_is_sent()
    {
        var captured = await rails.Capture(rails.Pay());
        rails.Node.Given.ShouldBeEmpty();
        var prepared = PreparedTransaction.FromJson(captured.Broadcast).ShouldNotBeNull();
        var settled = (await rails.Exact.SettleAsync(captured, default)).ShouldBeOfType<Settlement.Settled>();
        (settled.Reference, settled.RailAmount).ShouldBe((prepared.Hash, "10000"));
        rails.Node.Given.Single().ShouldBe(prepared.Raw);
        RawTransaction.Decode(Hex.Decode(prepared.Raw)!).ChainId.ShouldBe(FakeChain.ChainId);
        rails.Node.Token.Balances[rails.Chain.PayTo].ShouldBe((UInt128)10_000);
    }

    [Fact]
    public async Task Settling_again_moves_nothing_and_says_the_same()
    {
        var captured = await rails.Capture(rails.Pay());
        var first = await rails.Exact.SettleAsync(captured, default);
        (await rails.Exact.SettleAsync(captured, default)).ShouldBe(first);
        (await rails.Exact.SettleAsync(captured with { Status = HoldStatus.Unknown }, default)).ShouldBe(first);
        rails.Node.Transfers.ShouldBe(1);
    }

    [Fact]
    public async Task Who_settles_our_payment_before_us_has_paid_us()
    {
        var authorization = rails.Authorize();
        var captured = await rails.Capture(rails.Pay(authorization));
        var other = rails.Node.SettleByOther(authorization, rails.Sign(authorization));
        (await rails.Exact.SettleAsync(captured, default)).ShouldBe(new Settlement.Settled(other, "10000"));
        rails.Node.Transfers.ShouldBe(1);
    }

    [Fact]
    public async Task A_token_that_swallows_a_used_authorization_does_not_hide_who_paid()
    {
        rails.Node.Token.SwallowsUsed = true;
        var authorization = rails.Authorize();
        var captured = await rails.Capture(rails.Pay(authorization));
        var other = rails.Node.SettleByOther(authorization, rails.Sign(authorization));
        (await rails.Exact.SettleAsync(captured, default)).ShouldBe(new Settlement.Settled(other, "10000"));
    }

    [Fact]
    public async Task A_node_that_falls_silent_after_the_broadcast_leaves_it_unknown_until_it_speaks()
    {
        var captured = await rails.Capture(rails.Pay());
        rails.Node.Interrupt = method => method == "eth_sendRawTransaction" ? null : FakeChain.Down(method);
        var unknown = (await rails.Exact.SettleAsync(captured, default)).ShouldBeOfType<Settlement.Unknown>();
        unknown.Reference.ShouldBe(PreparedTransaction.FromJson(captured.Broadcast)!.Hash);
        rails.Node.Interrupt = null;
        var later = captured with { Status = HoldStatus.Unknown, Reference = unknown.Reference };
        (await rails.Exact.SettleAsync(later, default)).ShouldBe(new Settlement.Settled(unknown.Reference!, "10000"));
        rails.Node.Transfers.ShouldBe(1);
    }

    [Fact]
    public async Task A_broadcast_that_met_nobody_is_sent_again_later()
    {
        var captured = await rails.Capture(rails.Pay());
        rails.Node.Interrupt = FakeChain.Down;
        (await rails.Exact.SettleAsync(captured, default)).ShouldBeOfType<Settlement.Unknown>();
        rails.Node.Interrupt = null;
        (await rails.Exact.SettleAsync(captured with { Status = HoldStatus.Unknown }, default)).ShouldBeOfType<Settlement.Settled>();
    }

    [Fact]
    public async Task What_could_not_be_prepared_is_prepared_when_settling()
    {
        var payment = rails.Pay();
        (await rails.Check(payment)).ShouldBeNull();
        rails.Node.Interrupt = FakeChain.Down;
        var captured = await Unprepared(payment);
        captured.Broadcast.ShouldBeNull();
        rails.Node.Interrupt = null;
        (await rails.Exact.SettleAsync(captured, default)).ShouldBeOfType<Settlement.Settled>();
    }

    [Fact]
    public async Task A_transaction_that_reverted_is_not_the_end_while_its_authorization_may_still_pay()
    {
        var captured = await rails.Capture(rails.Pay());
        rails.Node.Token.Balances[Rails.Payer] = 0;
        var refused = (await rails.Exact.SettleAsync(captured, default)).ShouldBeOfType<Settlement.Unknown>();
        (refused.Refused, refused.Reference is null).ShouldBe((ErrorCodes.InsufficientBalance, false));
        captured = captured with { Status = HoldStatus.Unknown, Reference = refused.Reference };
        (await rails.Exact.SettleAsync(captured, default)).ShouldBeOfType<Settlement.Unknown>();

        rails.Time.Leap(TimeSpan.FromSeconds(320));
        (await rails.Exact.SettleAsync(captured, default)).ShouldBeOfType<Settlement.Failed>().Code.ShouldBe(ErrorCodes.ValidBefore);
    }

    [Fact]
    public async Task Success_without_the_transfer_is_no_success()
    {
        var captured = await rails.Capture(rails.Pay());
        rails.Node.Token.MovesNothing = true;
        var settlement = await rails.Exact.SettleAsync(captured, default);
        settlement.ShouldNotBeOfType<Settlement.Settled>();
        rails.Node.Token.Balances.GetValueOrDefault(rails.Chain.PayTo).ShouldBe((UInt128)0);
    }

    [Fact]
    public async Task A_cancelled_authorization_can_never_pay()
    {
        var authorization = rails.Authorize();
        var captured = await rails.Capture(rails.Pay(authorization));
        rails.Node.Cancel(authorization);
        (await rails.Exact.SettleAsync(captured, default)).ShouldBeOfType<Settlement.Failed>().Code.ShouldBe(ErrorCodes.NonceAlreadyUsed);
    }

    [Fact]
    public async Task An_expired_authorization_is_given_up_only_when_its_end_is_final()
    {
        var captured = (await rails.Capture(rails.Pay())) with { Status = HoldStatus.Unknown };
        rails.Node.Interrupt = method => method == "eth_sendRawTransaction" ? FakeChain.Down(method) : null;
        rails.Time.Leap(TimeSpan.FromSeconds(302));
        (await rails.Exact.SettleAsync(captured, default)).ShouldBeOfType<Settlement.Unknown>();
        rails.Time.Leap(TimeSpan.FromSeconds(10));
        (await rails.Exact.SettleAsync(captured, default)).ShouldBeOfType<Settlement.Failed>().Code.ShouldBe(ErrorCodes.ValidBefore);
    }

    [Fact]
    public async Task Twenty_payments_at_once_get_twenty_numbers_and_all_settle()
    {
        var captured = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => rails.Capture(rails.Pay())));
        var settled = await Task.WhenAll(captured.Select(async c => await rails.Exact.SettleAsync(c, default)));
        settled.ShouldAllBe(s => s is Settlement.Settled);
        captured.Select(c => PreparedTransaction.FromJson(c.Broadcast)!.Nonce).Order().ShouldBe(Enumerable.Range(0, 20).Select(i => (ulong)i));
        rails.Node.Transfers.ShouldBe(20);
    }

    [Fact]
    public async Task A_transaction_that_waits_for_a_better_fee_gets_one()
    {
        var captured = await rails.Capture(rails.Pay());
        var prepared = PreparedTransaction.FromJson(captured.Broadcast)!;
        rails.Node.LeastFee = UInt128.Parse(prepared.MaxFee, System.Globalization.CultureInfo.InvariantCulture) + 1;
        var settled = (await rails.Exact.SettleAsync(captured, default)).ShouldBeOfType<Settlement.Settled>();
        settled.Reference.ShouldNotBe(prepared.Hash);
        RawTransaction.Decode(Hex.Decode(rails.Node.Given.Last())!).Nonce.ShouldBe(prepared.Nonce);
        rails.Node.Transfers.ShouldBe(1);
    }

    [Fact]
    public async Task A_number_that_was_never_used_does_not_hold_up_the_next()
    {
        await rails.Capture(rails.Pay()); // prepared, and then the process forgot it
        var next = await rails.Capture(rails.Pay());
        (await rails.Exact.SettleAsync(next, default)).ShouldBeOfType<Settlement.Settled>();
        rails.Node.Mined.ShouldBe(2UL);
        rails.Node.Transfers.ShouldBe(1);
    }

    [Fact]
    public async Task A_number_that_another_transaction_took_is_replaced_by_a_new_one()
    {
        var captured = await rails.Capture(rails.Pay());
        rails.Node.UseUpNumber();
        var settled = (await rails.Exact.SettleAsync(captured, default)).ShouldBeOfType<Settlement.Settled>();
        settled.Reference.ShouldNotBe(PreparedTransaction.FromJson(captured.Broadcast)!.Hash);
        RawTransaction.Decode(Hex.Decode(rails.Node.Given.Last())!).Nonce.ShouldBe(1UL);
    }

    [Fact]
    public async Task Without_money_for_gas_nothing_is_lost_and_nothing_is_given_up()
    {
        var captured = await rails.Capture(rails.Pay());
        rails.Node.Interrupt = method => method == "eth_sendRawTransaction" ? FakeChain.Error(-32000, "insufficient funds for gas * price + value") : null;
        (await rails.Exact.SettleAsync(captured, default)).ShouldBeOfType<Settlement.Unknown>();
        rails.Node.Interrupt = null;
        (await rails.Exact.SettleAsync(captured with { Status = HoldStatus.Unknown }, default)).ShouldBeOfType<Settlement.Settled>();
    }

    [Fact]
    public async Task A_transaction_that_stays_in_the_pool_is_unknown_and_found_when_it_is_mined()
    {
        var captured = await rails.Capture(rails.Pay());
        rails.Node.Mining = false;
        var unknown = (await rails.Exact.SettleAsync(captured, default)).ShouldBeOfType<Settlement.Unknown>();
        rails.Node.Mining = true;
        rails.Node.Mine();
        var settled = (await rails.Exact.SettleAsync(captured with { Status = HoldStatus.Unknown, Reference = unknown.Reference }, default)).ShouldBeOfType<Settlement.Settled>();
        settled.Reference.ShouldBe(unknown.Reference);
        rails.Node.Transfers.ShouldBe(1);
    }

    [Fact]
    public async Task The_gas_of_plain_signatures_is_estimated_once()
    {
        for (var i = 0; i < 3; i++) await rails.Exact.SettleAsync(await rails.Capture(rails.Pay()), default);
        rails.Node.Asked.Count(m => m == "eth_estimateGas").ShouldBe(1);
    }

    private async Task<HoldState> Unprepared(Payment payment)
    {
        var hold = new Hold
        {
            Id = payment.HoldId!, Legs = payment.Legs, Binding = "b", Receipt = "r", Correlation = "c", Operation = "forecast", Payer = payment.Payer!, Method = "x402.exact", PriceVersion = "v1", Request = "GET /", Terms = payment.Terms,
        };
        var held = new HoldState(hold, HoldStatus.Captured, payment.Ceiling, payment.Ceiling, null, null, null, null, 1, "i", rails.Time.GetUtcNow(), rails.Time.GetUtcNow());
        return held with { Broadcast = await rails.Exact.PrepareAsync(held, payment.Ceiling, default) };
    }
}
