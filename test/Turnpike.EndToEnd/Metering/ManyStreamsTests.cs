using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Metering;

/// <summary>A thousand streams at once on one token, over two gateways that share a PostgreSQL.</summary>
public sealed class ManyStreamsTests : IAsyncLifetime
{
    private const int Streams = 1_000, Words = 30;
    private const decimal Full = 12 * 0.0000025m - 2 * 0.00000125m + Words * 0.00001m, Budget = Streams / 2 * Full;
    private const string Question = """{"model":"gpt-4o","stream":true,"max_tokens":20,"messages":[{"role":"user","content":"Tell me of the sea."}]}""";

    private ModelNodes nodes = null!;

    public async ValueTask InitializeAsync()
    {
        nodes = await ModelNodes.StartAsync(PaidByTokensAlone, TimeSpan.FromMinutes(10));
        (nodes.Model.Words, nodes.Model.Pause) = (Words, TimeSpan.FromMilliseconds(20));
    }

    public ValueTask DisposeAsync() => nodes.DisposeAsync();

    [Fact]
    public async Task A_thousand_streams_over_two_nodes_on_a_budget_that_ends_halfway_take_it_and_not_one_nano_dollar_more()
    {
        var token = (await nodes.AdminAsync("/admin/v1/tokens", $$"""{"budget":"{{Budget.ToString(CultureInfo.InvariantCulture)}} USD"}"""))["token"]!.GetValue<string>();
        var answers = await Task.WhenAll(Enumerable.Range(0, Streams).Select(i => nodes.AskAsync(nodes.At(i), token, Question)));
        foreach (var (status, body) in answers)
        {
            status.ShouldBeOneOf(HttpStatusCode.OK, HttpStatusCode.PaymentRequired);
            if (status == HttpStatusCode.OK) body.ShouldEndWith("data: [DONE]\n\n", Case.Sensitive, "ended as its client understands");
        }
        await nodes.NothingIsHeldAsync();
        var left = Amount((await nodes.BalanceAsync(token))["available"]!["amount"]!);
        var taken = Amount((await nodes.AdminAsync("/admin/v1/usage/margin?groupBy=operation"))["data"]!.AsArray().ShouldHaveSingleItem()!["revenue"]!); // what the records of use say was paid
        (left >= 0, taken + left).ShouldBe((true, Budget));
        answers.Count(told => told.Status == HttpStatusCode.OK).ShouldBeInRange(1, Streams - 1);
        (await nodes.B.RunAsync("ledger", "verify")).Code.ShouldBe(0);
    }

    /// <summary>Without its plans, and without its breakers: a thousand identical requests are what they are there for.</summary>
    private static string PaidByTokensAlone(string document) =>
        document[..document.IndexOf("\nplans:", StringComparison.Ordinal)].Replace("accept: [plan, prepaid]", "accept: [prepaid]", StringComparison.Ordinal) + "\n";

    private static decimal Amount(JsonNode told) => decimal.Parse(told.GetValue<string>(), CultureInfo.InvariantCulture);
}
