using System.Net;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Crashes;

/// <summary>kill -9 in a loop under load, at whatever moment it falls. TURNPIKE_LONG makes it ten times as many.</summary>
public sealed class KillLoopTests(Chain chain)
{
    private const int Callers = 12;
    private static readonly int Rounds = Environment.GetEnvironmentVariable("TURNPIKE_LONG") is null ? 10 : 100;

    [Fact]
    public async Task Under_load_nothing_that_was_answered_is_lost_and_nothing_is_charged_twice()
    {
        await using var api = await PaidApi.StartAsync(chain);
        var token = await api.TokenAsync(Purchase.PlentyUsd);
        List<(Purchase Purchase, string Body)> answered = [];
        var open = new List<Purchase>();
        var keys = 0;
        for (var round = 0; round < Rounds; round++)
        {
            var stop = false;
            var before = Answered();
            var calling = Enumerable.Range(0, Callers).Select(_ => Task.Run(async () =>
            {
                while (!Volatile.Read(ref stop))
                {
                    var purchase = await Purchase.OnAsync(api, "prepaid", token, Interlocked.Increment(ref keys));
                    var told = await purchase.PresentAsync();
                    lock (answered)
                    {
                        if (told is { Status: HttpStatusCode.OK }) answered.Add((purchase, told.Body));
                        else open.Add(purchase);
                    }
                }
            })).ToList();
            // Whatever the machine does in a moment, something was answered before it dies, and something is under way.
            await Until.HoldsAsync("somebody is answered", () => Answered() > before + round % 5);
            await Task.Delay(round * 37 % 200);
            await api.Gateway.KillAsync();
            Volatile.Write(ref stop, true);
            await Task.WhenAll(calling);
            await api.Gateway.StartAgainAsync();
        }
        // What was acknowledged is there and costs nothing more; what was not is bought now, once.
        foreach (var (purchase, body) in answered.Where((_, i) => i % 7 == 0))
            if (await purchase.InsistAsync() is { Status: HttpStatusCode.OK } again) again.Body.ShouldBe(body);
        var bought = new HashSet<Purchase>(answered.Select(a => a.Purchase));
        foreach (var purchase in open.Take(100)) { await purchase.InsistAsync(); bought.Add(purchase); }
        await Purchase.SettledAsync(api);
        var charged = await Purchase.ChargedAsync(api, "prepaid", token, Purchase.Plenty);
        charged.ShouldBeGreaterThanOrEqualTo(bought.Count, "an answer is not paid");
        // A delivered answer whose last word was lost on the way is charged as well: the caller may ask for it.
        charged.ShouldBeLessThanOrEqualTo(answered.Count + open.Count, "something is charged twice");
        foreach (var purchase in open.Skip(100)) await purchase.InsistAsync();
        (await Purchase.ChargedAsync(api, "prepaid", token, Purchase.Plenty)).ShouldBe(answered.Count + open.Count, "each was bought once");

        int Answered()
        {
            lock (answered) return answered.Count;
        }
    }
}
