using System.Globalization;
using System.Net;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Crashes;

/// <summary>Wall clocks that jump an hour, while it runs and between two runs (libfaketime; the clock that never jumps is left alone).</summary>
public sealed class ClockTests(Chain chain)
{
    [Fact]
    public async Task An_hour_forward_and_back_budgets_stay_exact_answers_stay_bought_and_the_trail_stays_whole()
    {
        if (FakeClock.Library is null) Assert.Skip("libfaketime is not installed.");
        await using var api = await PaidApi.StartAsync(chain);
        var token = await api.TokenAsync("100.00 USD");
        var clock = Path.Combine(api.Gateway.Folder, "clock");
        await File.WriteAllTextAsync(clock, "+0");
        foreach (var (name, value) in FakeClock.Variables(clock)) api.Gateway.Set(name, value);
        await api.Gateway.StopAsync();
        await api.Gateway.StartAgainAsync();

        var bought = 0;
        foreach (var off in (string[])["+1h", "-1h", "+0"])
        {
            // While it runs, then between two runs, the last one a crash.
            await File.WriteAllTextAsync(clock, off);
            await BuyAsync();
            await Until.HoldsAsync($"the clock jumps to {off}", async () => await HourAsync() == off); // the Date header is renewed each second
            await api.Gateway.KillAsync();
            await File.WriteAllTextAsync(clock, off == "+1h" ? "-1h" : "+1h");
            await api.Gateway.StartAgainAsync();
            await BuyAsync();
        }
        await Purchase.SettledAsync(api);

        async Task<string> HourAsync()
        {
            var there = DateTimeOffset.Parse((await api.AdminAsync("GET", "/admin/v1/payments")).Header("Date")!, CultureInfo.InvariantCulture) - TimeProvider.System.GetUtcNow();
            return there.TotalMinutes switch { > 50 => "+1h", < -50 => "-1h", _ => "+0" };
        }

        async Task BuyAsync()
        {
            var purchase = await Purchase.OnAsync(api, "prepaid", token, bought++);
            (await purchase.InsistAsync()).Status.ShouldBe(HttpStatusCode.OK);
            (await purchase.InsistAsync()).Status.ShouldBeOneOf(HttpStatusCode.OK, HttpStatusCode.Conflict);
            (await Purchase.ChargedAsync(api, "prepaid", token)).ShouldBe(bought);
        }
    }
}
