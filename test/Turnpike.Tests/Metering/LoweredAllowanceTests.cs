using System.Text.Json;
using Turnpike.Catalog.Loading;
using Turnpike.Ledger;
using Turnpike.Plans;
using Turnpike.Tests.Gateway;
using static Turnpike.Tests.Metering.MeteredGate;

namespace Turnpike.Tests.Metering;

/// <summary>A plan with little left: the request's maximum is lowered to it, where nobody else pays for all of it.</summary>
public sealed class LoweredAllowanceTests : IDisposable
{
    private const string Question = """{"model":"gpt-4o","max_tokens":1000,"messages":[]}""";

    private TestGate? gate;

    public void Dispose() => gate?.Dispose();

    [Theory]
    [InlineData("{ amount: 300 total_tokens, per: 1mo, when-used-up: wait }")]
    [InlineData("{ amount: 300 total_tokens, per: 1mo, when-used-up: refuse }")]
    [InlineData("{ amount: 300 total_tokens, per: 1mo, when-used-up: pay }")]
    [InlineData("{ amount: 5 total_tokens, per: 1mo, when-used-up: bill, overage: 300 total_tokens }")]
    [InlineData("{ amount: 300 total_tokens, per: 1mo, when-used-up: bill, overage: 5 total_tokens }")]
    [InlineData("{ amount: 300 total_tokens, per: 1d }, { amount: 100000 total_tokens, per: 1mo }, { amount: 5 requests, per: 1d }")]
    [InlineData("{ amount: 100000 total_tokens, per: 1d }, { amount: 300 total_tokens, per: 1mo }")]
    public async Task The_maximum_is_lowered_to_what_is_left_and_said_so(string includes)
    {
        Open(includes);
        var told = await AskAsync();
        told.Status.ShouldBe(200, told.Body);
        // All bytes of the question as tokens, and the rest out.
        var lowered = 300 - Question.Length;
        Sent().ShouldBe(lowered);
        told.Headers["Turnpike-Max-Tokens"].ToString().ShouldBe($"{lowered}");
        var held = await HeldAsync();
        (held.Hold.Ceiling, held.Captured).ShouldBe((new Money(300, "total_tokens"), new Money(30, "total_tokens")));
        await gate!.ShouldBalanceAsync();
    }

    [Fact]
    public async Task An_allowance_in_money_lowers_it_to_what_the_money_buys()
    {
        Open("{ amount: 0.001 USD, per: 1mo, when-used-up: wait }");
        (await AskAsync()).Headers["Turnpike-Max-Tokens"].ToString().ShouldBe($"{(1_000_000 - 2_500 * Question.Length) / 10_000}");
        (await HeldAsync()).Hold.Ceiling.ShouldBe(new Money(1_000_000, "USD"));
    }

    [Fact]
    public async Task All_allowances_of_a_unit_are_charged_what_passed()
    {
        Open("{ amount: 5000 total_tokens, per: 1d }, { amount: 100000 total_tokens, per: 1mo }, { amount: 5 requests, per: 1d }");
        (await AskAsync()).Status.ShouldBe(200);
        (await LeftAsync()).ShouldBe(["total_tokens/1d 4970", "total_tokens/1mo 99970", "requests/1d 4"]);
    }

    [Theory]
    [InlineData("wait", 429, "allowance-renews")]
    [InlineData("refuse", 403, "allowance-over")]
    [InlineData("pay", 402, "allowance-used-up")]
    public async Task Less_than_the_question_alone_takes_is_used_up(string when, int status, string reason)
    {
        Open($"{{ amount: {Question.Length} total_tokens, per: 1mo, when-used-up: {when} }}");
        var told = await AskAsync();
        (told.Status, told.Reason).ShouldBe((status, reason));
        gate!.Upstream.Requests.ShouldBeEmpty();
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_payment_that_is_presented_pays_for_all_of_it()
    {
        Open("{ amount: 300 total_tokens, per: 1mo, when-used-up: pay }");
        var told = await AskAsync(("Authorization", await gate!.TokenAsync()));
        told.Status.ShouldBe(200, told.Body);
        told.Headers["Turnpike-Max-Tokens"].ToString().ShouldBeEmpty();
        (Sent(), (await HeldAsync()).Hold.Method).ShouldBe((1000, "prepaid"));
        (await LeftAsync()).ShouldBe(["total_tokens/1mo 300"]);
    }

    [Theory]
    [InlineData(5000, 5000 - 30, 300)]
    [InlineData(400, 400 - 30, 300)]
    [InlineData(200, 200, 300 - 30)]
    public async Task What_was_granted_pays_for_all_of_it_else_whoever_has_more_left_is_asked(long granted, long grantLeft, long left)
    {
        Open("{ amount: 300 total_tokens, per: 1mo, when-used-up: wait }");
        await gate!.Of<Allowances>().GrantAsync("tester", new Money(granted, "total_tokens"), "more", null, default);
        (await AskAsync()).Status.ShouldBe(200);
        Sent().ShouldBe(granted == 5000 ? 1000 : (int)Math.Max(granted, 300) - Question.Length);
        (await LeftAsync()).ShouldBe([$"total_tokens/1mo {left}", $"total_tokens/granted {grantLeft}"]);
    }

    [Fact]
    public async Task Any_number_of_calls_at_once_never_take_more_than_is_left()
    {
        Open("{ amount: 700 total_tokens, per: 1mo, when-used-up: wait }");
        var told = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => Task.Run(() => AskAsync())));
        told.ShouldAllBe(t => t.Status == 200 || t.Status == 429);
        told.ShouldContain(t => t.Status == 200);
        var taken = (await gate!.Ledger.ListAsync(new HoldFilter(), default)).Sum(h => h.Captured.Units);
        taken.ShouldBe(30 * told.Count(t => t.Status == 200));
        (await LeftAsync()).ShouldBe([$"total_tokens/1mo {700 - taken}"]);
        await gate.ShouldBalanceAsync();
    }

    [Theory]
    [InlineData("postpaid: { per: 1mo, limit: 0.001 USD }", "")]
    [InlineData("postpaid: { per: 1mo }", ", caps: [{ amount: 0.001 USD, per: 1mo }]")]
    public async Task What_is_taken_on_account_is_lowered_to_its_line_and_to_caps(string plan, string caller)
    {
        OpenWith(plan, caller);
        var told = await AskAsync();
        told.Status.ShouldBe(200, told.Body);
        Sent().ShouldBe((1_000_000 - 2_500 * Question.Length) / 10_000);
        ((await HeldAsync()).Hold.Method, (await HeldAsync()).Hold.Ceiling).ShouldBe(("postpaid", new Money(1_000_000, "USD")));
        await gate!.ShouldBalanceAsync();
    }

    [Theory]
    [InlineData(1_000_000, 49_991 + 33, null)]
    [InlineData(10_000, 10_000, null)]
    [InlineData(300, 300, 300 - 33)]
    public async Task Where_nothing_bounds_the_answer_what_the_ceiling_buys_is_held_or_what_is_left(long included, long held, int? sent)
    {
        OpenUnbounded($"includes: [{{ amount: {included} total_tokens, per: 1mo }}]");
        var told = await gate!.SendAsync(Asked(Unbounded));
        told.Status.ShouldBe(200, told.Body);
        (JsonDocument.Parse(gate.Upstream.Requests.Last().Body).RootElement.TryGetProperty("max_tokens", out var maximum) ? maximum.GetInt32() : (int?)null).ShouldBe(sent);
        var state = await HeldAsync();
        (state.Hold.Ceiling, state.Captured).ShouldBe((new Money(held, "total_tokens"), new Money(30, "total_tokens")));
        (await LeftAsync()).ShouldBe([$"total_tokens/1mo {included - 30}"]);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task Where_what_is_answered_costs_nothing_no_maximum_is_invented()
    {
        OpenUnbounded("includes: [{ amount: 300 total_tokens, per: 1mo }]", ", output_tokens: 10.00 USD");
        (await gate!.SendAsync(Asked(Unbounded))).Status.ShouldBe(200);
        gate.Upstream.Requests.Last().Body.ShouldBe(Unbounded);
        (await LeftAsync()).ShouldBe(["total_tokens/1mo 270"]);
    }

    /// <summary>What it goes on from is not here: its question may be any size.</summary>
    [Fact]
    public async Task Where_nothing_bounds_the_question_nothing_is_included()
    {
        OpenUnbounded("includes: [{ amount: 300 total_tokens, per: 1mo }]");
        var told = await gate!.SendAsync(Asked("""{"model":"gpt-4o","conversation":"c_1","messages":[]}"""));
        (told.Status, told.Reason).ShouldBe((402, "payment-required"));
    }

    private const string Unbounded = """{"model":"gpt-4o","messages":[]} """;

    private void OpenUnbounded(string plan, string without = "default-max-tokens: 1000")
    {
        gate = new TestGate(PlansOf(plan), Operations.Replace("default-max-tokens: 1000", "", StringComparison.Ordinal).Replace(without, "", StringComparison.Ordinal));
        gate.Upstream.Says(() => Json("""{"model":"gpt-4o","choices":[],"usage":{"prompt_tokens":20,"completion_tokens":10,"total_tokens":30}}"""));
    }

    private static string Operations => Chat.Replace("accept: [prepaid]", "accept: [plan, prepaid]", StringComparison.Ordinal);

    private static string PlansOf(string plan, string caller = "") => $$"""
        plans: { free: { {{plan}} } }
        callers: { tester: { plan: free, keys: ["${env:AGENT_KEY}"]{{caller}} } }

        """;

    private void Open(string includes) => OpenWith($"includes: [{includes}]");

    private void OpenWith(string plan, string caller = "")
    {
        gate = new TestGate(PlansOf(plan, caller), Operations);
        gate.Upstream.Says(() => Json("""{"model":"gpt-4o","choices":[],"usage":{"prompt_tokens":20,"completion_tokens":10,"total_tokens":30}}"""));
    }

    private static Ask Asked(string body, params (string, string?)[] more) =>
        new("POST", "/v1/chat/completions", [("apikey", Catalog.Documents.Variables["AGENT_KEY"]), ("Content-Type", "application/json"), .. more]) { Body = body };

    private Task<Told> AskAsync(params (string, string?)[] more) => gate!.SendAsync(Asked(Question, more));

    private int Sent() => JsonDocument.Parse(gate!.Upstream.Requests.Last().Body).RootElement.GetProperty("max_tokens").GetInt32();

    private async Task<HoldState> HeldAsync() => (await gate!.Ledger.ListAsync(new HoldFilter(), default))[0];

    private async Task<IEnumerable<string>> LeftAsync()
    {
        var plan = PlanBook.Of(gate!.Of<CatalogSource>().Current, "free");
        return (await gate.Of<Allowances>().LeftAsync("tester", plan, gate.Time.GetUtcNow(), default)).Select(a => $"{a.Feature} {a.Left.Units}");
    }
}
