using System.Text.Json;
using Turnpike.Tests.Catalog;
using Turnpike.Tests.Gateway;
using Turnpike.Tokens;

namespace Turnpike.Tests.Simulation.Wares;

/// <summary>What a payer buys beside single answers: streams by use, calls that a plan includes, and tokens, which it spends, tops up and has replaced.</summary>
internal sealed class Shopper(World world, Payer payer, int number)
{
    /// <summary>The beginning of the way of a sale.</summary>
    public const string Selling = "/buy/forecast/";

    private readonly Scheduler scheduler = world.Scheduler;
    private readonly List<string> bought = [];
    private int keys;

    /// <summary>Something to buy; null when nothing of the kind is sold in this world, or nobody gave terms.</summary>
    public async Task<Purchase?> ChooseAsync()
    {
        List<Parts> sold = [.. new[] { Parts.Streams, Parts.Plans, Parts.Sales, Parts.Buying, Parts.TopUps }.Where(world.Has)];
        if (sold.Count == 0 || scheduler.Chance(40)) return null;
        return sold[scheduler.Random.Next(sold.Count)] switch
        {
            Parts.Streams => Keyed(new Ask("POST", "/chat", ("Authorization", Token()), ("Content-Type", "application/json")) { Body = $$"""{"model":"m","stream":true,"max_tokens":{{scheduler.Random.Next(10, 60)}},"messages":[]}""" }, "a stream"),
            Parts.Plans => Keyed(new Ask("GET", "/member", ("apikey", Documents.Variables["AGENT_KEY"]), ("Authorization", scheduler.Chance(30) ? Token() : null)), "a plan's call"),
            Parts.Buying => await ResaleAsync(),
            Parts.TopUps => Keyed(scheduler.Chance(30) ? new Ask("POST", "/reports", ("Authorization", world.Consent!.Text)) { Body = "{}" } : new Ask("GET", "/forecast/paris", ("Authorization", world.Consent!.Text)), "a topped-up token's call"),
            _ => await TokenAsync(),
        };
    }

    /// <summary>A token was bought.</summary>
    public void Receive(Told told)
    {
        if (!told.Json.TryGetProperty("token", out var text) || bought.Contains(text.GetString()!)) return;
        bought.Add(text.GetString()!);
    }

    /// <summary>Something we buy ourselves, by token or from the chain.</summary>
    private async Task<Purchase?> ResaleAsync()
    {
        var ask = new Ask("GET", "/lookup");
        if (scheduler.Chance(60)) return Keyed(ask.With(("Authorization", payer.Token)), "what is bought for it");
        return await payer.TermsAsync(ask) is { } terms ? new Purchase(ask.With(payer.Wallet.X402(terms)), "x402") { Repeatable = true } : null;
    }

    private async Task<Purchase?> TokenAsync()
    {
        var way = scheduler.Random.Next(bought.Count == 0 ? 3 : 6);
        if (way == 3) return Keyed(new Ask("GET", "/forecast/paris", ("Authorization", Token())), "a bought token's call");
        if (way == 4) { await ReplaceAsync(); return null; }
        var ask = new Ask("POST", Selling + (way == 2 ? "2" : "1"), ("Content-Type", "application/json")) { Body = way == 5 ? JsonSerializer.Serialize(new { token = bought[^1] }) : "{}" };
        if (await payer.TermsAsync(ask) is not { } terms) return null;
        var (header, how) = way switch { 2 => (payer.Wallet.Stripe(terms), "stripe"), 0 => (payer.Wallet.MppEvm(terms), "mpp"), _ => (payer.Wallet.X402(terms), "x402") };
        return new Purchase(ask.With(header), how) { Repeatable = true };
    }

    /// <summary>It got into wrong hands: its owner has another one made for it.</summary>
    private async Task ReplaceAsync()
    {
        var old = bought[^1];
        world.Say($"payer {number} has a token replaced");
        if (world.AnyUp() is not { } node || await node.DoAsync(ReplaceAsync) is not { } next) return;
        bought[^1] = node.TextOf(next.Id);

        async Task<Token> ReplaceAsync(Node at)
        {
            var desk = at.Of<TokenDesk>();
            var token = await desk.FindAsync(at.IdOf(old)!, CancellationToken.None);
            return token is null ? null! : (await desk.SucceedAsync(token, "seen by others", CancellationToken.None))!;
        }
    }

    private string Token() => bought.Count > 0 && scheduler.Chance(50) ? "Bearer " + bought[scheduler.Random.Next(bought.Count)] : payer.Token;

    private Purchase Keyed(Ask ask, string how) => scheduler.Chance(70)
        ? new Purchase(ask.With(("Idempotency-Key", $"\"of-{number}-{keys++}\"")), how) { Repeatable = true }
        : new Purchase(ask, how);
}
