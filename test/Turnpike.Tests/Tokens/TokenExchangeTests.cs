using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Limits;
using Turnpike.Tests.Gateway;
using Turnpike.Tokens;

namespace Turnpike.Tests.Tokens;

/// <summary>A standing grant is exchanged for short-lived tokens that spend of it, within its window and each its own budget.</summary>
public sealed class TokenExchangeTests
{
    private static readonly TokenText Text = new([System.Text.Encoding.UTF8.GetBytes(Turnpike.Tests.Catalog.Documents.Variables["TURNPIKE_TOKEN_SECRET"]!)]);

    private static async Task<Token> StandingAsync(TestGate gate, string budget = "1.00 USD", Func<TokenOrder, TokenOrder>? change = null) =>
        (await gate.Of<TokenDesk>().FindAsync(TestGate.IdOf(await gate.TokenAsync(budget, o => (change ?? (x => x))(o with { Series = new TokenSeries(TimeSpan.FromMinutes(15), new Money(Money.Nano * 5 / 100, "USD")) }))), default))!;

    private static async Task<Token> ExchangeAsync(TestGate gate, Token standing, Money? most = null, params string[] operations) =>
        (await gate.Of<TokenExchange>().ExchangeAsync(standing, operations, most, null, default)).Token.ShouldNotBeNull();

    private static Task<Told> CallAsync(TestGate gate, Token token, string target = "/forecast/paris") => gate.GetAsync(target, ("Authorization", "Bearer " + Text.Of(token.Id)));

    [Fact]
    public async Task Each_token_spends_its_own_budget_of_the_grant_and_no_more()
    {
        using var gate = new TestGate();
        var standing = await StandingAsync(gate);
        var token = await ExchangeAsync(gate, standing);
        for (var i = 0; i < 5; i++) (await CallAsync(gate, token)).Status.ShouldBe(200);
        var told = await CallAsync(gate, token);
        (told.Status, told.Reason, told.Json.GetProperty("level").GetString()).ShouldBe((403, "cap-spent", "token"));
        (await CallAsync(gate, await ExchangeAsync(gate, standing))).Headers["Turnpike-Remaining"].ToString().ShouldBe("0.94 USD");
        (await gate.Of<TokenDesk>().LeftAsync(token, default)).Money.IsZero.ShouldBeTrue();
        (await CallAsync(gate, standing)).Reason.ShouldBe("token-standing");
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_hundred_calls_by_many_tokens_at_once_take_no_more_than_the_grant_or_its_window()
    {
        using var gate = new TestGate();
        var (small, windowed) = (await StandingAsync(gate, "0.17 USD"), await StandingAsync(gate, change: o => o with { Caps = [new Cap(new Money(Money.Nano * 13 / 100, "USD"), new Period(1, "d", Period.DefaultAnchor, TimeZoneInfo.Utc), CapScope.Token)] }));
        foreach (var (standing, expected, reason) in new[] { (small, 17, "token-exhausted"), (windowed, 13, "cap-reached") })
        {
            var tokens = new List<Token>();
            for (var i = 0; i < 10; i++) tokens.Add(await ExchangeAsync(gate, standing));
            var told = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => Task.Run(() => CallAsync(gate, tokens[i % 10]))));
            told.Count(t => t.Status == 200).ShouldBe(expected);
            told.Select(t => t.Reason).ShouldContain(reason);
        }
        gate.Time.Pass(TimeSpan.FromDays(1));
        (await CallAsync(gate, await ExchangeAsync(gate, windowed))).Status.ShouldBe(200);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task It_lives_as_long_as_the_grant_says_and_ends_with_it()
    {
        using var gate = new TestGate();
        var standing = await StandingAsync(gate, change: o => o with { Valid = TimeSpan.FromMinutes(20) });
        var token = await ExchangeAsync(gate, standing);
        gate.Time.Pass(TimeSpan.FromMinutes(15));
        (await CallAsync(gate, token)).Reason.ShouldBe("token-expired");
        var last = await ExchangeAsync(gate, standing);
        last.Expires.ShouldBe(standing.Expires);
        await gate.Of<TokenDesk>().SetStatusAsync(standing.Id, TokenStatus.Frozen, "look", default);
        (await CallAsync(gate, last)).Reason.ShouldBe("token-frozen");
        await gate.Of<TokenDesk>().SetStatusAsync(standing.Id, TokenStatus.Active, "looked", default);
        (await CallAsync(gate, last)).Status.ShouldBe(200);
    }

    [Fact]
    public async Task It_opens_what_was_asked_for_within_the_grant_and_as_often_as_the_rate_says()
    {
        using var gate = new TestGate();
        var standing = await StandingAsync(gate, change: o => o with { Rate = new RateLimit(2, TimeSpan.FromHours(1), []) });
        var token = await ExchangeAsync(gate, standing, null, "history");
        (await CallAsync(gate, token)).Reason.ShouldBe("token-wrong-operation");
        (await CallAsync(gate, token, "/history/paris")).Status.ShouldBe(200);
        await ExchangeAsync(gate, standing);
        var third = await gate.Of<TokenExchange>().ExchangeAsync(standing, [], null, null, default);
        (third.Token, third.Wait > TimeSpan.Zero).ShouldBe((null, true));
    }

    [Fact]
    public async Task What_was_not_delivered_returns_to_the_grant_and_to_the_token()
    {
        using var gate = new TestGate();
        var standing = await StandingAsync(gate);
        var token = await ExchangeAsync(gate, standing);
        gate.Upstream.Answer = (_, _) => Task.FromResult(new HttpResponseMessage { Content = new Pieces("half"u8.ToArray(), null) });
        await CallAsync(gate, token);
        ((await gate.Of<TokenDesk>().LeftAsync(token, default)).Money.ToDecimal(), (await gate.Of<TokenDesk>().LeftAsync(standing, default)).Money.ToDecimal()).ShouldBe(("0.05", "1.00"));
        await gate.ShouldBalanceAsync();
    }
}
