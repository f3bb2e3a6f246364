using System.Globalization;
using System.Net;
using Turnpike.EndToEnd.Crashes;
using Turnpike.EndToEnd.Harness;
using Turnpike.EndToEnd.Storage.Faults;

namespace Turnpike.EndToEnd.Nodes;

/// <summary>Two real gateways over one PostgreSQL behave as one.</summary>
public sealed class TwoNodesTests(Chain chain)
{
    [Fact]
    public async Task A_budget_for_37_gives_37_of_100_concurrent_calls_over_both()
    {
        await using var pair = await Pair.StartAsync(chain);
        var token = await pair.A.TokenAsync("0.37 USD");
        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => SpendAsync(i % 2 == 0 ? pair.A : pair.B, $"/forecast/{i.ToString(CultureInfo.InvariantCulture)}", token)));
        answers.Count(a => a.Status == HttpStatusCode.OK).ShouldBe(37);
        answers.Count(a => a.Status == HttpStatusCode.PaymentRequired).ShouldBe(63);
        await pair.A.BooksBalanceAsync();
    }

    [Fact]
    public async Task A_challenge_of_one_is_paid_at_the_other_and_its_proof_fifty_times_at_both_buys_once()
    {
        await using var pair = await Pair.StartAsync(chain);
        var proof = ExactSigner.Pay(await pair.A.TermsAsync("/forecast/paris"), pair.A.Parties.Payer);
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => (i % 2 == 0 ? pair.B : pair.A).PresentAsync("/forecast/paris", proof)));
        pair.A.Upstream.Executions.ShouldBe(1);
        answers.Select(a => a.Status).Distinct().ShouldBeSubsetOf([HttpStatusCode.OK, HttpStatusCode.Conflict], answers.First(a => a.Status is not (HttpStatusCode.OK or HttpStatusCode.Conflict) || a == answers[^1]).Body);
        (await pair.A.PresentAsync("/forecast/paris", proof)).Status.ShouldBe(HttpStatusCode.OK);
        (await pair.B.PresentAsync("/forecast/paris", proof)).Status.ShouldBe(HttpStatusCode.OK);
        pair.A.Upstream.Executions.ShouldBe(1);
        (await pair.A.EarnedAsync()).ShouldBe(10_000);
        await pair.A.BooksBalanceAsync();
    }

    [Fact]
    public async Task A_token_revoked_at_one_is_refused_by_the_other_within_a_second()
    {
        await using var pair = await Pair.StartAsync(chain);
        var token = await pair.A.TokenAsync("1.00 USD");
        (await SpendAsync(pair.B, "/forecast/oslo", token)).Status.ShouldBe(HttpStatusCode.OK);
        var id = token.Split('_')[1];
        var listed = (await pair.A.AdminAsync("GET", "/admin/v1/tokens")).Json;
        id = (listed["items"] ?? listed["tokens"])![0]!["id"]!.GetValue<string>();
        (await pair.A.AdminAsync("POST", $"/admin/v1/tokens/{id}/revoke", """{"reason":"test"}""")).Status.ShouldBeOneOf(HttpStatusCode.OK, HttpStatusCode.NoContent);
        await Until.WithinASecondAsync("the other refuses it", async () => await SpendAsync(pair.B, "/forecast/oslo", token) is { Status: not HttpStatusCode.OK, Reason: "token-revoked" });
    }

    [Fact]
    public async Task An_organisation_made_at_one_caps_its_callers_at_both_and_a_change_holds_at_the_other()
    {
        await using var pair = await Pair.StartAsync(chain);
        async Task CapAsync(PaidApi at, string caps) => (await at.AdminAsync("PUT", "/admin/v1/organisations/Acme", $$"""{"caps":[{{caps}}]}""")).Status.ShouldBeOneOf(HttpStatusCode.OK, HttpStatusCode.Created);
        await CapAsync(pair.A, "\"0.37 USD\"");
        await pair.A.AdminAsync("PUT", "/admin/v1/callers/bot", """{"organisation":"Acme"}""");
        var key = (await pair.A.AdminAsync("POST", "/admin/v1/callers/bot/keys", "{}")).Json["key"]!.GetValue<string>();
        var token = await pair.A.TokenAsync("5.00 USD");
        Task<Answered> Call(PaidApi at, int i) => at.CallAsync($"/forecast/{i.ToString(CultureInfo.InvariantCulture)}", headers: [("Authorization", $"Bearer {token}"), ("x-api-key", key)]);
        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => Call(i % 2 == 0 ? pair.A : pair.B, i)));
        (answers.Count(a => a.Status == HttpStatusCode.OK), answers.Count(a => a.Reason == "cap-spent")).ShouldBe((37, 63));
        await CapAsync(pair.B, "");
        for (var tries = 0; (await Call(pair.A, 1000 + tries)).Status != HttpStatusCode.OK; tries++) tries.ShouldBeLessThan(500, "the other node never heard of the change");
        await pair.A.BooksBalanceAsync();
    }

    [Fact]
    public async Task Killed_in_the_middle_of_paid_calls_its_holds_are_finished_by_the_other()
    {
        await using var pair = await Pair.StartAsync(chain);
        var token = await pair.A.TokenAsync("0.05 USD");
        pair.A.Upstream.Mood = UpstreamMood.Hanging;
        var lost = Enumerable.Range(0, 5).Select(i => Lost(SpendAsync(pair.A, $"/forecast/{i.ToString(CultureInfo.InvariantCulture)}", token))).ToList();
        foreach (var _ in lost) await pair.A.Upstream.ArrivalAsync();
        await pair.A.Gateway.KillAsync();
        await Task.WhenAll(lost);
        pair.A.Upstream.Mood = UpstreamMood.Well;
        (await SpendAsync(pair.B, "/forecast/early", token)).Status.ShouldBe(HttpStatusCode.PaymentRequired); // all of it is held
        await OpenHoldsEndAsync(pair.B);
        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => SpendAsync(pair.B, $"/forecast/{i.ToString(CultureInfo.InvariantCulture)}", token)));
        answers.Count(a => a.Status == HttpStatusCode.OK).ShouldBe(5);
        await pair.B.BooksBalanceAsync();
    }

    [Fact]
    public async Task One_drains_under_load_and_no_charge_is_lost_or_doubled()
    {
        await using var pair = await Pair.StartAsync(chain);
        var token = await pair.A.TokenAsync(Purchase.PlentyUsd);
        var answered = 0;
        using var enough = new CancellationTokenSource();
        var callers = Enumerable.Range(0, 8).Select(async caller =>
        {
            for (var i = 0; !enough.IsCancellationRequested; i++)
            {
                var (path, key) = ($"/forecast/{caller}-{i}", $"{caller}-{i}");
                // A caller whose node refuses or is gone repeats the same request at the other.
                var answer = await TryAsync(pair.A, path, token, key) ?? await TryAsync(pair.B, path, token, key);
                for (var again = 0; answer is not { Status: HttpStatusCode.OK } && again < 400; again++)
                {
                    await Task.Delay(250);
                    answer = await TryAsync(pair.B, path, token, key);
                }
                answer.ShouldNotBeNull().Status.ShouldBe(HttpStatusCode.OK, answer.Body);
                Interlocked.Increment(ref answered);
            }
        }).ToList();
        await Until.HoldsAsync("they are under way", () => Volatile.Read(ref answered) > 40);
        pair.A.Gateway.Terminate();
        (await pair.A.Gateway.EndedAsync()).ShouldBe(0, pair.A.Gateway.Log);
        var drained = Volatile.Read(ref answered);
        await Until.HoldsAsync("they go on at the other", () => Volatile.Read(ref answered) > drained + 20);
        await enough.CancelAsync();
        await Task.WhenAll(callers);
        await OpenHoldsEndAsync(pair.B);
        var balance = await SpendAsync(pair.B, "/balance", token);
        var left = Purchase.Plenty / 100m - answered * 0.01m;
        balance.Body.ShouldContain(left.ToString("0.00", CultureInfo.InvariantCulture), customMessage: $"{answered} answers");
        await pair.B.BooksBalanceAsync();
    }

    [Fact]
    public async Task One_is_killed_again_and_again_under_load_and_each_purchase_is_charged_once()
    {
        await using var pair = await Pair.StartAsync(chain);
        var load = await Load.StartAsync([pair.A, pair.B]);
        for (var round = 0; round < 5; round++)
        {
            await load.MoreAsync(20);
            await pair.B.Gateway.KillAsync();
            await Task.Delay(100 + 400 * round);
            await pair.B.Gateway.StartAgainAsync();
        }
        await load.MoreAsync(20);
        await load.ReckonAsync();
    }

    internal static async Task OpenHoldsEndAsync(PaidApi at)
    {
        for (var wait = 0; wait < 600; wait++)
        {
            var (_, said) = await at.Gateway.RunAsync("ledger", "verify", "--json");
            if (said.Contains("\"openHolds\": 0", StringComparison.Ordinal) || said.Contains("\"openHolds\":0", StringComparison.Ordinal)) return;
            if (wait == 599) throw new ShouldAssertException($"Holds stay open: {said}\n{at.Gateway.Log}");
            await Task.Delay(100);
        }
    }

    private static Task<Answered> SpendAsync(PaidApi api, string path, string token) => api.CallAsync(path, headers: [("Authorization", $"Bearer {token}")]);

    private static async Task<Answered?> TryAsync(PaidApi api, string path, string token, string key)
    {
        try { return await api.CallAsync(path, headers: [("Authorization", $"Bearer {token}"), ("Idempotency-Key", key)]) is { Status: HttpStatusCode.OK } answer ? answer : null; }
        catch (HttpRequestException) { return null; }
    }

    private static async Task Lost(Task<Answered> call)
    {
        try { await call; }
        catch (HttpRequestException) { /* it was killed */ }
    }
}
