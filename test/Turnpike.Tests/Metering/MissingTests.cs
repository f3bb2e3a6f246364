using Turnpike.Audit;
using Turnpike.Ledger;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Metering;

/// <summary>What is priced and not told by an answer: counted as the document says, or as nothing, and told to the owner either way.</summary>
public sealed class MissingTests : IDisposable
{
    private const string Document = """
        payments:
          prepaid: { secret: "${env:TURNPIKE_TOKEN_SECRET}" }
        services:
          docs:
            upstream: ${env:UPSTREAM}
            operations:
              path:     { match: GET /path,     usage: { pages: $.pages, bytes_told: "header:x-bytes" }, price: { ceiling: 1.00 USD, per-unit: { pages: 0.10 USD } } }
              header:   { match: GET /header,   usage: { pages: "header:x-pages" }, price: { ceiling: 1.00 USD, per-unit: { pages: 0.10 USD } } }
              list:     { match: GET /list,     usage: { pages: "$.items[*].pages" }, price: { ceiling: 1.00 USD, per-unit: { pages: 0.10 USD } } }
              count:    { match: GET /count,    usage: { pages: "$.items[*]" }, price: { ceiling: 1.00 USD, per-unit: { pages: 0.10 USD } } }
              fallback: { match: GET /fallback, usage: { pages: { from: $.pages, fallback: 3 } }, price: { ceiling: 1.00 USD, per-unit: { pages: 0.10 USD } } }
              records:  { match: GET /records,  price: { per-record: 0.10 USD, count: "$.items[*]", ceiling: 1.00 USD } }
              minutes:  { match: GET /minutes,  usage: openai, price: { ceiling: 1.00 USD, per-unit: { minutes: 0.10 USD } } }
              tokens:   { match: GET /tokens,   usage: openai, price: { ceiling: 1.00 USD, per-unit: { input_tokens: 0.10 USD } } }
        """;

    private readonly TestGate gate = new(document: Document);

    public void Dispose() => gate.Dispose();

    [Theory]
    [InlineData("/path", "{}", 0, "The answer did not tell 'pages', which is charged for; 0 counted.", "estimated")]
    [InlineData("/path", """{"pages":null}""", 0, "The answer did not tell 'pages', which is charged for; 0 counted.", "estimated")]
    [InlineData("/path", """{"pages":-4}""", 0, "The answer did not tell 'pages', which is charged for; 0 counted.", "estimated")]
    [InlineData("/path", "<html>", 0, "The answer did not tell 'pages', which is charged for; 0 counted.", "estimated")]
    [InlineData("/path", """{"pages":0}""", 0, null, "mixed")]
    [InlineData("/path", """{"pages":2}""", 2, null, "mixed")]
    [InlineData("/path", """{"pages":2.1}""", 3, null, "mixed")]
    [InlineData("/list", """{"items":[{"pages":0.4},{"pages":"0.4"},{"pages":1}]}""", 3, null, "reported")]
    [InlineData("/header", "{}", 0, "The answer did not tell 'pages', which is charged for; 0 counted.", "estimated")]
    [InlineData("/list", """{"items":[]}""", 0, null, "reported")]
    [InlineData("/list", """{"items":[{"pages":1},{"pages":2}]}""", 3, null, "reported")]
    [InlineData("/list", """{"items":[{"sheets":1}]}""", 0, "The answer did not tell 'pages', which is charged for; 0 counted.", "estimated")]
    [InlineData("/list", """{"error":"busy"}""", 0, "The answer did not tell 'pages', which is charged for; 0 counted.", "estimated")]
    [InlineData("/count", """{"items":[]}""", 0, null, "reported")]
    [InlineData("/count", """{"items":[1,null,{}]}""", 3, null, "reported")]
    [InlineData("/count", """{"items":null}""", 0, "The answer did not tell 'pages', which is charged for; 0 counted.", "estimated")]
    [InlineData("/records", """{"error":"busy"}""", 0, "The answer did not tell 'records', which is charged for; 0 counted.", "estimated")]
    [InlineData("/records", """{"items":[]}""", 0, null, "reported")]
    [InlineData("/fallback", "{}", 3, "The answer did not tell 'pages', which is charged for; 3 counted.", "estimated")]
    [InlineData("/fallback", """{"pages":0}""", 0, null, "reported")]
    [InlineData("/minutes", """{"usage":{"type":"tokens","input_tokens":14,"output_tokens":9,"total_tokens":23}}""", 0, "The answer told its usage otherwise than in minutes, which have the price.", "reported")]
    [InlineData("/minutes", """{"usage":{"type":"duration","seconds":61}}""", 2, null, "reported")]
    [InlineData("/tokens", """{"usage":{"type":"duration","seconds":61}}""", 0, "The answer told its usage otherwise than in input_tokens, which have the price.", "reported")]
    public async Task What_is_priced_and_not_told_is_counted_as_the_document_says_and_the_owner_hears_of_it(string target, string answer, long counted, string? alarm, string source)
    {
        var token = await gate.TokenAsync();
        gate.Upstream.Says(() => MeteredGate.Json(answer));
        var told = await gate.SendAsync(new Ask("GET", target, ("Authorization", token)));
        told.Status.ShouldBe(200);
        (await gate.Ledger.AvailableAsync("token:" + TestGate.IdOf(token), "USD", default)).ShouldBe(new Money(1_000_000_000 - counted * 100_000_000, "USD"));
        var alarms = (await gate.Of<IAuditTrail>().ReadAsync(new AuditFilter(Kind: AuditKinds.Untold), default)).Select(r => r.Event.Detail);
        alarms.ShouldBe(alarm is null ? [] : [alarm]);
        (await gate.Of<Turnpike.Metering.UsageStore>().FindByReceiptAsync(told.Headers["Turnpike-Receipt"].ToString().Split('/')[^1], default)).ShouldNotBeNull().Origin.ShouldBe(source, "its receipt says so");
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_header_that_is_told_is_charged_and_one_that_is_told_twice_is_not_told()
    {
        var token = await gate.TokenAsync("3.00 USD");
        gate.Upstream.Says(() => With("4"));
        await gate.SendAsync(new Ask("GET", "/header", ("Authorization", token)));
        (await gate.Of<IAuditTrail>().ReadAsync(new AuditFilter(Kind: AuditKinds.Untold), default)).ShouldBeEmpty();
        gate.Upstream.Says(() => With("4", "5"));
        (await gate.SendAsync(new Ask("GET", "/header", ("Authorization", token)))).Status.ShouldBe(200);
        (await gate.Of<IAuditTrail>().ReadAsync(new AuditFilter(Kind: AuditKinds.Untold), default)).Count.ShouldBe(1);
        (await gate.Ledger.AvailableAsync("token:" + TestGate.IdOf(token), "USD", default)).ShouldBe(new Money(2_600_000_000, "USD"));
    }

    [Fact]
    public async Task A_header_that_tells_a_fraction_is_rounded_up()
    {
        var token = await gate.TokenAsync();
        gate.Upstream.Says(() => With("1.2"));
        (await gate.SendAsync(new Ask("GET", "/header", ("Authorization", token)))).Headers["Turnpike-Cost"].ToString().ShouldBe("0.20 USD");
        await gate.ShouldBalanceAsync();
    }

    [Theory]
    [InlineData("{ from: minutes, fallback: 1 }", "is no $.path and no header:NAME; nothing else can be missing")]
    [InlineData("{ from: $.pages }", "'fallback' is missing: What is counted where an answer does not tell it.")]
    [InlineData("{ from: $.pages, fallback: -1 }", "'-1' is no whole number from 0 to 1000000000000")]
    public void A_fallback_that_cannot_be_is_told(string measure, string error) =>
        Catalog.Documents.Load(Document.Replace("{ from: $.pages, fallback: 3 }", measure, StringComparison.Ordinal)).Errors.Select(e => e.Message).ShouldContain(error);

    private static HttpResponseMessage With(params string[] pages)
    {
        var answer = MeteredGate.Json("{}");
        foreach (var each in pages) answer.Headers.TryAddWithoutValidation("X-Pages", each);
        return answer;
    }
}
