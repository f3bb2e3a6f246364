using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Turnpike.EndToEnd.Crashes;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Metering;

/// <summary>kill -9 at each write of a stream that is paid for by what passed.</summary>
public sealed class StreamCrashTests : IAsyncLifetime
{
    private const int MostPoints = 20;

    private readonly HttpClient http = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = Until.Patience };
    private LlmStandIn model = null!;
    private TurnpikeProcess gateway = null!;

    public async ValueTask InitializeAsync()
    {
        model = await LlmStandIn.StartAsync();
        gateway = await TurnpikeProcess.StartAsync("llm.yaml", PaidByTokensAlone, ("LLM_UPSTREAM", model.Url.ToString().TrimEnd('/')));
    }

    public async ValueTask DisposeAsync()
    {
        await gateway.DisposeAsync();
        await model.DisposeAsync();
        http.Dispose();
    }

    /// <summary>The attack: hear the whole answer, and have its price back because the process died between taking it and saying that it passed.</summary>
    [Fact]
    public async Task Killed_at_each_write_of_a_stream_it_is_paid_for_at_most_once_and_nobody_has_both_the_answer_and_its_price()
    {
        Faults.Require();
        var whole = 1m - await LeftAfterAsync(await TokenAsync(), 0);
        whole.ShouldBe(0.0002275m);
        var point = 1;
        for (var hit = true; hit; point++)
        {
            point.ShouldBeLessThan(MostPoints, "the stream never passes");
            var token = await TokenAsync();
            var left = await LeftAfterAsync(token, point);
            hit = struck;
            // Where the machine is so slow that a checkpoint was written, its guess is charged, which may be more than the provider would have told; never twice.
            left.ShouldBeInRange(1m - 1.5m * whole, 1m, $"killed at {point}");
            if (!hit) left.ShouldBe(1m - whole);
            (await AdminAsync("/admin/v1/payments?limit=500"))["payments"]!.AsArray().ShouldAllBe(payment => payment!["outcome"]!.GetValue<string>() != "credited", $"killed at {point}");
            await gateway.BooksBalanceAsync();
        }
        point.ShouldBeGreaterThan(3, "it is held, and it is taken");
    }

    private bool struck;

    /// <summary>What is left of a dollar after a stream, in which the process dies the n-th time it makes the disk keep something; 0: never.</summary>
    private async Task<decimal> LeftAfterAsync(string token, int point)
    {
        if (point == 0) await StreamAsync(token);
        else
        {
            await using (await Faults.AtAsync(gateway, "signal=KILL", point))
            {
                await StreamAsync(token);
                await Task.Delay(300); // what nobody waits for is written as well
            }
            if (struck = !await AnswersAsync())
            {
                await gateway.DiedAsync();
                await gateway.StartAgainAsync();
            }
        }
        await Until.HoldsAsync("its hold ends", async () => (await AdminAsync("/admin/v1/payments?status=held"))["payments"]!.AsArray().Count == 0);
        var balance = JsonNode.Parse(await GetAsync(new Uri(gateway.Url, "/balance"), token))!;
        return decimal.Parse(balance["available"]!["amount"]!.GetValue<string>(), CultureInfo.InvariantCulture);
    }

    private async Task StreamAsync(string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(gateway.Url, "/v1/chat/completions")) { Content = new StringContent("""{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"Tell me of the sea."}]}""", new MediaTypeHeaderValue("application/json")) };
        request.Headers.Authorization = new("Bearer", token);
        try
        {
            using var answer = await http.SendAsync(request);
            await answer.Content.ReadAsStringAsync();
        }
        catch (Exception e) when (e is HttpRequestException or IOException) { /* it was killed */ }
    }

    private async Task<bool> AnswersAsync()
    {
        if (!gateway.Lives) return false;
        try { return await http.GetStringAsync(new Uri(gateway.Admin, "/health/live")) is not null; }
        catch (HttpRequestException) { return false; }
    }

    private static string PaidByTokensAlone(string document) =>
        document[..document.IndexOf("\nplans:", StringComparison.Ordinal)].Replace("accept: [plan, prepaid]", "accept: [prepaid]", StringComparison.Ordinal) + "\n";

    private async Task<string> TokenAsync()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(gateway.Admin, "/admin/v1/tokens")) { Content = new StringContent("""{"budget":"1.00 USD"}""", new MediaTypeHeaderValue("application/json")) };
        request.Headers.Authorization = new("Bearer", Checkout.Variables()["TURNPIKE_ADMIN_KEY"]);
        using var answer = await http.SendAsync(request);
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["token"]!.GetValue<string>();
    }

    private async Task<JsonNode> AdminAsync(string path) => JsonNode.Parse(await GetAsync(new Uri(gateway.Admin, path), Checkout.Variables()["TURNPIKE_ADMIN_KEY"]))!;

    private async Task<string> GetAsync(Uri url, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.Authorization = new("Bearer", key);
        using var answer = await http.SendAsync(request);
        return await answer.Content.ReadAsStringAsync();
    }
}
