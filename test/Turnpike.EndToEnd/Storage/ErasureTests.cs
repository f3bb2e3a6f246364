using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Turnpike.Admin.Data;
using Turnpike.Audit;
using Turnpike.EndToEnd.Crashes;
using Turnpike.EndToEnd.Harness;
using Turnpike.Ledger;
using Turnpike.Storage;
using static Turnpike.Tests.Ledger.Some;

namespace Turnpike.EndToEnd.Storage;

/// <summary>On a server as in a file: who is erased stands in no row any more, what is old goes, and books and trail hold.</summary>
public sealed class ErasureTests(Chain chain)
{
    [Fact]
    public async Task Who_paid_is_exported_whole_and_erased_from_every_row()
    {
        chain.Require();
        var server = await SharedPostgres.GetAsync();
        var store = await server.CreateDatabaseAsync();
        await using var api = await PaidApi.StartOnAsync(chain, store);
        var (wallet, database) = (api.Parties.Payer.Address.ToLowerInvariant(), store[(store.LastIndexOf('/') + 1)..]);
        for (var i = 0; i < 3; i++) (await (await Purchase.OnAsync(api, "x402", null, i)).PresentAsync())!.Status.ShouldBe(HttpStatusCode.OK);
        await Purchase.SettledAsync(api);
        (await RowsAsync("holds")).ShouldBe(3);

        var exported = await api.AdminAsync("GET", "/admin/v1/data/" + wallet);
        exported.Json["holds"]!.AsArray().Count.ShouldBe(3);
        exported.Json["audit"]!.AsArray().Count.ShouldBeGreaterThan(9);
        var erased = await api.AdminAsync("DELETE", "/admin/v1/data/" + wallet);
        erased.Status.ShouldBe(HttpStatusCode.OK, erased.Body);
        erased.Json["rows"]!["holds"]!.GetValue<int>().ShouldBe(3);
        foreach (var table in StoredStore.All.Select(each => each.Name).Concat(StoredStore.NamesNobody)) (await RowsAsync(table)).ShouldBe(0, table);
        await api.BooksBalanceAsync();
        (await (await Purchase.OnAsync(api, "x402", null, 9)).PresentAsync())!.Status.ShouldBe(HttpStatusCode.OK, "life goes on");
        await Purchase.SettledAsync(api);

        async Task<long> RowsAsync(string table) => (long)(await server.AskAsync($"select count(*) from {table} as row where cast(row as text) ilike '%{wallet[2..]}%'", database))!;
    }

    [Fact]
    public async Task What_is_old_goes_in_steps_and_the_trail_verifies_after_each()
    {
        using var place = new TemporaryDatabase();
        using var database = place.Open();
        using var audit = new AuditTrail(database, TimeProvider.System, "n");
        using var keys = await InstallationKeys.OpenAsync(new InstallationStore(database), default);
        var ledger = new SqlLedger(database, audit, "n");
        for (var i = 0; i < TrailRetention.Step + 500; i++) await audit.RecordAsync(Event(AuditKinds.Refused, $"c{i}"), default);
        await audit.FlushAsync(default);
        await ledger.PostAsync(TopUp("t", "token:a", Usd(100)), default);
        foreach (var id in (string[])["ended", "open"]) await ledger.HoldAsync(Hold(id, Usd(1)), default);
        await ledger.CaptureAsync(Capture("ended", Usd(1), "tx"), default);
        await ledger.FinishAsync("ended", HoldOutcome.Delivered, [], default);
        await audit.SignAsync(keys, default);

        var later = TimeProvider.System.GetUtcNow().AddDays(1);
        var retention = new TrailRetention(database, audit, keys, TimeProvider.System, NullLogger<TrailRetention>.Instance);
        var steps = 0;
        for (; await retention.StepAsync(later, null, default); steps++) (await audit.VerifyAsync(default)).Broken.ShouldBeNull();
        steps.ShouldBe(2);
        (await audit.VerifyAsync(default)).Chains.Single().First.ShouldBeGreaterThan(TrailRetention.Step);

        var last = (await database.ReadAsync(sql => RetentionStore.NextPayments(sql, 0, later), default)).ShouldNotBeNull();
        (await database.WriteAsync(sql => RetentionStore.EmptyPayments(sql, 0, last, later), default)).ShouldBe(1, "what is open is untouched");
        (await ledger.FindAsync("ended", default))!.Hold.Request.ShouldBeEmpty();
        (await ledger.FindAsync("open", default))!.Hold.Request.ShouldNotBeEmpty();
        (await ledger.VerifyAsync(default)).Findings.ShouldBeEmpty();

        await database.WriteAsync(sql =>
        {
            sql.Run("insert into usage_records (source, id, happened, operation, origin, charged, observed, cost) values ('s', 'old', $1, 'o', 'observed', '{}', '{}', 0), ('s', 'new', $2, 'o', 'observed', '{}', '{}', 0)", later.AddDays(-9), later.AddDays(9));
            sql.Run("insert into approvals (id, caller, operation, amount, currency, status, created) values ('a', 'c', 'o', 1, 'USD', 'approved', $1), ('b', 'c', 'o', 1, 'USD', 'pending', $1)", later.AddDays(-9));
        }, default);
        (await database.WriteAsync(sql => RetentionStore.DropUsage(sql, later), default)).ShouldBe(1);
        (await database.WriteAsync(sql => RetentionStore.DropApprovals(sql, later), default)).ShouldBe(1, "a question without an answer stays");
    }
}
