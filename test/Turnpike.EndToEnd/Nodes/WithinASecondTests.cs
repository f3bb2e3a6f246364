using System.Net;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Nodes;

/// <summary>What an operator does at one node is in force at the other within a second.</summary>
public sealed class WithinASecondTests(Chain chain)
{
    [Fact]
    public async Task A_key_revoked_at_one_opens_nothing_at_the_other()
    {
        await using var pair = await Pair.StartAsync(chain);
        (await pair.A.AdminAsync("PUT", "/admin/v1/callers/agent", "{}")).Status.ShouldBe(HttpStatusCode.Created);
        var issued = (await pair.A.AdminAsync("POST", "/admin/v1/callers/agent/keys", "{}")).Json;
        var (key, id) = (issued["key"]!.GetValue<string>(), issued["id"]!.GetValue<string>());
        (await CallAsync(pair.B, key)).Status.ShouldBe(HttpStatusCode.OK);
        (await pair.A.AdminAsync("POST", $"/admin/v1/callers/agent/keys/{id}/revoke", """{"reason":"test"}""")).Status.ShouldBe(HttpStatusCode.OK);
        await Until.WithinASecondAsync("it is refused", async () => (await CallAsync(pair.B, key)).Status == HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task A_key_imported_at_one_opens_the_other_which_did_not_know_it()
    {
        await using var pair = await Pair.StartAsync(chain);
        (await pair.A.AdminAsync("PUT", "/admin/v1/callers/agent", "{}")).Status.ShouldBe(HttpStatusCode.Created);
        (await CallAsync(pair.B, "their-old-key")).Status.ShouldBe(HttpStatusCode.Unauthorized);
        var hash = "sha256:" + Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData("their-old-key"u8));
        (await pair.A.AdminAsync("POST", "/admin/v1/callers/agent/keys", $$"""{"hash":"{{hash}}"}""")).Status.ShouldBe(HttpStatusCode.Created);
        await Until.WithinASecondAsync("it opens", async () => (await CallAsync(pair.B, "their-old-key")).Status == HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_caller_suspended_at_one_is_refused_by_the_other()
    {
        await using var pair = await Pair.StartAsync(chain);
        await pair.A.AdminAsync("PUT", "/admin/v1/callers/agent", "{}");
        var key = (await pair.A.AdminAsync("POST", "/admin/v1/callers/agent/keys", "{}")).Json["key"]!.GetValue<string>();
        (await CallAsync(pair.B, key)).Status.ShouldBe(HttpStatusCode.OK);
        (await pair.A.AdminAsync("POST", "/admin/v1/callers/agent/suspend")).Status.ShouldBe(HttpStatusCode.OK);
        await Until.WithinASecondAsync("it is refused", async () => await CallAsync(pair.B, key) is { Status: not HttpStatusCode.OK, Reason: "caller-suspended" });
    }

    [Fact]
    public async Task A_limit_given_at_one_holds_at_the_other()
    {
        await using var pair = await Pair.StartAsync(chain);
        await pair.A.AdminAsync("PUT", "/admin/v1/callers/agent", "{}");
        var key = (await pair.A.AdminAsync("POST", "/admin/v1/callers/agent/keys", "{}")).Json["key"]!.GetValue<string>();
        (await CallAsync(pair.B, key)).Status.ShouldBe(HttpStatusCode.OK);
        (await pair.A.AdminAsync("PUT", "/admin/v1/callers/agent", """{"limits":[{"amount":"1 requests","per":"1d"}],"signsAs":["https://agent.test"]}""")).Status.ShouldBe(HttpStatusCode.OK);
        await Until.WithinASecondAsync("it is limited", async () => (await CallAsync(pair.B, key)).Status == HttpStatusCode.TooManyRequests);
        var taken = await pair.B.AdminAsync("PUT", "/admin/v1/callers/other", """{"signsAs":["https://agent.test"]}""");
        (taken.Status, taken.Reason).ShouldBe((HttpStatusCode.Conflict, "signer-taken"));
    }

    [Fact]
    public async Task An_incident_declared_at_one_closes_the_other_and_its_end_opens_it_again()
    {
        await using var pair = await Pair.StartAsync(chain);
        var token = await pair.A.TokenAsync("1.00 USD");
        (await pair.A.AdminAsync("PUT", "/admin/v1/incidents/installation", """{"mode":"closed","reason":"a leak"}""")).Status.ShouldBe(HttpStatusCode.OK);
        await Until.WithinASecondAsync("it is closed", async () => await PaidAsync() is { Status: HttpStatusCode.ServiceUnavailable } refused && refused.Body.Contains("a leak", StringComparison.Ordinal));
        (await pair.A.AdminAsync("PUT", "/admin/v1/incidents/installation", """{"mode":"normal","reason":"mended"}""")).Status.ShouldBe(HttpStatusCode.OK);
        await Until.WithinASecondAsync("it is open", async () => (await PaidAsync()).Status == HttpStatusCode.OK);

        Task<Answered> PaidAsync() => pair.B.CallAsync("/forecast/paris", headers: [("Authorization", $"Bearer {token}")]);
    }

    [Fact]
    public async Task An_incident_declared_at_one_cuts_a_stream_that_is_open_at_the_other_and_its_price_goes_back()
    {
        await using var pair = await Pair.StartAsync(chain);
        var token = await pair.A.TokenAsync("1.00 USD");
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(pair.B.Gateway.Url, "/forecast/endless")) { Headers = { { "Authorization", $"Bearer {token}" } } };
        using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        using var body = new StreamReader(await answer.Content.ReadAsStreamAsync());
        for (var line = 0; line < 20; line++) (await body.ReadLineAsync()).ShouldBe("more");

        var reading = Task.Run(async () => { while (await body.ReadLineAsync() is not null) { } });
        await pair.A.AdminAsync("PUT", "/admin/v1/incidents/operation:forecast", """{"mode":"closed","reason":"a leak"}""");
        await Until.WithinASecondAsync("it is cut", async () => (await pair.B.CallAsync("/status")).Status == HttpStatusCode.OK && reading.IsCompleted);
        await Should.ThrowAsync<IOException>(reading);
        await Until.HoldsAsync("its price is back", async () => await BalanceAsync(pair.A, token) == "1.00");
    }

    private static async Task<string> BalanceAsync(PaidApi node, string token) =>
        (await node.CallAsync("/balance", headers: [("Authorization", $"Bearer {token}")])).Json["available"]!["amount"]!.GetValue<string>();

    [Fact]
    public async Task A_document_that_is_replaced_on_both_is_in_force_on_both()
    {
        await using var pair = await Pair.StartAsync(chain);
        foreach (var node in (PaidApi[])[pair.A, pair.B])
        {
            (await node.CallAsync("/status")).Status.ShouldBe(HttpStatusCode.OK);
            await File.WriteAllTextAsync(node.Gateway.Config, (await File.ReadAllTextAsync(node.Gateway.Config)).Replace("price: free", "price: 0.02 USD", StringComparison.Ordinal));
        }
        foreach (var node in (PaidApi[])[pair.A, pair.B])
            await Until.WithinASecondAsync("the new price is asked for", async () => (await node.CallAsync("/status")).Status == HttpStatusCode.PaymentRequired);
    }

    [Fact]
    public async Task Each_tells_of_all_which_configuration_is_in_force_where_and_since_when()
    {
        await using var pair = await Pair.StartAsync(chain);
        var before = await NodesAsync(pair.A);
        before.Select(node => (node!["node"]!.GetValue<string>(), node["self"]!.GetValue<bool>(), node["state"]!.GetValue<string>())).ShouldBe([("a", true, "live"), ("b", false, "live")]);
        before[0]!["lagSeconds"]!.GetValue<decimal>().ShouldBeInRange(0, 60);
        await File.AppendAllTextAsync(pair.B.Gateway.Config, "\n# changed\n");
        var old = before[1]!["catalog"]!.GetValue<string>();
        await Until.HoldsAsync("it reads the new document", async () => await VersionAsync(pair.B) != old);
        var after = before;
        await Until.HoldsAsync("the other knows", async () => (after = await NodesAsync(pair.A))[1]!["catalog"]!.GetValue<string>() == await VersionAsync(pair.B));
        after[1]!["since"]!.GetValue<DateTimeOffset>().ShouldBeGreaterThan(before[1]!["since"]!.GetValue<DateTimeOffset>());
        after[0]!["since"]!.GetValue<DateTimeOffset>().ShouldBe(before[0]!["since"]!.GetValue<DateTimeOffset>());
        await pair.B.Gateway.KillAsync();
        await Until.HoldsAsync("it is known to be gone", async () => (await NodesAsync(pair.A))[1]!["state"]!.GetValue<string>() is "lapsed" or "inherited");
        var ready = (await pair.A.AdminAsync("GET", "/health/ready")).Json;
        (ready["node"]!.GetValue<string>(), ready["lease"]!.GetValue<string>()).ShouldBe(("a", "held"));
    }

    private static async Task<System.Text.Json.Nodes.JsonArray> NodesAsync(PaidApi at) => (await at.AdminAsync("GET", "/admin/v1/config")).Json["nodes"]!.AsArray();

    private static async Task<string> VersionAsync(PaidApi at) => (await at.AdminAsync("GET", "/admin/v1/config")).Json["version"]!.GetValue<string>();

    private static Task<Answered> CallAsync(PaidApi api, string key) => api.CallAsync("/status", headers: [("Authorization", $"Bearer {key}")]);
}
