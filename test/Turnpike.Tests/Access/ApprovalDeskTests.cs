using Turnpike.Access.Approvals;
using Turnpike.Audit;
using Turnpike.Tests.Catalog;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Access;

/// <summary>Where more is at stake, more is asked for: before terms, and before anything is held.</summary>
public sealed class ApprovalDeskTests
{
    private static readonly (string, string?) Key = ("apikey", Documents.Variables["AGENT_KEY"]);

    private static TestGate Gate(string require = "approval") => new(document: $$"""
        payments: { prepaid: { secret: "${env:TURNPIKE_TOKEN_SECRET}" } }
        services:
          s:
            upstream: ${env:UPSTREAM}
            operations:
              export: { match: POST /exports, price: 2.50 USD, step-up: { above: 1.00 USD, require: {{require}}, valid: 1d } }
              search: { match: GET /search, price: 1.00 USD, step-up: { above: 1.00 USD } }
        callers: { agent: { keys: ["${env:AGENT_KEY}"] }, other: { keys: ["${env:OLD_AGENT_KEY}"] } }
        """);

    [Theory]
    [InlineData("approval, shadow: true", "approval-required")]
    [InlineData("identity, shadow: true", "stronger-identity")]
    public async Task A_shadow_asks_nobody_and_says_what_it_would_have_asked_for(string require, string reason)
    {
        using var gate = Gate(require);
        (await gate.SendAsync(new Ask("POST", "/exports", Key, ("Authorization", await gate.TokenAsync("10.00 USD"))) { Body = "{}" })).Status.ShouldBe(200);
        (await gate.Of<ApprovalStore>().ListAsync(ApprovalStatus.Pending, 10, default)).ShouldBeEmpty();
        await gate.Of<IAuditTrail>().FlushAsync(default);
        var shadow = (await gate.Of<IAuditTrail>().ReadAsync(new AuditFilter(Kind: AuditKinds.AccessShadowed), default)).ShouldHaveSingleItem().Event;
        (shadow.Reference, shadow.Reason, shadow.Caller, shadow.Operation).ShouldBe(("step-up", reason, "agent", "export"));
    }

    [Fact]
    public async Task An_operator_says_yes_once_per_caller_and_day()
    {
        using var gate = Gate();
        var token = await gate.TokenAsync("10.00 USD");
        var export = new Ask("POST", "/exports", Key, ("Authorization", token)) { Body = "{}" };
        var asked = await gate.SendAsync(export);
        (asked.Status, asked.Reason, asked.Headers.RetryAfter.ToString()).ShouldBe((403, "approval-required", "30"));
        asked.Headers.ContainsKey("WWW-Authenticate").ShouldBeFalse("nobody is shown terms");
        var url = asked.Json.GetProperty("approval").GetProperty("url").GetString()!;
        (await gate.SendAsync(export)).Json.GetProperty("approval").GetProperty("url").GetString().ShouldBe(url, "one question stands at a time");

        var (store, desk) = (gate.Of<ApprovalStore>(), gate.Of<ApprovalDesk>());
        var question = (await store.ListAsync(ApprovalStatus.Pending, 10, default)).ShouldHaveSingleItem();
        (question.Caller, question.Operation, question.Amount.ToString(), url.Split('/')[^1]).ShouldBe(("agent", "export", "2.50 USD", question.Id));
        (await desk.DecideAsync(question, yes: true, null, default)).ShouldBeTrue();
        (await desk.DecideAsync(question, yes: false, null, default)).ShouldBeFalse();
        for (var i = 0; i < 3; i++) (await gate.SendAsync(export)).Status.ShouldBe(200);
        (await gate.SendAsync(export with { Headers = [("apikey", Documents.Variables["OLD_AGENT_KEY"]), ("Authorization", token)] })).Reason.ShouldBe("approval-required");
        gate.Time.Pass(TimeSpan.FromDays(1));
        (await gate.SendAsync(export)).Reason.ShouldBe("approval-required");
    }

    [Fact]
    public async Task A_no_holds_as_long_as_a_yes_would()
    {
        using var gate = Gate();
        var export = new Ask("POST", "/exports", Key) { Body = "{}" };
        await gate.SendAsync(export);
        await gate.Of<ApprovalDesk>().DecideAsync((await gate.Of<ApprovalStore>().ListAsync(null, 10, default))[0], yes: false, "not today", default);
        (await gate.SendAsync(export)).Reason.ShouldBe("approval-denied");
        gate.Time.Pass(TimeSpan.FromDays(1));
        (await gate.SendAsync(export)).Reason.ShouldBe("approval-required");
    }

    [Fact]
    public async Task What_costs_no_more_than_the_line_is_not_asked_and_nobody_asks_without_a_name()
    {
        using var gate = Gate();
        (await gate.GetAsync("/search", Key)).Status.ShouldBe(402);
        (await gate.SendAsync(new Ask("POST", "/exports") { Body = "{}" })).Reason.ShouldBe("identity-required");
    }

    [Fact]
    public async Task A_key_alone_is_not_identity_enough_where_a_signed_request_is_asked_for()
    {
        using var gate = Gate("identity");
        (await gate.SendAsync(new Ask("POST", "/exports", Key) { Body = "{}" })).Reason.ShouldBe("stronger-identity");
    }
}
