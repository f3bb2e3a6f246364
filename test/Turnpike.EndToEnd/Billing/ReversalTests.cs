using System.Net;
using System.Text.Json.Nodes;
using Turnpike.EndToEnd.Crashes;
using Turnpike.EndToEnd.Harness;
using Turnpike.EndToEnd.Storage;
using Turnpike.EndToEnd.Storage.Faults;
using Turnpike.Tests.Billing.Stripe;

namespace Turnpike.EndToEnd.Billing;

/// <summary>Card payments that are taken back at Stripe's side, told to two nodes over one PostgreSQL, and to nodes that die of it.</summary>
public sealed class ReversalTests(Chain chain)
{
    [Fact]
    public async Task Of_two_nodes_that_hear_the_same_again_and_again_each_refund_and_dispute_is_booked_once_and_both_give_the_same_evidence()
    {
        var store = TemporaryDatabase.NewEmpty();
        await using var a = await PaidApi.StartOnAsync(chain, store, Hearing, ("gateway.node", "a"));
        await using var other = await a.AnotherAsync(store, Hearing, ("gateway.node", "b"), ("gateway.url", Plain(a)));
        var b = a.At(other);
        var (refunded, disputed) = (await PaidAsync(a), await PaidAsync(b));
        a.Stripe.Objects.RefundInDashboard(refunded.Intent, 40);
        var dispute = a.Stripe.Objects.Dispute(disputed.Intent);
        await EverybodyHearsAsync(a, b);
        a.Stripe.Objects.Payments.Close((string)dispute["id"]!, "lost");
        a.Stripe.Objects.RefundInDashboard(refunded.Intent, 60);
        await EverybodyHearsAsync(a, b);
        await EverybodyHearsAsync(b, a);

        (await RefundsAsync(a, refunded.Receipt)).ShouldBe(["0.40", "0.60"], ignoreOrder: true);
        (await RefundsAsync(b, disputed.Receipt)).ShouldBe(["1.00"]);
        (await a.AdminAsync("POST", $"/admin/v1/payments/{refunded.Receipt}/refund", """{"reason":"more"}""", ("Idempotency-Key", "more"))).Reason.ShouldBe("refund-exceeds");
        (await CountAsync(a, "dispute.opened")).ShouldBe(1);
        foreach (var payment in (string[])[refunded.Receipt, disputed.Receipt])
        {
            var (one, two) = (await EvidenceAsync(a, payment), await EvidenceAsync(b, payment));
            one.ShouldBe(two);
        }
        await a.BooksBalanceAsync();
    }

    /// <summary>kill -9 after each commit that a webhook makes, before Stripe has its answer; then it tells again, to whoever lives.</summary>
    [Theory]
    [InlineData("charge.refunded")]
    [InlineData("charge.dispute.closed")]
    public async Task Killed_between_booking_and_answering_it_is_booked_once(string type)
    {
        var server = await SharedPostgres.GetAsync();
        await using var proxy = new PostgresProxy(server.Port);
        var (database, proxied) = await SameAsync(server, proxy);
        await using var a = await PaidApi.StartOnAsync(chain, proxied, Hearing, ("gateway.node", "a"));
        await using var other = await a.AnotherAsync(database, Hearing, ("gateway.node", "b"), ("gateway.url", Plain(a)));
        var b = a.At(other);
        var answered = false;
        for (var commit = 1; !answered; commit++)
        {
            commit.ShouldBeLessThan(20, "a webhook has fewer commits");
            var (receipt, intent) = await PaidAsync(b);
            if (type == "charge.refunded") a.Stripe.Objects.RefundInDashboard(intent, 100);
            else a.Stripe.Objects.Payments.Close((string)a.Stripe.Objects.Dispute(intent)["id"]!, "lost");
            var told = a.Stripe.Objects.Events.Last(e => e.Type == type);
            proxy.StallAfterCommit(commit);
            var telling = TellAsync(a, told);
            await Until.HoldsAsync("it is answered or stands still", () => proxy.Silent || telling.IsCompleted);
            answered = telling.IsCompleted;
            proxy.StallAfterCommit(0);
            if (!answered)
            {
                await a.Gateway.KillAsync();
                (await telling).ShouldBeNull("it died");
                proxy.Silent = false;
            }
            await Until.HoldsAsync("the other takes it", async () => await TellAsync(b, told) == HttpStatusCode.OK);
            (await RefundsAsync(b, receipt)).ShouldBe(["1.00"], $"killed after commit {commit}");
            if (!answered) await a.Gateway.StartAgainAnewAsync();
            await Until.HoldsAsync("it takes it again", async () => await TellAsync(a, told) == HttpStatusCode.OK);
            (await RefundsAsync(a, receipt)).ShouldBe(["1.00"], $"killed after commit {commit}");
            (await CountAsync(b, "payment.refunded")).ShouldBe(commit);
            await b.BooksBalanceAsync();
        }
    }

    /// <summary>The scenario, with Stripe's webhooks.</summary>
    private static string Hearing(string document) =>
        document.Replace("      profile: ${env:STRIPE_PROFILE}\n", "      profile: ${env:STRIPE_PROFILE}\n      webhook-secret: ${env:STRIPE_WEBHOOK_SECRET}\n", StringComparison.Ordinal);

    private static string Plain(PaidApi api) => api.Gateway.Url.GetLeftPart(UriPartial.Authority);

    /// <summary>One database, at the server itself and behind the proxy.</summary>
    private static async Task<(string Direct, string Proxied)> SameAsync(PostgresServer server, PostgresProxy proxy)
    {
        var direct = await server.CreateDatabaseAsync();
        return (direct, server.Location(direct[(direct.LastIndexOf('/') + 1)..], proxy.Port));
    }

    private static async Task<(string Receipt, string Intent)> PaidAsync(PaidApi at)
    {
        var purchase = await Purchase.OnAsync(at, "stripe", null, 0);
        (await purchase.InsistAsync()).Status.ShouldBe(HttpStatusCode.OK);
        var (receipt, _) = await at.DeliveredAsync();
        return (receipt, (string)at.Stripe.Intents[^1]["id"]!);
    }

    /// <summary>All that Stripe has to tell, four times to each at once, and as long as somebody asks for it again.</summary>
    private static Task EverybodyHearsAsync(PaidApi a, PaidApi b) => Task.WhenAll(
        from told in a.Stripe.Objects.Events.ToList()
        from node in (PaidApi[])[a, b]
        from _ in Enumerable.Range(0, 4)
        select Until.HoldsAsync("it is taken", async () => await TellAsync(node, told) == HttpStatusCode.OK));

    /// <summary>Null when the connection broke.</summary>
    private static async Task<HttpStatusCode?> TellAsync(PaidApi at, StripeTold told)
    {
        try { return await at.Stripe.TellAsync(at.Gateway.Url, told, TimeProvider.System.GetUtcNow()); }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException) { return null; }
    }

    private static async Task<IEnumerable<string>> RefundsAsync(PaidApi at, string receipt)
    {
        var refunds = (await at.AdminAsync("GET", $"/admin/v1/payments/{receipt}/refunds")).Json["refunds"]!.AsArray();
        refunds.ShouldAllBe(refund => refund!["status"]!.GetValue<string>() == "done");
        return refunds.Select(refund => refund!["amount"]!["amount"]!.GetValue<string>());
    }

    private static async Task<int> CountAsync(PaidApi at, string kind) =>
        (await at.AdminAsync("GET", $"/admin/v1/audit?kind={kind}&limit=500")).Json["events"]!.AsArray().Count;

    /// <summary>What a node says of a payment, signed so that it verifies by the published keys alone; without the time it was said.</summary>
    private static async Task<string> EvidenceAsync(PaidApi at, string receipt)
    {
        var told = (await at.AdminAsync("GET", $"/admin/v1/payments/{receipt}/evidence")).Json;
        var file = Path.Combine(at.Gateway.Folder, "evidence.jws");
        var keys = Path.Combine(at.Gateway.Folder, "keys.json");
        await File.WriteAllTextAsync(file, told["signed"]!.GetValue<string>());
        await File.WriteAllTextAsync(keys, (await at.CallAsync("/.well-known/jwks.json")).Body);
        var (code, said) = await at.Gateway.RunAsync("receipts", "verify", file, "--jwks", keys);
        code.ShouldBe(0, said);
        var evidence = told["evidence"]!.AsObject();
        evidence.Remove("issued").ShouldBeTrue();
        return evidence.ToJsonString();
    }
}
