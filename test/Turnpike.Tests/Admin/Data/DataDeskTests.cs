using System.Text;
using System.Text.Json;
using Turnpike.Admin.Callers;
using Turnpike.Admin.Data;
using Turnpike.Audit;
using Turnpike.Storage;
using Turnpike.Storage.Nodes;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Admin.Data;

/// <summary>Whoever is erased stands in no file of the database any more, and the books and the trail hold as before.</summary>
public sealed class DataDeskTests
{
    private const string Signature = "PAYMENT-SIGNATURE", Home = "203.0.113.77";
    private static readonly string Wallet = TestGate.Payer.ToLowerHex();

    private static DataDesk Desk(TestGate gate) => new(gate.Of<Database>(), gate.Of<AuditTrail>(), gate.Of<Revisions>());

    private static async Task<(ErasedView? Erased, Denial? Denied)> EraseAsync(TestGate gate, string subject, bool forfeit = false) => await Desk(gate).EraseAsync(Subject.Of(subject)!, forfeit, default);

    private static async Task<JsonElement> ExportAsync(TestGate gate, string subject) => JsonDocument.Parse(await Desk(gate).ExportAsync(Subject.Of(subject)!, subject, default)).RootElement;

    private static Ask From(string target, params (string, string?)[] headers) => new("GET", target, headers) { Address = Home };

    /// <summary>In any file of the database, in any case, as text or as bytes.</summary>
    private static void ShouldBeNowhere(TestGate gate, params string[] texts)
    {
        foreach (var file in Directory.GetFiles(gate.Folder).Where(file => Path.GetFileName(file).Contains(".db", StringComparison.Ordinal) && !file.EndsWith(".lock", StringComparison.Ordinal) && !file.EndsWith(".yaml", StringComparison.Ordinal)))
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var copy = new MemoryStream();
            stream.CopyTo(copy);
            var all = Encoding.Latin1.GetString(copy.ToArray());
            foreach (var text in texts) all.Contains(text, StringComparison.OrdinalIgnoreCase).ShouldBeFalse($"{text} is in {Path.GetFileName(file)}");
        }
    }

    private static async Task ShouldHoldAsync(TestGate gate)
    {
        await gate.ShouldBalanceAsync();
        (await gate.Of<IAuditTrail>().VerifyAsync(default)).Broken.ShouldBeNull();
    }

    [Fact]
    public async Task A_wallet_is_exported_whole_and_erased_from_every_file_while_books_and_trail_hold()
    {
        using var gate = new TestGate();
        for (var i = 0; i < 40; i++)
        {
            var terms = await gate.SendAsync(From($"/forecast/hideout-{i}"));
            (await gate.SendAsync(From($"/forecast/hideout-{i}", (Signature, gate.Pay(terms)), ("Idempotency-Key", $"key-of-{i}")))).Status.ShouldBe(200);
        }
        var exported = await ExportAsync(gate, Wallet);
        exported.GetProperty("holds").GetArrayLength().ShouldBe(40);
        exported.GetProperty("answers").GetArrayLength().ShouldBe(40);
        exported.GetProperty("retry_keys").GetArrayLength().ShouldBe(40);
        exported.GetProperty("audit").EnumerateArray().Count(e => e.GetProperty("kind").GetString() == "terms.given").ShouldBe(40, "what led to a payment goes with it");
        exported.GetProperty("audit").EnumerateArray().ShouldAllBe(e => e.GetProperty("address").GetString() == Home || e.GetProperty("address").ValueKind == JsonValueKind.Null);
        exported.GetProperty("entries").GetArrayLength().ShouldBeGreaterThan(0);

        var (erased, _) = await EraseAsync(gate, Wallet);
        erased!.Rows["holds"].ShouldBe(40);
        ShouldBeNowhere(gate, Wallet[2..], Home, "hideout", "key-of-");
        await ShouldHoldAsync(gate);
        (await ExportAsync(gate, Wallet)).GetProperty("holds").GetArrayLength().ShouldBe(0);
        var told = (await gate.Of<IAuditTrail>().ReadAsync(new AuditFilter(Kind: AuditKinds.DataErased), default)).Single();
        told.Event.Detail!.ShouldContain("holds 40");
        told.Event.Detail!.ShouldNotContain(erased.Pseudonym);

        // Life goes on: what was remembered of the accounts is forgotten too.
        (await gate.GetAsync("/forecast/paris", (Signature, await gate.ProofAsync()))).Status.ShouldBe(200);
        await ShouldHoldAsync(gate);
    }

    [Fact]
    public async Task A_token_is_erased_with_those_whose_place_it_took()
    {
        using var gate = new TestGate();
        var (first, desk) = (await gate.TokenAsync("1.00 USD"), gate.Of<Turnpike.Tokens.TokenDesk>());
        (await gate.SendAsync(From("/forecast/paris", ("Authorization", first), ("Idempotency-Key", "same")))).Status.ShouldBe(200);
        var next = (await desk.SucceedAsync((await desk.FindAsync(TestGate.IdOf(first), default))!, "test", default))!;
        (await gate.SendAsync(From("/forecast/paris", ("Authorization", gate.TextOf(next.Id)), ("Idempotency-Key", "same")))).Status.ShouldBe(200);
        (await ExportAsync(gate, "token:" + next.Id)).GetProperty("holds").GetArrayLength().ShouldBe(2);

        (await EraseAsync(gate, "token:" + next.Id)).Denied!.Reason.ShouldBe("balance-left");
        var (erased, _) = await EraseAsync(gate, "token:" + next.Id, forfeit: true);
        (erased!.Rows["holds"], erased.Rows["tokens"]).ShouldBe((2, 2));
        ShouldBeNowhere(gate, next.Id, TestGate.IdOf(first));
        await ShouldHoldAsync(gate);
    }

    [Fact]
    public async Task A_callers_balance_is_told_before_it_is_forfeited_and_names_nobody_afterwards()
    {
        using var gate = new TestGate(document: TestGate.Document.Replace("  x402: {}", "  balance: true\n  x402: {}", StringComparison.Ordinal));
        var key = await gate.KeyAsync("mrs-somebody");
        await gate.Of<Turnpike.Plans.Grants.GrantDesk>().GrantAsync(new Turnpike.Plans.Grants.Grant("mrs-somebody", "g", Turnpike.Plans.Grants.GrantKind.Paid, new Turnpike.Ledger.Money(Turnpike.Ledger.Money.Nano, "USD")), default);
        (await gate.SendAsync(From("/forecast/hideout", ("x-api-key", key)))).Status.ShouldBe(200);
        (await EraseAsync(gate, "mrs-somebody")).Denied!.Reason.ShouldBe("balance-left");
        (await EraseAsync(gate, "mrs-somebody", forfeit: true)).Erased!.Rows["grants"].ShouldBe(1);
        ShouldBeNowhere(gate, "mrs-somebody");
        await ShouldHoldAsync(gate);
    }

    [Fact]
    public async Task A_caller_is_erased_and_an_operation_and_a_caller_of_like_names_are_not()
    {
        using var gate = new TestGate("plans: { p: { includes: [{ amount: 5 requests, per: 1d }] } }\n");
        var key = await gate.KeyAsync("forecast", change: c => c with { Plan = "p", OnBehalfOf = "Mrs-Somebody" });
        var other = await gate.KeyAsync("forecast-2", change: c => c with { Plan = "p" });
        (await gate.SendAsync(From("/forecast/hideout", ("x-api-key", key)))).Status.ShouldBe(200);
        (await gate.GetAsync("/forecast/paris", ("x-api-key", other))).Status.ShouldBe(200);
        (await gate.GetAsync("/forecast/paris", (Signature, await gate.ProofAsync()))).Status.ShouldBe(200);

        var exported = await ExportAsync(gate, "forecast");
        exported.GetProperty("callers").GetArrayLength().ShouldBe(1);
        exported.GetProperty("caller_keys").GetArrayLength().ShouldBe(1);
        exported.GetProperty("holds").GetArrayLength().ShouldBe(1);
        exported.GetProperty("accounts").EnumerateArray().ShouldAllBe(a => a.GetProperty("account").GetString()!.StartsWith("plan:forecast:", StringComparison.Ordinal));

        (await EraseAsync(gate, "forecast")).Denied.ShouldBeNull();
        ShouldBeNowhere(gate, "hideout", "Mrs-Somebody", "caller:forecast:", "plan:forecast:", Home);
        await ShouldHoldAsync(gate);
        (await gate.GetAsync("/forecast/paris", ("x-api-key", key))).Reason.ShouldBe("unknown-key");
        (await gate.GetAsync("/forecast/paris", ("x-api-key", other))).Status.ShouldBe(200);
        (await ExportAsync(gate, "forecast-2")).GetProperty("holds").GetArrayLength().ShouldBe(2);
        (await gate.Of<Database>().ReadAsync(sql => sql.First("select count(*) from entries where account = 'revenue:forecast'", row => row.Long(0)), default)).ShouldBeGreaterThan(0);
        await ShouldHoldAsync(gate);
    }

    [Fact]
    public async Task A_token_with_money_left_is_erased_only_when_that_is_forfeited_and_buys_nothing_after()
    {
        using var gate = new TestGate();
        var token = await gate.TokenAsync("0.05 USD");
        (await gate.GetAsync("/forecast/paris", ("Authorization", token), ("Idempotency-Key", "k"))).Status.ShouldBe(200);
        var subject = "token:" + TestGate.IdOf(token);
        (await EraseAsync(gate, subject)).Denied!.Reason.ShouldBe("balance-left");
        (await gate.GetAsync("/forecast/paris", ("Authorization", token))).Status.ShouldBe(200, "nothing happened to it");
        (await EraseAsync(gate, subject, forfeit: true)).Denied.ShouldBeNull();
        ShouldBeNowhere(gate, TestGate.IdOf(token));
        await ShouldHoldAsync(gate);
        (await gate.GetAsync("/forecast/paris", ("Authorization", token))).Reason.ShouldBe("unknown-token");
        await ShouldHoldAsync(gate);
    }

    [Fact]
    public async Task Nobody_is_erased_while_a_payment_is_on_its_way()
    {
        using var gate = new TestGate();
        var (begun, goOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        gate.Upstream.Answer = async (_, _) => { begun.TrySetResult(); await goOn.Task; return ScriptedUpstream.Text("sunny"); };
        var inside = gate.GetAsync("/forecast/paris", (Signature, await gate.ProofAsync()));
        await begun.Task.WaitAsync(TimeSpan.FromMinutes(1));
        (await EraseAsync(gate, Wallet)).Denied!.Reason.ShouldBe("payments-open");
        goOn.SetResult();
        (await inside).Status.ShouldBe(200);
        (await EraseAsync(gate, Wallet)).Denied.ShouldBeNull();
    }

    [Fact]
    public async Task An_address_that_only_asked_is_erased_too()
    {
        using var gate = new TestGate();
        for (var i = 0; i < 20; i++) await gate.SendAsync(From($"/forecast/hideout-{i}"));
        (await EraseAsync(gate, Home)).Erased!.Rows["audit"].ShouldBe(20);
        ShouldBeNowhere(gate, Home, "hideout");
        await ShouldHoldAsync(gate);
    }

    [Theory]
    [InlineData("")]
    [InlineData("two words")]
    [InlineData("line\nfeed")]
    public void What_is_no_name_is_refused(string text) => Subject.Of(text).ShouldBeNull();
}
