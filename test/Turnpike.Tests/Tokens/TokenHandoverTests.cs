using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Tests.Gateway;
using Turnpike.Tokens;

namespace Turnpike.Tests.Tokens;

/// <summary>Money moves between tokens of one owner, and in no other way.</summary>
public sealed class TokenHandoverTests
{
    private static Money Usd(long cents) => new(cents * Money.Nano / 100, "USD");

    private static async Task<string> TokenAsync(TestGate gate, string budget = "1.00 USD", Func<TokenOrder, TokenOrder>? change = null) =>
        TestGate.IdOf(await gate.TokenAsync(budget, order => (change ?? (o => o))(order with { Owner = "acme" })));

    private static async Task<string?> MoveAsync(TestGate gate, string from, string to, Money amount, string id = "k") =>
        (await gate.Of<TokenHandover>().MoveAsync(from, to, amount, id, default))?.Reason.Code;

    private static async Task<long> LeftAsync(TestGate gate, string id) => (await gate.Ledger.AvailableAsync("token:" + id, "USD", default)).Units / (Money.Nano / 100);

    [Fact]
    public async Task The_same_transfer_sent_twice_moves_once_and_another_under_its_key_is_refused()
    {
        using var gate = new TestGate();
        var (a, b) = (await TokenAsync(gate), await TokenAsync(gate));
        for (var i = 0; i < 3; i++) (await MoveAsync(gate, a, b, Usd(30))).ShouldBeNull();
        (await MoveAsync(gate, a, b, Usd(31))).ShouldBe("idempotency-key-reused");
        (await LeftAsync(gate, a), await LeftAsync(gate, b)).ShouldBe((70, 130));
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_hundred_at_once_in_both_directions_while_both_are_spent_lose_and_make_nothing()
    {
        using var gate = new TestGate();
        var (a, b) = (await TokenAsync(gate), await TokenAsync(gate));
        var text = new TokenText([System.Text.Encoding.UTF8.GetBytes(Turnpike.Tests.Catalog.Documents.Variables["TURNPIKE_TOKEN_SECRET"]!)]);
        await Task.WhenAll(Enumerable.Range(0, 100).Select(i => Task.Run(async () =>
        {
            if (i % 5 == 0) await gate.GetAsync("/forecast/paris", ("Authorization", "Bearer " + text.Of(i % 2 == 0 ? a : b)));
            else await MoveAsync(gate, i % 2 == 0 ? a : b, i % 2 == 0 ? b : a, Usd(i % 40), $"k{i}");
        })));
        (await LeftAsync(gate, a) + await LeftAsync(gate, b)).ShouldBe(200 - gate.Upstream.Requests.Count);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task Never_between_strangers_and_never_from_what_is_frozen_revoked_expired_counted_or_longer_lived()
    {
        using var gate = new TestGate();
        var (mine, frozen, revoked) = (await TokenAsync(gate), await TokenAsync(gate), await TokenAsync(gate));
        await gate.Of<TokenDesk>().SetStatusAsync(frozen, TokenStatus.Frozen, "a dispute", default);
        await gate.Of<TokenDesk>().SetStatusAsync(revoked, TokenStatus.Revoked, "leaked", default);
        (await MoveAsync(gate, mine, TestGate.IdOf(await gate.TokenAsync()), Usd(1))).ShouldBe("access-denied");
        (await MoveAsync(gate, TestGate.IdOf(await gate.TokenAsync()), TestGate.IdOf(await gate.TokenAsync()), Usd(1))).ShouldBe("access-denied");
        (await MoveAsync(gate, frozen, mine, Usd(1))).ShouldBe("token-frozen");
        (await MoveAsync(gate, mine, frozen, Usd(1))).ShouldBe("token-frozen");
        (await MoveAsync(gate, revoked, mine, Usd(1))).ShouldBe("token-revoked");
        (await MoveAsync(gate, mine, mine, Usd(1))).ShouldBe("malformed-request");
        (await MoveAsync(gate, mine, "nobody", Usd(1))).ShouldBe("unknown-token");
        (await MoveAsync(gate, await TokenAsync(gate, change: o => o with { Calls = 5 }), mine, Usd(1))).ShouldBe("access-denied");
        var brief = await TokenAsync(gate, change: o => o with { Valid = TimeSpan.FromHours(1) });
        (await MoveAsync(gate, brief, mine, Usd(1))).ShouldBe("access-denied");
        (await MoveAsync(gate, mine, brief, Usd(1))).ShouldBeNull();
        gate.Time.Pass(TimeSpan.FromHours(1));
        (await MoveAsync(gate, brief, mine, Usd(1))).ShouldBe("token-expired");
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task What_was_given_away_stays_also_after_a_rotation()
    {
        using var gate = new TestGate();
        var to = await TokenAsync(gate);
        var from = (await gate.Of<TokenDesk>().FindAsync(await TokenAsync(gate, "1.00 USD", o => o with { Gift = Usd(30) }), default))!;
        (await MoveAsync(gate, from.Id, to, Usd(71))).ShouldBe("token-exhausted");
        var next = (await gate.Of<TokenDesk>().SucceedAsync(from, "seen in a log", default))!;
        (await MoveAsync(gate, next.Id, to, Usd(71))).ShouldBe("token-exhausted");
        (await MoveAsync(gate, next.Id, to, Usd(70))).ShouldBeNull();
        (await LeftAsync(gate, from.Id)).ShouldBe(30); // a lineage is one account
        await gate.ShouldBalanceAsync();
    }

    [Theory]
    [InlineData("reverse:pi_1:0:token")]
    [InlineData("refund:r_1:k")]
    public async Task Nothing_moves_off_a_token_whose_purchase_went_back(string source)
    {
        using var gate = new TestGate();
        var (a, b) = (await TokenAsync(gate), await TokenAsync(gate));
        await gate.Of<TokenDesk>().TakeAsync("token:" + a, source, Usd(10), "loss:disputed", default);
        (await MoveAsync(gate, a, b, Usd(1))).ShouldBe("access-denied");
    }

    [Fact]
    public async Task A_rotated_token_and_its_first_self_are_one_owners()
    {
        using var gate = new TestGate();
        var old = (await gate.Of<TokenDesk>().FindAsync(TestGate.IdOf(await gate.TokenAsync()), default))!;
        (await gate.Of<TokenDesk>().SucceedAsync(old, "seen in a log", default))!.Lineage.ShouldBe(old.Lineage);
    }
}
