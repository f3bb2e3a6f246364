using System.Net;
using Turnpike.EndToEnd.Crashes;
using Turnpike.EndToEnd.Harness;
using Turnpike.EndToEnd.Nodes;

namespace Turnpike.EndToEnd.Storage.Faults;

/// <summary>
/// PostgreSQL fails under load, in every way it can. After each: nothing that was answered is missing, nothing is charged twice,
/// every hold ends while the gateway goes on, books and trail verify.
/// </summary>
public sealed class PostgresFaultTests(Chain chain)
{
    [Fact]
    public async Task The_server_is_killed_and_started_again()
    {
        await using var server = await PostgresServer.NewAsync();
        await using var api = await PaidApi.StartOnAsync(chain, await server.CreateDatabaseAsync());
        var load = await Load.StartAsync([api]);
        for (var round = 0; round < 3; round++)
        {
            await load.MoreAsync(20);
            await server.KillAsync();
            await Task.Delay(500 + 2000 * round);
            await server.StartAsync();
        }
        await load.MoreAsync(20);
        await load.ReckonAsync();
    }

    [Fact]
    public async Task While_the_server_is_away_the_metrics_say_so_and_tell_no_number_that_nobody_knows()
    {
        await using var server = await PostgresServer.NewAsync();
        await using var api = await PaidApi.StartOnAsync(chain, await server.CreateDatabaseAsync());
        await Until.HoldsAsync("nothing is unknown", async () => (await MetricsAsync()).Contains("turnpike_payments_unknown 0\n", StringComparison.Ordinal));
        await server.KillAsync();
        await Until.HoldsAsync("the store is away", async () => await MetricsAsync() is var told && told.Contains("turnpike_store_failed 1\n", StringComparison.Ordinal) && !told.Contains("turnpike_payments_unknown 0", StringComparison.Ordinal));
        await server.StartAsync();
        await Until.HoldsAsync("all is well", async () => await MetricsAsync() is var told && told.Contains("turnpike_store_failed 0\n", StringComparison.Ordinal) && told.Contains("turnpike_payments_unknown 0\n", StringComparison.Ordinal));

        async Task<string> MetricsAsync()
        {
            var answer = await api.AdminAsync("GET", "/metrics");
            answer.Status.ShouldBe(HttpStatusCode.OK, answer.Body);
            return answer.Body;
        }
    }

    [Fact]
    public async Task A_payment_on_chain_outlives_the_death_of_the_server()
    {
        await using var server = await PostgresServer.NewAsync();
        await using var api = await PaidApi.StartOnAsync(chain, await server.CreateDatabaseAsync());
        List<Purchase> bought = [];
        for (var i = 0; i < 4; i++)
        {
            var purchase = await Purchase.OnAsync(api, "x402", null, i);
            bought.Add(purchase);
            var presented = purchase.PresentAsync();
            await Task.Delay(40 * i);
            await server.KillAsync();
            await Task.Delay(200);
            await server.StartAsync();
            await presented;
            api.Gateway.Lives.ShouldBeTrue(api.Gateway.Log);
        }
        foreach (var purchase in bought) await purchase.InsistAsync();
        (await Purchase.ChargedAsync(api, "x402", null)).ShouldBe(bought.Count);
        await Purchase.SettledAsync(api);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_connection_is_cut_at_a_commit(bool after)
    {
        var server = await SharedPostgres.GetAsync();
        await using var proxy = new PostgresProxy(server.Port);
        await using var api = await PaidApi.StartOnAsync(chain, await server.CreateDatabaseAsync(proxy.Port));
        var load = await Load.StartAsync([api]);
        for (var cut = 1; cut <= 10; cut++)
        {
            await load.MoreAsync(5);
            if (after) proxy.CutAfterCommit();
            else proxy.CutBeforeCommit();
            for (var wait = 0; proxy.Cuts < cut; wait++)
            {
                wait.ShouldBeLessThan(2_400, "no commit came");
                await Task.Delay(50);
            }
        }
        await load.ReckonAsync();
        load.Longest.ShouldBeLessThan(TimeSpan.FromSeconds(20), "the connection was all that broke: no statement's or lock's time-out was waited for");
    }

    [Fact]
    public async Task A_server_that_falls_silent_keeps_nobody_waiting_and_what_it_had_of_them_ends_by_itself()
    {
        var server = await SharedPostgres.GetAsync();
        await using var proxy = new PostgresProxy(server.Port);
        await using var api = await PaidApi.StartOnAsync(chain, await server.CreateDatabaseAsync(proxy.Port));
        var load = await Load.StartAsync([api]);
        await load.MoreAsync(20);
        proxy.Silent = true;
        await Task.Delay(TimeSpan.FromSeconds(30));
        var told = await api.CallAsync("/forecast/paris", headers: [("Authorization", $"Bearer {load.Token}")]);
        told.Status.ShouldBe(System.Net.HttpStatusCode.ServiceUnavailable);
        told.Header("Retry-After").ShouldNotBeNull();
        proxy.Silent = false;
        await load.MoreAsync(20);
        load.Longest.ShouldBeLessThan(TimeSpan.FromSeconds(28), "eleven seconds are what it takes");
        await load.ReckonAsync();
    }

    [Fact]
    public async Task Limits_hold_as_they_say_while_nodes_do_not_hear_each_other()
    {
        var server = await SharedPostgres.GetAsync();
        await using var proxy = new PostgresProxy(server.Port);
        await using var api = await PaidApi.StartOnAsync(chain, await server.CreateDatabaseAsync(proxy.Port));
        var document = await File.ReadAllTextAsync(api.Gateway.Config);
        foreach (var (failing, passes) in ((string, int)[])[("deny", 0), ("local", 3), ("allow", 5)])
        {
            var before = await VersionAsync();
            await File.WriteAllTextAsync(api.Gateway.Config, document + $"\nlimits:\n  calls:\n    - {{ name: {failing}, amount: 3 requests, per: 1h, on-store-failure: {failing} }}\n");
            await Until.HoldsAsync("the new document is in force", async () => await VersionAsync() != before);
            proxy.Silent = true;
            await Task.Delay(6_000); // it is deaf when it has heard nothing for three seconds
            var answers = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => api.CallAsync("/status")));
            answers.Count(answer => answer.Status == System.Net.HttpStatusCode.OK).ShouldBe(passes, failing);
            if (failing == "deny") answers.ShouldAllBe(answer => answer.Reason == "store-down");
            proxy.Silent = false;
        }

        async Task<string?> VersionAsync() => (await api.AdminAsync("GET", "/admin/v1/config")).Json["version"]?.GetValue<string>();
    }

    [Fact]
    public async Task The_primary_is_lost_and_its_synchronous_standby_goes_on_with_all_that_was_acknowledged()
    {
        await using var primary = await PostgresServer.NewAsync();
        await using var standby = await primary.FollowedAsync();
        var store = (await primary.CreateDatabaseAsync()).Replace($":{primary.Port}/", $":{primary.Port},127.0.0.1:{standby.Port}/", StringComparison.Ordinal);
        await using var pair = await Pair.StartOnAsync(chain, store);
        var load = await Load.StartAsync([pair.A, pair.B]);
        await load.MoreAsync(100);
        await primary.KillAsync();
        await Task.Delay(2000);
        await standby.PromoteAsync();
        await load.MoreAsync(100);
        await load.ReckonAsync();
    }

    [Fact]
    public async Task Without_its_standby_the_primary_promises_nothing_and_with_it_everything_goes_on()
    {
        await using var primary = await PostgresServer.NewAsync();
        await using var standby = await primary.FollowedAsync();
        await using var api = await PaidApi.StartOnAsync(chain, await primary.CreateDatabaseAsync());
        var load = await Load.StartAsync([api]);
        await load.MoreAsync(50);
        await standby.KillAsync();
        var answered = -1; // what the standby had is still answered
        await Until.HoldsAsync("nobody is answered any more", async () =>
        {
            (var last, answered) = (answered, load.Answered);
            if (last != answered) await Task.Delay(3_000);
            return last == answered;
        });
        // Longer than PostgreSQL lets a statement wait, after which it calls the commit done.
        await Task.Delay(TimeSpan.FromSeconds(35));
        load.Answered.ShouldBe(answered, "nothing is on the standby, and nothing was promised");
        await standby.StartAsync();
        await load.MoreAsync(50);
        load.Longest.ShouldBeLessThan(TimeSpan.FromSeconds(30));
        await load.ReckonAsync();
    }
}
