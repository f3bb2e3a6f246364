using Turnpike.Admin;
using Turnpike.Admin.Cli;
using Turnpike.Tokens;

namespace Turnpike.Tests.Admin;

/// <summary>The command line over the same books: alone, and beside a running gateway.</summary>
public sealed class CommandTests
{
    private static readonly TokenBody Order = new("0.03 USD", Operations: ["paid"]);

    [Fact]
    public async Task Issue_prints_the_text_alone_and_the_facts_beside_it()
    {
        await using var gateway = RunningGateway.Stopped();
        var (code, output, err) = await IssueAsync(gateway, Order);
        (code, output.Split('\n').Length).ShouldBe((0, 2));
        output.ShouldStartWith("tp_");
        err.ShouldContain("0.03 USD left");
        err.ShouldNotContain("tp_");
    }

    [Fact]
    public async Task Beside_a_running_gateway_it_issues_and_revokes_through_the_admin_api()
    {
        await using var gateway = await RunningGateway.StartAsync();
        var text = (await IssueAsync(gateway, Order)).Output.Trim();
        using (var paid = await gateway.CallAsync("/paid", text)) ((int)paid.StatusCode).ShouldBe(200);
        (await RunAsync((o, e) => TokensCommand.ShowAsync(gateway.Config, RunningGateway.Environment, text, false, o, e, default))).Output.ShouldContain("0.02 USD left");
        (await RunAsync((o, e) => TokensCommand.SetStatusAsync(gateway.Config, RunningGateway.Environment, text, "revoke", TokenStatus.Revoked, "leaked", false, o, e, default))).Output.ShouldContain("status    revoked");
        // In force for the gateway's next call: a write past its back would not be.
        using var refused = await gateway.CallAsync("/paid", text);
        ((int)refused.StatusCode).ShouldBe(403);
    }

    [Fact]
    public async Task A_running_gateway_that_refuses_is_3()
    {
        await using var gateway = await RunningGateway.StartAsync();
        var other = RunningGateway.Environment with { Variable = name => name == "ADMIN" ? "another-key" : RunningGateway.TokenSecret };
        var (code, output, err) = await RunAsync((o, e) => TokensCommand.IssueAsync(gateway.Config, other, Order, false, o, e, default));
        (code, output).ShouldBe((3, ""));
        err.ShouldContain("An admin key is required");
        err.ShouldNotContain("another-key");
    }

    [Fact]
    public async Task A_store_left_behind_is_shown_verified_and_its_receipts_are_found()
    {
        await using var gateway = await RunningGateway.StartAsync();
        using var paid = await gateway.CallAsync("/paid", await gateway.TokenAsync());
        var url = paid.Headers.GetValues("Turnpike-Receipt").Single();
        await gateway.StopAsync();
        (await RunAsync((o, e) => ReceiptsCommand.ShowAsync(gateway.Config, RunningGateway.Environment, url, false, o, e, default))).Output.ShouldContain("amount       0.01 USD");
        var (code, json, _) = await RunAsync((o, e) => ReceiptsCommand.ShowAsync(gateway.Config, RunningGateway.Environment, url, true, o, e, default));
        (code, RunningGateway.Json(json).GetProperty("status").GetString()).ShouldBe((0, "delivered"));
        (await RunAsync((o, e) => LedgerCommand.VerifyAsync(gateway.Config, RunningGateway.Environment, false, o, e, default))).ShouldSatisfyAllConditions(r => r.Code.ShouldBe(0), r => r.Output.ShouldContain("The books balance: 1 payments, 0 of them open"));
        (await RunAsync((o, e) => AuditCommand.VerifyAsync(gateway.Config, RunningGateway.Environment, true, o, e, default))).ShouldSatisfyAllConditions(r => r.Code.ShouldBe(0), r => RunningGateway.Json(r.Output).GetProperty("intact").GetBoolean().ShouldBeTrue());
    }

    [Fact]
    public async Task A_changed_event_and_a_changed_entry_are_told_with_exit_code_1()
    {
        await using var gateway = await RunningGateway.StartAsync();
        (await gateway.CallAsync("/paid", await gateway.TokenAsync())).Dispose();
        await gateway.Database.WriteAsync(sql => sql.Script("update audit set amount = '0.02 USD' where kind = 'payment.settled'; update entries set units = units + 1 where account = 'revenue:paid'"), default);
        (await RunAsync((o, e) => AuditCommand.VerifyAsync(gateway.Config, RunningGateway.Environment, false, o, e, default))).ShouldSatisfyAllConditions(r => r.Code.ShouldBe(1), r => r.Err.ShouldContain("not what was recorded"));
        (await RunAsync((o, e) => LedgerCommand.VerifyAsync(gateway.Config, RunningGateway.Environment, false, o, e, default))).ShouldSatisfyAllConditions(r => r.Code.ShouldBe(1), r => r.Err.ShouldContain("off by 0.000000001 USD"));
    }

    [Fact]
    public async Task Wrong_input_is_2_and_what_is_not_there_is_3()
    {
        await using var gateway = RunningGateway.Stopped();
        (await RunAsync((o, e) => LedgerCommand.VerifyAsync(gateway.Config, RunningGateway.Environment, false, o, e, default))).Code.ShouldBe(1, "there is no store yet");
        (await IssueAsync(gateway, Order with { Budget = "5" })).ShouldSatisfyAllConditions(r => r.Code.ShouldBe(2), r => r.Output.ShouldBeEmpty(), r => r.Err.ShouldContain("budget:"));
        (await IssueAsync(gateway, Order)).Code.ShouldBe(0);
        (await RunAsync((o, e) => TokensCommand.ShowAsync(gateway.Config, RunningGateway.Environment, "tp_typo", false, o, e, default))).Code.ShouldBe(2);
        (await RunAsync((o, e) => TokensCommand.ShowAsync(gateway.Config, RunningGateway.Environment, "unknown", false, o, e, default))).Code.ShouldBe(3);
        (await RunAsync((o, e) => TokensCommand.SetStatusAsync(gateway.Config, RunningGateway.Environment, "unknown", "revoke", TokenStatus.Revoked, null, false, o, e, default))).Code.ShouldBe(3);
        (await RunAsync((o, e) => ReceiptsCommand.ShowAsync(gateway.Config, RunningGateway.Environment, "unknown", false, o, e, default))).Code.ShouldBe(3);
        (await RunAsync((o, e) => AuditCommand.VerifyAsync(gateway.Config + "x", RunningGateway.Environment, false, o, e, default))).Code.ShouldBe(2);
    }

    private static Task<(int Code, string Output, string Err)> IssueAsync(RunningGateway gateway, TokenBody body) =>
        RunAsync((o, e) => TokensCommand.IssueAsync(gateway.Config, RunningGateway.Environment, body, false, o, e, default));

    private static async Task<(int Code, string Output, string Err)> RunAsync(Func<TextWriter, TextWriter, Task<int>> command)
    {
        using var output = new StringWriter();
        using var err = new StringWriter();
        var code = await command(output, err);
        return (code, output.ToString(), err.ToString());
    }
}
