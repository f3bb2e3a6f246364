using System.Text;
using Turnpike.Ledger;
using Turnpike.Tests.Gateway;
using static Turnpike.Tests.Metering.MeteredGate;

namespace Turnpike.Tests.Metering;

/// <summary>Answers sold by the record: counted before they leave, withheld when they cost more than was held.</summary>
public sealed class RecordTests : IDisposable
{
    private readonly TestGate gate = new(document: Records);

    public void Dispose() => gate.Dispose();

    [Theory]
    [InlineData("""{"items":[{"a":1},{"a":[1,2,3]},{}]}""", "0.006 USD")]
    [InlineData("""{"items":[]}""", "0.00 USD")]
    [InlineData("""{"items":{"a":1}}""", "0.00 USD")]
    [InlineData("""{"other":{"items":[1,2]},"items":[7,8,9,10,11]}""", "0.01 USD")]
    public async Task Records_are_counted_and_the_cost_stands_in_a_header(string body, string cost)
    {
        gate.Upstream.Says(() => Json(body));
        var told = await gate.GetAsync("/companies", ("Authorization", await gate.TokenAsync()));
        (told.Status, told.Body, told.Headers["Turnpike-Cost"].ToString()).ShouldBe((200, body, cost));
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task What_costs_more_than_was_held_does_not_leave_and_is_not_charged()
    {
        gate.Upstream.Says(() => Json("""{"items":["secret",2,3,4,5,6]}"""));
        var token = await gate.TokenAsync();
        var told = await gate.GetAsync("/companies", ("Authorization", token));
        (told.Status, told.Reason).ShouldBe((422, "answer-above-ceiling"));
        told.Body.ShouldNotContain("secret");
        (await gate.Ledger.AvailableAsync("token:" + TestGate.IdOf(token), "USD", default)).ToString().ShouldBe("1.00 USD");
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task What_is_left_on_a_token_bounds_an_answer_as_well()
    {
        gate.Upstream.Says(() => Json("""{"items":["a","b"]}"""));
        var told = await gate.GetAsync("/companies", ("Authorization", await gate.TokenAsync("0.003 USD")));
        (told.Status, told.Reason).ShouldBe((422, "answer-above-ceiling"));
        (await gate.GetAsync("/companies", ("Authorization", await gate.TokenAsync("0.001 USD")))).Reason.ShouldBe("token-exhausted");
        (await gate.GetAsync("/companies", ("Authorization", await gate.TokenAsync("0.004 USD")))).Status.ShouldBe(200);
    }

    [Fact]
    public async Task An_answer_too_large_to_count_does_not_leave()
    {
        gate.Upstream.Says(() => Json("{\"items\":[\"" + new string('x', 9 * 1024 * 1024) + "\"]}"));
        (await gate.GetAsync("/companies", ("Authorization", await gate.TokenAsync()))).Reason.ShouldBe("answer-above-ceiling");
    }
}
