using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Turnpike.EndToEnd.Harness;
using Turnpike.EndToEnd.Storage;

namespace Turnpike.EndToEnd.Metering;

/// <summary>A thousand streams at once on one token, over two gateways that share a PostgreSQL.</summary>
public sealed class ManyStreamsTests : IAsyncLifetime
{
    private const int Streams = 1_000, Words = 30;
    private const decimal Full = 12 * 0.0000025m - 2 * 0.00000125m + Words * 0.00001m, Budget = Streams / 2 * Full;

    private readonly HttpClient http = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromMinutes(10) };
    private LlmStandIn model = null!;
    private TurnpikeProcess a = null!, b = null!;

    public async ValueTask InitializeAsync()
    {
        model = await LlmStandIn.StartAsync();
        (model.Words, model.Pause) = (Words, TimeSpan.FromMilliseconds(20));
        var (store, upstream) = (TemporaryDatabase.NewEmpty(), ("LLM_UPSTREAM", model.Url.ToString().TrimEnd('/')));
        a = await TurnpikeProcess.StartOnAsync("llm.yaml", store, PaidByTokensAlone, ("gateway.node", "a"), upstream);
        b = await TurnpikeProcess.StartOnAsync("llm.yaml", store, PaidByTokensAlone, ("gateway.node", "b"), ("gateway.url", a.Url.GetLeftPart(UriPartial.Authority)), upstream);
    }

    public async ValueTask DisposeAsync()
    {
        await a.DisposeAsync();
        await b.DisposeAsync();
        await model.DisposeAsync();
        http.Dispose();
    }

    [Fact]
    public async Task A_thousand_streams_over_two_nodes_on_a_budget_that_ends_halfway_take_it_and_not_one_nano_dollar_more()
    {
        var token = await TokenAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, Streams).Select(i => StreamAsync(i % 2 == 0 ? a : b, token)));
        foreach (var (status, body) in answers)
        {
            status.ShouldBeOneOf(HttpStatusCode.OK, HttpStatusCode.PaymentRequired);
            if (status == HttpStatusCode.OK) body.ShouldEndWith("data: [DONE]\n\n", Case.Sensitive, "ended as its client understands");
        }
        for (var tries = 0; JsonNode.Parse(await AdminAsync("/admin/v1/payments?status=held"))!["payments"]!.AsArray().Count > 0; tries++)
        {
            tries.ShouldBeLessThan(2_400, "a hold never ends");
            await Task.Delay(50);
        }
        var left = decimal.Parse(JsonNode.Parse(await GetAsync(new Uri(b.Url, "/balance"), token))!["available"]!["amount"]!.GetValue<string>(), CultureInfo.InvariantCulture);
        var taken = await TakenAsync();
        (left >= 0, taken + left).ShouldBe((true, Budget));
        answers.Count(told => told.Status == HttpStatusCode.OK).ShouldBeInRange(1, Streams - 1);
        (await b.RunAsync("ledger", "verify")).Code.ShouldBe(0);
    }

    /// <summary>Without its plans, and without its breakers: a thousand identical requests are what they are there for.</summary>
    private static string PaidByTokensAlone(string document) =>
        document[..document.IndexOf("\nplans:", StringComparison.Ordinal)].Replace("accept: [plan, prepaid]", "accept: [prepaid]", StringComparison.Ordinal) + "\n";

    private async Task<(HttpStatusCode Status, string Body)> StreamAsync(TurnpikeProcess gateway, string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(gateway.Url, "/v1/chat/completions")) { Content = new StringContent("""{"model":"gpt-4o","stream":true,"max_tokens":20,"messages":[{"role":"user","content":"Tell me of the sea."}]}""", new MediaTypeHeaderValue("application/json")) };
        request.Headers.Authorization = new("Bearer", token);
        using var answer = await http.SendAsync(request);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    private async Task<string> TokenAsync()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(a.Admin, "/admin/v1/tokens")) { Content = new StringContent($$"""{"budget":"{{Budget.ToString(CultureInfo.InvariantCulture)}} USD"}""", new MediaTypeHeaderValue("application/json")) };
        request.Headers.Authorization = new("Bearer", Checkout.Variables()["TURNPIKE_ADMIN_KEY"]);
        using var answer = await http.SendAsync(request);
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["token"]!.GetValue<string>();
    }

    /// <summary>What the records of use say was paid, together.</summary>
    private async Task<decimal> TakenAsync() =>
        decimal.Parse(JsonNode.Parse(await AdminAsync("/admin/v1/usage/margin?groupBy=operation"))!["data"]!.AsArray().ShouldHaveSingleItem()!["revenue"]!.GetValue<string>(), CultureInfo.InvariantCulture);

    private Task<string> AdminAsync(string path) => GetAsync(new Uri(b.Admin, path), Checkout.Variables()["TURNPIKE_ADMIN_KEY"]);

    private async Task<string> GetAsync(Uri url, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.Authorization = new("Bearer", key);
        using var answer = await http.SendAsync(request);
        return await answer.Content.ReadAsStringAsync();
    }
}
