using Turnpike.Catalog;
using Turnpike.Identity;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Plans;

/// <summary>What becomes of a period's allowance when the plan changes within it, and when the calendar does.</summary>
public sealed class ChangedPlanTests
{
    private static TestGate Gate(string small = "per: 1mo", string large = "per: 1mo") => new(document: $$"""
        payments: { prepaid: { secret: "${env:TURNPIKE_TOKEN_SECRET}" } }
        services: { s: { upstream: "${env:UPSTREAM}", operations: { data: { match: GET /data, price: 0.01 USD, accept: [plan, prepaid] } } } }
        plans:
          small: { includes: [{ amount: 3 requests, {{small}} }] }
          large: { includes: [{ amount: 10 requests, {{large}} }] }
        """);

    private static async Task<int> TakeAsync(TestGate gate, string key)
    {
        for (var calls = 0; ; calls++)
            if ((await gate.GetAsync("/data", ("x-api-key", key))).Status != 200) return calls;
    }

    private static ValueTask<CallerPut> SetAsync(TestGate gate, string plan, PlanTerm? term = null) => gate.Of<CallerDesk>().PutAsync(new Caller("agent") { Plan = plan, Term = term }, default);

    [Fact]
    public async Task An_upgrade_gives_the_whole_new_amount_less_what_was_used_and_a_downgrade_takes_nothing_back()
    {
        using var gate = Gate();
        var key = await gate.KeyAsync(change: c => c with { Plan = "small" });
        (await TakeAsync(gate, key)).ShouldBe(3);
        await SetAsync(gate, "large");
        (await TakeAsync(gate, key)).ShouldBe(7);
        gate.Time.Pass(TimeSpan.FromDays(11));
        (await gate.GetAsync("/data", ("x-api-key", key))).Status.ShouldBe(200);
        await SetAsync(gate, "small");
        (await TakeAsync(gate, key)).ShouldBe(9, "the period began with ten");
        gate.Time.Pass(TimeSpan.FromDays(31));
        (await TakeAsync(gate, key)).ShouldBe(3);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_trial_ends_by_itself_and_what_comes_then_has_an_allowance_of_its_own()
    {
        using var gate = Gate(large: "per: 1d");
        var key = await gate.KeyAsync(change: c => c with { Plan = "large", Term = new PlanTerm(gate.Time.GetUtcNow() + TimeSpan.FromDays(2), TimeSpan.FromHours(1), "small") });
        (await TakeAsync(gate, key)).ShouldBe(10);
        gate.Time.Pass(TimeSpan.FromDays(2));
        (await TakeAsync(gate, key)).ShouldBe(10, "an hour of grace");
        gate.Time.Pass(TimeSpan.FromHours(1));
        (await TakeAsync(gate, key)).ShouldBe(3);
        gate.Time.Pass(TimeSpan.FromDays(1));
        (await gate.GetAsync("/data", ("x-api-key", key))).Status.ShouldBe(402);
        await SetAsync(gate, "none-of-these");
        (await gate.GetAsync("/data", ("x-api-key", key))).Reason.ShouldBe("payment-required", "no plan includes nothing");
    }

    [Fact]
    public async Task A_day_of_25_hours_is_one_day_and_a_month_from_the_31st_ends_with_february()
    {
        using var gate = Gate("per: 1d, time-zone: Europe/Berlin", "per: 1mo, anchor: 2026-01-31");
        var key = await gate.KeyAsync(change: c => c with { Plan = "small" });
        gate.Time.Pass(new DateTimeOffset(2027, 10, 30, 22, 0, 0, TimeSpan.Zero) - gate.Time.GetUtcNow());
        (await TakeAsync(gate, key)).ShouldBe(3);
        gate.Time.Pass(TimeSpan.FromHours(25) - TimeSpan.FromSeconds(1));
        (await TakeAsync(gate, key)).ShouldBe(0, "the clocks went back: the day has an hour more");
        gate.Time.Pass(TimeSpan.FromSeconds(1));
        (await TakeAsync(gate, key)).ShouldBe(3);
        await SetAsync(gate, "large");
        gate.Time.Pass(new DateTimeOffset(2028, 2, 28, 23, 59, 59, TimeSpan.Zero) - gate.Time.GetUtcNow());
        (await TakeAsync(gate, key)).ShouldBe(10);
        gate.Time.Pass(TimeSpan.FromSeconds(1));
        (await TakeAsync(gate, key)).ShouldBe(10, "the 29th is the last of this February");
        gate.Time.Pass(TimeSpan.FromDays(30));
        (await TakeAsync(gate, key)).ShouldBe(0, "the 30th of March is not the 31st");
        gate.Time.Pass(TimeSpan.FromDays(1));
        (await TakeAsync(gate, key)).ShouldBe(10);
    }
}
