using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Payments.Warnings;
using Turnpike.Plans.Grants;
using Turnpike.Tests.Catalog;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Payments.Included;

/// <summary>Somebody is told when a limit is used so far: once for each percentage and period.</summary>
public sealed class SpendWarningTests
{
    private static readonly (string, string?) Key = ("apikey", Documents.Variables["AGENT_KEY"]);

    private static TestGate Gate(string more = "", string caller = "", string warn = "warn-at: [50%, 80%, 100%]") => new(document: $$"""
        payments: { prepaid: { secret: "${env:TURNPIKE_TOKEN_SECRET}" }, balance: true }
        services: { s: { upstream: "${env:UPSTREAM}", operations: { paid: { match: GET /paid, price: 0.01 USD } } } }
        callers: { agent: { keys: ["${env:AGENT_KEY}"]{{caller}} } }
        {{warn}}
        {{more}}
        """);

    private static async Task<List<string>> ToldAsync(TestGate gate)
    {
        await gate.Of<SpendWarnings>().LookAsync(default);
        var events = await gate.Of<IAuditTrail>().ReadAsync(new AuditFilter { Kind = AuditKinds.SpendWarned, Most = 100 }, default);
        return [.. events.Select(e => $"{e.Event.Reference} {e.Event.Reason} {e.Event.Detail}").Order(StringComparer.Ordinal)];
    }

    private static async Task CallAsync(TestGate gate, int times, string? token = null)
    {
        for (var i = 0; i < times; i++) await gate.GetAsync("/paid", Key, ("Authorization", token));
    }

    [Fact]
    public async Task A_cap_warns_at_each_percentage_once_and_again_in_the_next_period()
    {
        using var gate = Gate(caller: ", caps: [{ amount: 0.10 USD, per: 1d }]");
        var token = await gate.TokenAsync("100.00 USD");
        await CallAsync(gate, 4, token);
        (await ToldAsync(gate)).ShouldBeEmpty();
        await CallAsync(gate, 1, token);
        (await ToldAsync(gate)).ShouldBe(["cap:agent:1d:2026-11-22T00:00:00Z 50% 0.05 USD of 0.10 USD is used"]);
        await CallAsync(gate, 1, token);
        (await ToldAsync(gate)).Count.ShouldBe(1);
        await CallAsync(gate, 9, token);
        (await ToldAsync(gate)).Count.ShouldBe(3);
        gate.Time.Pass(TimeSpan.FromDays(1));
        await CallAsync(gate, 5, token);
        (await ToldAsync(gate)).Count.ShouldBe(4);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task After_a_restart_nothing_is_told_again_and_what_was_not_looked_at_is_told_after_the_next_call()
    {
        using var gate = Gate(caller: ", caps: [{ amount: 0.10 USD, per: 1d }]");
        var token = await gate.TokenAsync();
        await CallAsync(gate, 5, token);
        (await ToldAsync(gate)).Count.ShouldBe(1);
        await CallAsync(gate, 3, token); // 80 % is touched and never looked at
        using var next = gate.Restart();
        (await ToldAsync(next)).Count.ShouldBe(1);
        await CallAsync(next, 1, token);
        (await ToldAsync(next)).Count.ShouldBe(2);
    }

    [Fact]
    public async Task Tokens_warn_begin_anew_when_topped_up_and_are_told_as_used_up_when_the_rest_does_not_cover_a_call()
    {
        using var gate = Gate();
        var token = await gate.TokenAsync("0.025 USD");
        var id = TestGate.IdOf(token);
        await CallAsync(gate, 3, token);
        (await ToldAsync(gate)).ShouldBe([$"token:{id} 100% 0.02 USD of 0.025 USD is used", $"token:{id} 50% 0.02 USD of 0.025 USD is used", $"token:{id} 80% 0.02 USD of 0.025 USD is used"]);
        var desk = gate.Of<Turnpike.Tokens.TokenDesk>();
        for (var i = 0; i < 2; i++) await desk.TopUpAsync((await desk.FindAsync(id, default))!, "t1", "external:owner", new Money(Money.Nano, "USD"), null, null, null, gate.Time.GetUtcNow(), default);
        await CallAsync(gate, 60, token);
        (await ToldAsync(gate)).Count(t => t.Contains("of 1.025 USD", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Fact]
    public async Task Allowances_and_grants_warn_as_well()
    {
        using var gate = Gate("plans: { ten: { includes: [{ amount: 10 requests, per: 1d }] } }", ", plan: ten");
        await gate.Of<GrantDesk>().GrantAsync(new Grant("agent", "g", GrantKind.Paid, new Money(Money.Nano / 50, "USD")), default);
        await CallAsync(gate, 11);
        (await ToldAsync(gate)).ShouldBe([
            "balance:agent:g 50% 0.01 USD of 0.02 USD is used",
            "plan:agent:requests/1d:2026-11-22T00:00:00Z 100% 10 requests of 10 requests is used",
            "plan:agent:requests/1d:2026-11-22T00:00:00Z 50% 10 requests of 10 requests is used",
            "plan:agent:requests/1d:2026-11-22T00:00:00Z 80% 10 requests of 10 requests is used",
        ]);
    }

    [Fact]
    public async Task Where_nobody_is_to_be_told_nothing_is_looked_at()
    {
        using var gate = Gate(warn: "", caller: ", caps: [{ amount: 0.01 USD, per: 1d }]");
        await CallAsync(gate, 3, await gate.TokenAsync());
        (await ToldAsync(gate)).ShouldBeEmpty();
    }
}
