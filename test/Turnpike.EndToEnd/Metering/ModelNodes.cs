using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Turnpike.EndToEnd.Harness;
using Turnpike.EndToEnd.Storage;

namespace Turnpike.EndToEnd.Metering;

/// <summary>Two gateways that sell one model over one PostgreSQL, with callers' and operators' hands.</summary>
internal sealed class ModelNodes(LlmStandIn model, TurnpikeProcess a, TurnpikeProcess b, TimeSpan patience) : IAsyncDisposable
{
    private readonly HttpClient http = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = patience };

    public LlmStandIn Model => model;

    public TurnpikeProcess A => a;

    public TurnpikeProcess B => b;

    /// <param name="change">What is changed in the scenario.</param>
    /// <param name="patience">How long a caller waits for an answer.</param>
    public static async Task<ModelNodes> StartAsync(Func<string, string> change, TimeSpan patience)
    {
        var model = await LlmStandIn.StartAsync();
        var (store, upstream) = (TemporaryDatabase.NewEmpty(), ("LLM_UPSTREAM", model.Url.ToString().TrimEnd('/')));
        var a = await TurnpikeProcess.StartOnAsync("llm.yaml", store, change, ("gateway.node", "a"), upstream);
        var b = await TurnpikeProcess.StartOnAsync("llm.yaml", store, change, ("gateway.node", "b"), ("gateway.url", a.Url.GetLeftPart(UriPartial.Authority)), upstream);
        return new ModelNodes(model, a, b, patience);
    }

    /// <summary>The one or the other, in turn.</summary>
    public TurnpikeProcess At(int turn) => turn % 2 == 0 ? a : b;

    /// <summary>Asks the model something, and reads the answer to its end.</summary>
    public async Task<(HttpStatusCode Status, string Body)> AskAsync(TurnpikeProcess at, string key, string question)
    {
        using var answer = await SendAsync(HttpMethod.Post, new Uri(at.Url, "/v1/chat/completions"), key, question);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>What a caller has left, by the second node.</summary>
    public async Task<JsonNode> BalanceAsync(string key) => await ReadAsync(await SendAsync(HttpMethod.Get, new Uri(b.Url, "/balance"), key, null));

    /// <summary>A question of an operator's to the second node, or with a body an order.</summary>
    public async Task<JsonNode> AdminAsync(string path, string? order = null) =>
        await ReadAsync(await SendAsync(order is null ? HttpMethod.Get : HttpMethod.Post, new Uri(b.Admin, path), Checkout.Variables()["TURNPIKE_ADMIN_KEY"], order));

    public Task NothingIsHeldAsync() =>
        Until.HoldsAsync("every hold ends", async () => (await AdminAsync("/admin/v1/payments?status=held"))["payments"]!.AsArray().Count == 0);

    public async ValueTask DisposeAsync()
    {
        await a.DisposeAsync();
        await b.DisposeAsync();
        await model.DisposeAsync();
        http.Dispose();
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, Uri url, string key, string? body)
    {
        using var request = new HttpRequestMessage(method, url);
        if (body is not null) request.Content = new StringContent(body, new MediaTypeHeaderValue("application/json"));
        request.Headers.Authorization = new("Bearer", key);
        return await http.SendAsync(request);
    }

    private static async Task<JsonNode> ReadAsync(HttpResponseMessage answer)
    {
        using (answer) return JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
    }
}
