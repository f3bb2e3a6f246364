using System.Net;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Storage;

/// <summary>An installation moves to PostgreSQL, and back, as an operator moves it.</summary>
public sealed class MovingTests(Chain chain)
{
    [Fact]
    public async Task An_installation_moves_to_PostgreSQL_serves_there_and_moves_back()
    {
        var (file, server) = ($"sqlite:{Path.Combine(Path.GetTempPath(), Path.GetRandomFileName())}/books.db", TemporaryDatabase.NewEmpty());
        await using var api = await PaidApi.StartOnAsync(chain, file);
        var token = await api.TokenAsync("0.05 USD");
        (await SpendAsync(api, "/forecast/paris", token, "k-1")).Status.ShouldBe(HttpStatusCode.OK);
        var first = await SpendAsync(api, "/forecast/oslo", token, "k-2");
        var (receipt, payment) = await api.DeliveredAsync();
        var before = await SeenAsync(api, token, receipt, payment);

        var (refused, why) = await CopyAsync(api, file, server);
        refused.ShouldBe(1, why);
        why.ShouldContain("in use");
        (await api.Gateway.StopAsync()).ShouldBe(0);
        var (copied, said) = await CopyAsync(api, file, server);
        copied.ShouldBe(0, said);
        said.ShouldNotContain("s@cret");

        await StartOnAsync(api, server);
        (await SeenAsync(api, token, receipt, payment)).ShouldBe(before);
        (await SpendAsync(api, "/forecast/oslo", token, "k-2")).Body.ShouldBe(first.Body); // the stored answer came along
        api.Upstream.Executions.ShouldBe(2);
        (await SpendAsync(api, "/forecast/rome", token, "k-3")).Status.ShouldBe(HttpStatusCode.OK);
        (refused, why) = await CopyAsync(api, server, file);
        refused.ShouldBe(1, why);
        why.ShouldContain("in use");
        (await api.Gateway.StopAsync()).ShouldBe(0);
        (refused, why) = await CopyAsync(api, server, file);
        refused.ShouldBe(1, why);
        why.ShouldContain("not empty");

        var back = $"sqlite:{Path.Combine(Path.GetTempPath(), Path.GetRandomFileName())}/books.db";
        (copied, said) = await CopyAsync(api, server, back);
        copied.ShouldBe(0, said);
        await StartOnAsync(api, back);
        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => SpendAsync(api, "/forecast/last", token, $"l-{i}")));
        answers.Count(a => a.Status == HttpStatusCode.OK).ShouldBe(2);
        await api.BooksBalanceAsync();
    }

    private static async Task StartOnAsync(PaidApi api, string store)
    {
        api.Gateway.Set("TURNPIKE_STORE", store);
        await api.Gateway.StartAgainAsync();
    }

    private static Task<(int Code, string Said)> CopyAsync(PaidApi api, string from, string to) =>
        TurnpikeProcess.RunAsync(api.Gateway.Folder, new Dictionary<string, string> { ["FROM"] = from, ["TO"] = to }, "store", "copy", "--from", "${env:FROM}", "--to", "${env:TO}");

    // The signature of a receipt is made anew each time it is asked for.
    private static async Task<(string Balance, string Receipt, string Payment, string Keys)> SeenAsync(PaidApi api, string token, string receipt, string payment)
    {
        var shown = (await api.CallAsync($"/receipts/{receipt}")).Json.AsObject();
        shown.Remove("signed").ShouldBeTrue();
        return ((await SpendAsync(api, "/balance", token, null)).Body, shown.ToJsonString(), (await api.AdminAsync("GET", $"/admin/v1/payments/{Uri.EscapeDataString(payment)}")).Body, (await api.CallAsync("/.well-known/jwks.json")).Body);
    }

    private static Task<Answered> SpendAsync(PaidApi api, string path, string token, string? key) =>
        api.CallAsync(path, headers: [("Authorization", $"Bearer {token}"), .. key is null ? Array.Empty<(string, string)>() : [("Idempotency-Key", key)]]);
}
