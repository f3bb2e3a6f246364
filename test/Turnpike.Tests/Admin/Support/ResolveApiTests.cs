using System.Net;
using Turnpike.Admin.Cli;
using Turnpike.Admin.Support;

namespace Turnpike.Tests.Admin.Support;

/// <summary>An operator ends what the rail would not say: once, with a reason, and never so that it is paid twice.</summary>
public sealed class ResolveApiTests
{
    [Theory]
    [InlineData("settled", "\"reference\":\"0xseen\",", "0xseen")]
    [InlineData("credited", "", "0xmaybe")]
    public async Task What_the_rail_has_or_nobody_will_know_becomes_the_payers_credit(string how, string with, string reference)
    {
        await using var gateway = await RunningGateway.StartAsync();
        var hold = await UnknownPayment.AddAsync(gateway.Ledger);
        var (status, body) = await ResolveAsync(gateway, hold.Id, $$"""{"as":"{{how}}",{{with}}"reason":"seen on the explorer"}""");
        status.ShouldBe(HttpStatusCode.OK, body);
        var state = (await gateway.Ledger.FindAsync(hold.Id, default))!;
        (state.Status, state.Outcome, state.Reference).ShouldBe((Turnpike.Ledger.HoldStatus.Settled, Turnpike.Ledger.HoldOutcome.Credited, reference));
        (await UnknownPayment.CreditAsync(gateway.Ledger)).ShouldBe("0.01 USD");
        var story = (await gateway.GetAsync("/admin/v1/payments/" + hold.Receipt)).Body;
        RunningGateway.Json(story).GetProperty("events").EnumerateArray().Select(e => e.GetProperty("kind").GetString()).ShouldBe(["payment.settled", "payment.resolved", "payment.credited"]);
        story.ShouldContain("seen on the explorer");
        (await gateway.Ledger.VerifyAsync(default)).Findings.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_the_rail_will_never_take_is_given_back()
    {
        await using var gateway = await RunningGateway.StartAsync();
        var hold = await UnknownPayment.AddAsync(gateway.Ledger, expires: TimeProvider.System.GetUtcNow().AddSeconds(-1));
        (await ResolveAsync(gateway, hold.Id, """{"as":"released","reason":"expired unused"}""")).Status.ShouldBe(HttpStatusCode.OK);
        (await gateway.Ledger.FindAsync(hold.Id, default))!.Status.ShouldBe(Turnpike.Ledger.HoldStatus.Released);
        (await UnknownPayment.CreditAsync(gateway.Ledger)).ShouldBe("0.00 USD");
        (await gateway.Ledger.VerifyAsync(default)).Findings.ShouldBeEmpty();
    }

    [Fact]
    public async Task While_its_proof_is_good_it_is_not_released_or_the_rail_could_take_it_twice()
    {
        await using var gateway = await RunningGateway.StartAsync();
        var hold = await UnknownPayment.AddAsync(gateway.Ledger, expires: TimeProvider.System.GetUtcNow().AddMinutes(5));
        var (status, body) = await ResolveAsync(gateway, hold.Id, """{"as":"released","reason":"guess"}""");
        (status, RunningGateway.Json(body).GetProperty("reason").GetString()).ShouldBe((HttpStatusCode.Conflict, "still-payable"));
        (await gateway.Ledger.FindAsync(hold.Id, default))!.Status.ShouldBe(Turnpike.Ledger.HoldStatus.Unknown);
    }

    [Fact]
    public async Task Twenty_operators_at_once_decide_once()
    {
        await using var gateway = await RunningGateway.StartAsync();
        var hold = await UnknownPayment.AddAsync(gateway.Ledger);
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => ResolveAsync(gateway, hold.Id, i % 2 == 0 ? """{"as":"settled","reference":"0xseen","reason":"seen"}""" : """{"as":"released","reason":"not seen"}""")));
        answers.Select(a => a.Status).Distinct().ShouldBe([HttpStatusCode.OK, HttpStatusCode.Conflict], ignoreOrder: true);
        var state = (await gateway.Ledger.FindAsync(hold.Id, default))!;
        (await UnknownPayment.CreditAsync(gateway.Ledger)).ShouldBe(state.Status == Turnpike.Ledger.HoldStatus.Settled ? "0.01 USD" : "0.00 USD");
        (await gateway.Ledger.VerifyAsync(default)).Findings.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_same_decision_again_is_answered_as_before_and_another_is_409()
    {
        await using var gateway = await RunningGateway.StartAsync();
        var hold = await UnknownPayment.AddAsync(gateway.Ledger);
        const string Order = """{"as":"credited","reason":"seen"}""";
        var first = (await ResolveAsync(gateway, hold.Receipt, Order)).Body;
        (await ResolveAsync(gateway, hold.Receipt, Order)).ShouldBe((HttpStatusCode.OK, first));
        (await UnknownPayment.CreditAsync(gateway.Ledger)).ShouldBe("0.01 USD");
        var (status, body) = await ResolveAsync(gateway, hold.Receipt, """{"as":"released","reason":"changed my mind"}""");
        (status, RunningGateway.Json(body).GetProperty("reason").GetString()).ShouldBe((HttpStatusCode.Conflict, "not-unknown"));
    }

    [Theory]
    [InlineData("""{"as":"settled","reason":"seen"}""")]
    [InlineData("""{"as":"released","reference":"0x1","reason":"seen"}""")]
    [InlineData("""{"as":"released","reason":" "}""")]
    [InlineData("""{"as":"forgotten","reason":"seen"}""")]
    [InlineData("""{"as":"credited"}""")]
    public async Task Without_a_reason_or_with_nonsense_it_is_400(string order)
    {
        await using var gateway = await RunningGateway.StartAsync();
        var hold = await UnknownPayment.AddAsync(gateway.Ledger);
        (await ResolveAsync(gateway, hold.Id, order)).Status.ShouldBe(HttpStatusCode.BadRequest);
        (await ResolveAsync(gateway, "nothing", """{"as":"credited","reason":"seen"}""")).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task The_command_lists_shows_and_resolves_beside_the_gateway()
    {
        await using var gateway = await RunningGateway.StartAsync();
        var hold = await UnknownPayment.AddAsync(gateway.Ledger);
        (await RunAsync((o, e) => PaymentsCommand.ListAsync(gateway.Config, RunningGateway.Environment, new("unknown"), false, o, e, default))).Output.ShouldContain(hold.Receipt);
        var resolved = await RunAsync((o, e) => PaymentsCommand.ResolveAsync(gateway.Config, RunningGateway.Environment, hold.Id, new ResolveBody("settled", "0xseen", "seen"), false, o, e, default));
        (resolved.Code, resolved.Err).ShouldBe((0, ""));
        resolved.Output.ShouldContain("status       settled, answer credited");
        (await RunAsync((o, e) => PaymentsCommand.ShowAsync(gateway.Config, RunningGateway.Environment, $"http://any/receipts/{hold.Receipt}", false, o, e, default))).Output.ShouldContain("payment.resolved (settled): seen");
        (await RunAsync((o, e) => PaymentsCommand.ResolveAsync(gateway.Config, RunningGateway.Environment, hold.Id, new ResolveBody("released", null, "no"), false, o, e, default))).Code.ShouldBe(3);
    }

    private static Task<(HttpStatusCode Status, string Body)> ResolveAsync(RunningGateway gateway, string id, string order) =>
        gateway.AdminAsync(HttpMethod.Post, $"/admin/v1/payments/{Uri.EscapeDataString(id)}/resolve", order);

    private static async Task<(int Code, string Output, string Err)> RunAsync(Func<TextWriter, TextWriter, Task<int>> command)
    {
        using var output = new StringWriter();
        using var err = new StringWriter();
        var code = await command(output, err);
        return (code, output.ToString(), err.ToString());
    }
}
