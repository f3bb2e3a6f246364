using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Plans;
using Turnpike.Tests.Ledger;

namespace Turnpike.Tests.Plans;

/// <summary>What is left of a plan, and more given on top of it.</summary>
public sealed class AllowancesTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);
    private static readonly Plan Plan = new("pro") { Includes = [new Allowance(new Money(5, "requests"), new Period(1, "mo", Period.DefaultAnchor, TimeZoneInfo.Utc), WhenUsedUp.Pay)] };

    [Fact]
    public async Task A_grant_is_given_once_by_its_id_and_never_changed()
    {
        var ledger = new MemoryLedger(TimeProvider.System, "this");
        var allowances = new Allowances(ledger);
        var results = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(async () => await allowances.GrantAsync("a", new Money(10, "requests"), "inv-1", null, default))));
        results.Count(r => r == PostResult.Posted).ShouldBe(1);
        results.Count(r => r == PostResult.Existed).ShouldBe(19);
        (await allowances.GrantAsync("a", new Money(11, "requests"), "inv-1", null, default)).ShouldBe(PostResult.Conflict);
        (await allowances.GrantAsync("b", new Money(11, "requests"), "inv-1", null, default)).ShouldBe(PostResult.Posted);
        (await allowances.LeftAsync("a", Plan, Now, default)).ShouldBe(
        [
            new AllowanceState("requests/1mo", new Money(5, "requests"), new Money(0, "requests"), new Money(5, "requests"), new DateTimeOffset(2026, 12, 1, 0, 0, 0, TimeSpan.Zero)),
            new AllowanceState("requests/granted", null, null, new Money(10, "requests"), null),
        ]);
    }

    [Fact]
    public async Task What_is_held_is_used()
    {
        var ledger = new MemoryLedger(TimeProvider.System, "this");
        var account = PlanBook.Account("a", Plan.Includes[0], Plan.Includes[0].Per.At(Now).End);
        await ledger.HoldAsync(Some.Hold("h", new Money(2, "requests"), from: account) with { Raises = [new Raise(account, PlanBook.Giver, Plan.Includes[0].Amount)] }, default);
        var state = (await new Allowances(ledger).LeftAsync("a", Plan, Now, default)).ShouldHaveSingleItem();
        (state.Used!.Value.Units, state.Left.Units).ShouldBe((2, 3));
    }
}
