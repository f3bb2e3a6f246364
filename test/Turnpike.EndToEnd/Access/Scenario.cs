using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Access;

/// <summary>A scenario of the contract as a process, with an upstream of these routes and an operator's key at hand.</summary>
internal sealed class Scenario : IAsyncDisposable
{
    private readonly HttpClient http = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = Until.Patience };
    private readonly List<LoopbackHost> upstreams = [];

    public TurnpikeProcess Gateway { get; private set; } = null!;

    public static async Task<Scenario> StartAsync(string file, params (string Variable, Action<WebApplication> Routes)[] upstreams)
    {
        var scenario = new Scenario();
        List<(string, string)> variables = [];
        foreach (var (variable, routes) in upstreams)
        {
            var host = await LoopbackHost.StartAsync(routes);
            scenario.upstreams.Add(host);
            variables.Add((variable, host.Url.GetLeftPart(UriPartial.Authority)));
        }
        scenario.Gateway = await TurnpikeProcess.StartAsync(file, [.. variables]);
        return scenario;
    }

    /// <summary>A prepaid token of an operator's making.</summary>
    public async Task<string> TokenAsync(string budget) => (await AdminAsync(HttpMethod.Post, "tokens", $$"""{"budget":"{{budget}}"}""")).Json!["token"]!.GetValue<string>();

    public Task<Answered> AdminAsync(HttpMethod method, string path, string? body = null) =>
        SendAsync(new HttpRequestMessage(method, new Uri(Gateway.Admin, "/admin/v1/" + path)), body, Checkout.Variables()["TURNPIKE_ADMIN_KEY"]);

    /// <param name="key">A caller's key, by the name of its variable.</param>
    public Task<Answered> CallAsync(HttpMethod method, string path, string? key = null, string? token = null, string? body = null)
    {
        var request = new HttpRequestMessage(method, new Uri(Gateway.Url, path));
        if (key is not null) request.Headers.Add("x-api-key", Checkout.Variables()[key]);
        return SendAsync(request, body, token);
    }

    public async ValueTask DisposeAsync()
    {
        await Gateway.DisposeAsync();
        foreach (var upstream in upstreams) await upstream.DisposeAsync();
        http.Dispose();
    }

    private async Task<Answered> SendAsync(HttpRequestMessage request, string? body, string? bearer)
    {
        using (request)
        {
            if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
            if (bearer is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
            using var response = await http.SendAsync(request);
            var text = await response.Content.ReadAsStringAsync();
            return new Answered((int)response.StatusCode, text, response.Headers.ToDictionary(h => h.Key, h => string.Join(", ", h.Value), StringComparer.OrdinalIgnoreCase));
        }
    }

    /// <summary>What came back.</summary>
    internal sealed record Answered(int Status, string Body, IReadOnlyDictionary<string, string> Headers)
    {
        public JsonNode? Json => JsonNode.Parse(Body);

        public string? Reason => Body.StartsWith('{') ? Json!["reason"]?.GetValue<string>() : null;
    }
}
