using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Turnpike.EndToEnd.Harness;
using Turnpike.EndToEnd.Metering;

namespace Turnpike.EndToEnd.Billing;

/// <summary>Usage export of the real process to a receiver that fails, with the gateway killed on the way.</summary>
public sealed class UsageExportTests : IAsyncLifetime
{
    private readonly HttpClient http = new(new SocketsHttpHandler { UseProxy = false });
    private readonly ConcurrentQueue<string> arrived = [];
    private LoopbackHost receiver = null!;
    private LlmStandIn model = null!;
    private TurnpikeProcess gateway = null!;
    private int asked;
    private volatile bool flaky = true;

    public async ValueTask InitializeAsync()
    {
        receiver = await LoopbackHost.StartAsync(app => app.MapPost("/events", TakeAsync));
        (model = await LlmStandIn.StartAsync()).Words = 3;
        gateway = await TurnpikeProcess.StartAsync("llm.yaml", document => document[..document.IndexOf("\nplans:", StringComparison.Ordinal)].Replace("accept: [plan, prepaid]", "accept: [prepaid]", StringComparison.Ordinal)
            + $"\nusage-export:\n  meter: {{ timeout: 1s, cloudevents: {{ url: \"{receiver.Url}events\" }} }}\n  archive: {{ files: {{ folder: usage }} }}\n", ("LLM_UPSTREAM", model.Url.ToString().TrimEnd('/')));
    }

    public async ValueTask DisposeAsync()
    {
        await gateway.DisposeAsync();
        await model.DisposeAsync();
        await receiver.DisposeAsync();
        http.Dispose();
    }

    [Fact]
    public async Task Every_paid_call_is_told_of_once_through_failures_and_kills()
    {
        var tokens = new[] { await TokenAsync(), await TokenAsync(), await TokenAsync() };
        List<string> receipts = [];
        for (var i = 0; i < 30; i++)
        {
            receipts.Add(await CallAsync(tokens[i % 3]));
            if (i % 10 != 9) continue;
            await gateway.KillAsync();
            await gateway.StartAgainAsync();
        }
        flaky = false;
        for (var wait = 0; wait < 1_200 && arrived.Distinct().Count() < receipts.Count; wait++) await Task.Delay(100);
        arrived.Distinct().Order(StringComparer.Ordinal).ShouldBe(receipts.Order(StringComparer.Ordinal));
        string[] lines = [];
        for (var wait = 0; wait < 1_200 && lines.Length < receipts.Count; wait++, await Task.Delay(100))
            lines = [.. Directory.GetFiles(Path.Combine(gateway.Folder, "usage")).SelectMany(file => ReadLines(file)).Select(line => JsonNode.Parse(line)!["id"]!.GetValue<string>())];
        lines.Order(StringComparer.Ordinal).ShouldBe(receipts.Order(StringComparer.Ordinal), "a file has every line once");
        (await gateway.RunAsync("usage", "export", "--format", "csv")).Said.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(receipts.Count + 1);
        (await gateway.RunAsync("ledger", "verify")).Code.ShouldBe(0);
    }

    private static IEnumerable<string> ReadLines(string file)
    {
        using var reader = new StreamReader(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>Of five requests one is 500 before it is taken, one breaks after, one is answered too late.</summary>
    private async Task TakeAsync(HttpContext context)
    {
        var number = Interlocked.Increment(ref asked);
        if (flaky && number % 5 == 0) { context.Response.StatusCode = 500; return; }
        using var reader = new StreamReader(context.Request.Body);
        foreach (var told in JsonNode.Parse(await reader.ReadToEndAsync())!.AsArray()) arrived.Enqueue(told!["id"]!.GetValue<string>());
        if (flaky && number % 5 == 1) context.Abort();
        else if (flaky && number % 5 == 2) await Task.Delay(TimeSpan.FromSeconds(2));
        else context.Response.StatusCode = 204;
    }

    private async Task<string> CallAsync(string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(gateway.Url, "/v1/chat/completions")) { Content = new StringContent("""{"model":"gpt-4o","messages":[],"max_tokens":50}""", new MediaTypeHeaderValue("application/json")) };
        request.Headers.Authorization = new("Bearer", token);
        using var answer = await http.SendAsync(request);
        answer.IsSuccessStatusCode.ShouldBeTrue();
        var receipt = answer.Headers.GetValues("Turnpike-Receipt").Single();
        // The last byte reaches the caller before the books say so: a kill in between gives the money back.
        for (var wait = 0; wait < 6_000 && JsonNode.Parse(await http.GetStringAsync(receipt))!["status"]!.GetValue<string>() != "delivered"; wait++) await Task.Delay(20);
        return receipt.Split('/')[^1];
    }

    private async Task<string> TokenAsync()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(gateway.Admin, "/admin/v1/tokens")) { Content = new StringContent("""{"budget":"1.00 USD"}""", new MediaTypeHeaderValue("application/json")) };
        request.Headers.Authorization = new("Bearer", Checkout.Variables()["TURNPIKE_ADMIN_KEY"]);
        using var answer = await http.SendAsync(request);
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["token"]!.GetValue<string>();
    }
}
