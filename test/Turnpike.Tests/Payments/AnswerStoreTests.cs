using Turnpike.Catalog;
using Turnpike.Payments;
using Turnpike.Storage;
using Turnpike.Tests.Gateway;
using Turnpike.Tests.Storage;

namespace Turnpike.Tests.Payments;

/// <summary>Answers kept for whoever lost them.</summary>
public sealed class AnswerStoreTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly ManualTime time = new();
    private readonly Database database;
    private readonly AnswerStore store;

    public AnswerStoreTests() => store = new AnswerStore(database = folder.Open(), time);

    public void Dispose()
    {
        database.Dispose();
        folder.Dispose();
    }

    private static StoredAnswer Answer(string body) => new(201, [new("X-A", "1"), new("X-A", "2"), new("Vary", "é")], System.Text.Encoding.UTF8.GetBytes(body));

    [Fact]
    public async Task An_answer_comes_back_as_it_left_with_repeated_headers_in_order()
    {
        await store.KeepAsync("h", Answer("body"), AnswerSettings.Usual.Keep, default);
        var kept = (await store.FindAsync("h", default)).ShouldNotBeNull();
        (kept.Status, System.Text.Encoding.UTF8.GetString(kept.Body.Span)).ShouldBe((201, "body"));
        kept.Headers.ShouldBe(Answer("").Headers);
        (await store.FindAsync("other", default)).ShouldBeNull();
    }

    [Fact]
    public async Task The_first_answer_stands()
    {
        await store.KeepAsync("h", Answer("first"), AnswerSettings.Usual.Keep, default);
        await store.KeepAsync("h", Answer("second"), AnswerSettings.Usual.Keep, default);
        (await store.FindAsync("h", default)).ShouldNotBeNull().Body.ToArray().ShouldBe("first"u8.ToArray());
    }

    [Fact]
    public async Task It_is_kept_a_quarter_of_an_hour_and_swept_by_the_next()
    {
        await store.KeepAsync("h", Answer("body"), AnswerSettings.Usual.Keep, default);
        time.Pass(AnswerSettings.Usual.Keep);
        (await store.FindAsync("h", default)).ShouldNotBeNull();
        time.Pass(TimeSpan.FromMilliseconds(1));
        (await store.FindAsync("h", default)).ShouldBeNull();
        await store.KeepAsync("next", Answer("body"), AnswerSettings.Usual.Keep, default);
        (await database.ReadAsync(sql => sql.First<long?>("select count(*) from answers", row => row.Long(0)), default)).ShouldBe(1);
    }

    [Fact]
    public async Task What_is_larger_than_a_mebibyte_is_delivered_and_not_kept()
    {
        using var gate = new TestGate();
        gate.Upstream.Says(() => ScriptedUpstream.Text(new string('x', 1024 * 1024 + 1)));
        var proof = await gate.ProofAsync();
        (await gate.GetAsync("/forecast/paris", ("PAYMENT-SIGNATURE", proof))).Body.Length.ShouldBe(1024 * 1024 + 1);
        var again = await gate.GetAsync("/forecast/paris", ("PAYMENT-SIGNATURE", proof));
        (again.Status, again.Reason).ShouldBe((409, "already-delivered"));
        again.Json.GetProperty("receipt").GetString().ShouldBe(again.Headers["Turnpike-Receipt"].ToString());
    }

    [Fact]
    public async Task How_large_and_how_long_is_the_owners_choice()
    {
        using var gate = new TestGate(document: TestGate.Document.Replace("payments:\n", "payments:\n  answers: { max-size: 2KiB, keep: 1h }\n", StringComparison.Ordinal));
        async Task<(string, string)> TwiceAsync(int size)
        {
            gate.Upstream.Says(() => ScriptedUpstream.Text(new string('x', size)));
            var proof = await gate.ProofAsync();
            var first = await gate.GetAsync("/forecast/paris", ("PAYMENT-SIGNATURE", proof));
            gate.Time.Pass(TimeSpan.FromMinutes(59));
            return (first.Body, (await gate.GetAsync("/forecast/paris", ("PAYMENT-SIGNATURE", proof))).Body);
        }
        var (small, again) = await TwiceAsync(2048);
        again.ShouldBe(small);
        (await TwiceAsync(2049)).Item2.ShouldContain("already-delivered");
    }
}
