using System.Net;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Crashes;

/// <summary>
/// Every point at which a crash can matter, one after the other: the process dies, or its disk fails, the first, second, third …
/// time a payment makes the disk keep something, until a payment passes without. On every rail, and on the way back; of those that
/// share most of their way with another every third point, and in the long run each.
/// </summary>
public sealed class CrashPointTests(Chain chain) : IAsyncLifetime
{
    private const int MostPoints = 40;
    private static readonly bool Long = Environment.GetEnvironmentVariable("TURNPIKE_LONG") is not null;
    private PaidApi? api;

    private PaidApi Api => api!;

    public async ValueTask InitializeAsync() => api = await PaidApi.StartAsync(chain, Purchase.Selling);

    public ValueTask DisposeAsync() => api?.DisposeAsync() ?? ValueTask.CompletedTask;

    [Theory]
    [InlineData("prepaid", 1)]
    [InlineData("x402", 1)]
    [InlineData("stripe", 1)]
    [InlineData("mpp-evm", 3)]
    [InlineData("metered", 3)]
    [InlineData("sale", 3)]
    [InlineData("refund", 3)]
    public async Task Killed_at_each_write_of_a_payment_it_is_charged_once_and_what_was_answered_is_there(string rail, int step)
    {
        var points = await SweepAsync(rail, "signal=KILL", async _ =>
        {
            if (await AnswersAsync()) return false;
            await Api.Gateway.DiedAsync();
            await Api.Gateway.StartAgainAsync();
            return true;
        }, Long ? 1 : step);
        points.ShouldBeGreaterThan(2, "a payment is more than two transactions");
    }

    [Theory]
    [InlineData("prepaid")]
    [InlineData("x402")]
    public async Task A_disk_that_fails_at_each_write_of_a_payment_loses_nothing_that_was_answered(string rail)
    {
        var points = await SweepAsync(rail, "error=EIO", async purchase =>
        {
            if (await HealthyAsync() == true) return false;
            // Nothing is promised any more: neither this nor another payment is served.
            (await purchase.PresentAsync()).ShouldNotBeNull().Status.ShouldBeOneOf(HttpStatusCode.ServiceUnavailable, HttpStatusCode.OK);
            var other = await Purchase.OnAsync(Api, "prepaid", await Token.Value, 999);
            (await other.PresentAsync()).ShouldNotBeNull().Status.ShouldBe(HttpStatusCode.ServiceUnavailable);
            await Api.Gateway.KillAsync();
            await Api.Gateway.StartAgainAsync();
            return true;
        });
        points.ShouldBeGreaterThan(2);
    }

    private Lazy<Task<string>> Token => field ??= new(() => Api.TokenAsync("100.00 USD"));

    /// <summary>How many points there were.</summary>
    /// <param name="after">Brings it back where it has been hit; false when the payment passed.</param>
    private async Task<int> SweepAsync(string rail, string what, Func<Purchase, Task<bool>> after, int step = 1)
    {
        Faults.Require();
        if (rail is "x402" or "mpp-evm" or "sale") chain.Require();
        var token = await Token.Value;
        for (var (point, bought) = (1, 1); point < MostPoints; (point, bought) = (point + step, bought + 1))
        {
            var purchase = await Purchase.OnAsync(Api, rail, token, point);
            Answered? first;
            await using (await Faults.AtAsync(Api.Gateway, what, point))
            {
                first = await purchase.PresentAsync();
                await purchase.PresentAsync();
                await Task.Delay(300); // what nobody waits for is written as well
            }
            var hit = await after(purchase);
            var last = await purchase.InsistAsync();
            if (first is { Status: HttpStatusCode.OK } && last.Status == HttpStatusCode.OK) last.Body.ShouldBe(first.Body);
            (await Purchase.ChargedAsync(Api, rail, token)).ShouldBe(bought, $"{rail}, {what} at {point}");
            await Purchase.SettledAsync(Api);
            if (!hit) return point;
        }
        throw new ShouldAssertException($"After {MostPoints} points the payment still does not pass.");
    }

    /// <summary>It lives: who has been hit answers nothing any more, dead yet or not.</summary>
    private async Task<bool> AnswersAsync() => await HealthyAsync() is not null;

    /// <summary>What it says of itself; null when there is nobody to say it.</summary>
    private async Task<bool?> HealthyAsync()
    {
        if (!Api.Gateway.Lives) return null;
        using var http = new HttpMessageInvoker(new SocketsHttpHandler { UseProxy = false });
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(Api.Gateway.Admin, "/health/ready"));
        try
        {
            using var answer = await http.SendAsync(request, CancellationToken.None);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException) { return null; }
    }
}
